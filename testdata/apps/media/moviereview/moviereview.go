// Package moviereview lists the reviews of each movie.
package moviereview

import (
	"context"

	"github.com/onefold/onefold/testdata/apps/media/review"
	"github.com/onefold/onefold/testdata/apps/media/reviewstorage"
)

// MovieReviews lists reviews by movie, oldest first.
//
//onefold:service
type MovieReviews struct {
	storage *reviewstorage.ReviewStorage
	refs    map[review.MovieID][]review.Ref
}

// NewMovieReviews returns empty lists over the stored reviews.
func NewMovieReviews(s *reviewstorage.ReviewStorage) *MovieReviews {
	return &MovieReviews{storage: s, refs: map[review.MovieID][]review.Ref{}}
}

// Add puts a review at the end of a movie's list.
func (r *MovieReviews) Add(ctx context.Context, movie review.MovieID, ref review.Ref) error {
	r.refs[movie] = append(r.refs[movie], ref)
	return nil
}

// Read returns the reviews of a movie from first, counted from 0, to before end.
func (r *MovieReviews) Read(ctx context.Context, movie review.MovieID, first, end int) ([]review.Review, error) {
	refs := r.refs[movie]
	if end > len(refs) {
		end = len(refs)
	}
	var ids []review.ID
	for i := max(first, 0); i < end; i++ {
		ids = append(ids, refs[i].ID)
	}
	return r.storage.Read(ctx, ids)
}
