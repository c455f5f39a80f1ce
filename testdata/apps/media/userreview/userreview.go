// Package userreview lists the reviews of each user.
package userreview

import (
	"context"

	"github.com/onefold/onefold/testdata/apps/media/review"
	"github.com/onefold/onefold/testdata/apps/media/reviewstorage"
)

// UserReviews lists reviews by user, oldest first.
//
//onefold:service
type UserReviews struct {
	storage *reviewstorage.ReviewStorage
	refs    map[review.UserID][]review.Ref
}

// NewUserReviews returns empty lists over the stored reviews.
func NewUserReviews(s *reviewstorage.ReviewStorage) *UserReviews {
	return &UserReviews{storage: s, refs: map[review.UserID][]review.Ref{}}
}

// Add puts a review at the end of a user's list.
func (r *UserReviews) Add(ctx context.Context, user review.UserID, ref review.Ref) error {
	r.refs[user] = append(r.refs[user], ref)
	return nil
}

// Read returns the reviews of a user from first, counted from 0, to before end.
func (r *UserReviews) Read(ctx context.Context, user review.UserID, first, end int) ([]review.Review, error) {
	refs := r.refs[user]
	if end > len(refs) {
		end = len(refs)
	}
	var ids []review.ID
	for i := max(first, 0); i < end; i++ {
		ids = append(ids, refs[i].ID)
	}
	return r.storage.Read(ctx, ids)
}
