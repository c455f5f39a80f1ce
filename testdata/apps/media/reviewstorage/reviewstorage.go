// Package reviewstorage stores whole reviews.
package reviewstorage

import (
	"context"

	"github.com/onefold/onefold/testdata/apps/media/review"
)

// ReviewStorage keeps reviews by id.
//
//onefold:service
type ReviewStorage struct {
	reviews map[review.ID]review.Review
}

// NewReviewStorage returns a store without reviews.
func NewReviewStorage() *ReviewStorage {
	return &ReviewStorage{reviews: map[review.ID]review.Review{}}
}

// Store keeps a review.
func (s *ReviewStorage) Store(ctx context.Context, r review.Review) error {
	s.reviews[r.ID] = r
	return nil
}

// Read returns the reviews with the given ids, in that order; unknown ones are left out.
func (s *ReviewStorage) Read(ctx context.Context, ids []review.ID) ([]review.Review, error) {
	reviews := make([]review.Review, 0, len(ids))
	for _, id := range ids {
		if r, ok := s.reviews[id]; ok {
			reviews = append(reviews, r)
		}
	}
	return reviews, nil
}

// Count returns the number of reviews.
func (s *ReviewStorage) Count(ctx context.Context) (int, error) {
	return len(s.reviews), nil
}
