// Package uniqueid numbers reviews.
package uniqueid

import (
	"context"

	"github.com/onefold/onefold/testdata/apps/media/review"
)

// UniqueID hands out review ids.
//
//onefold:service
type UniqueID struct {
	last review.ID
}

// NewUniqueID returns a UniqueID that starts at 1.
func NewUniqueID() *UniqueID { return &UniqueID{} }

// Next returns an id that nobody else gets.
func (u *UniqueID) Next(ctx context.Context) (review.ID, error) {
	u.last++
	return u.last, nil
}
