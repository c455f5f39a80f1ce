// Package movieid finds movies by title.
package movieid

import (
	"context"
	"errors"
	"fmt"

	"github.com/onefold/onefold/testdata/apps/media/rating"
	"github.com/onefold/onefold/testdata/apps/media/review"
)

// ErrUnknown is wrapped by the error for a title that nobody registered.
var ErrUnknown = errors.New("movieid: unknown title")

// MovieIDs knows the ids behind titles, and passes ratings on.
//
//onefold:service
type MovieIDs struct {
	rating *rating.Rating
	ids    map[string]review.MovieID
}

// NewMovieIDs returns a MovieIDs that knows no title.
func NewMovieIDs(r *rating.Rating) *MovieIDs {
	return &MovieIDs{rating: r, ids: map[string]review.MovieID{}}
}

// Register gives a title its id.
func (m *MovieIDs) Register(ctx context.Context, title string, id review.MovieID) error {
	m.ids[title] = id
	return nil
}

// Find returns the id behind a title.
func (m *MovieIDs) Find(ctx context.Context, title string) (review.MovieID, error) {
	id, ok := m.ids[title]
	if !ok {
		return "", fmt.Errorf("%w %q", ErrUnknown, title)
	}
	return id, nil
}

// Rate finds a movie and adds its rating.
func (m *MovieIDs) Rate(ctx context.Context, title string, stars int) (review.MovieID, error) {
	id, err := m.Find(ctx, title)
	if err != nil {
		return "", err
	}
	return id, m.rating.Rate(ctx, id, stars)
}
