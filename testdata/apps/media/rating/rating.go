// Package rating averages the stars that movies get.
package rating

import (
	"context"
	"errors"

	"github.com/onefold/onefold/testdata/apps/media/review"
)

// ErrRange is returned for a rating that is not 1 to 5 stars.
var ErrRange = errors.New("rating: want 1 to 5 stars")

// Rating sums up stars.
//
//onefold:service
type Rating struct {
	stars   map[review.MovieID]int // all stars of a movie
	ratings map[review.MovieID]int // number of its ratings
}

// NewRating returns a Rating that knows no movie.
func NewRating() *Rating {
	return &Rating{stars: map[review.MovieID]int{}, ratings: map[review.MovieID]int{}}
}

// Rate adds a movie's rating.
func (r *Rating) Rate(ctx context.Context, movie review.MovieID, stars int) error {
	if stars < 1 || stars > 5 {
		return ErrRange
	}
	r.stars[movie] += stars
	r.ratings[movie]++
	return nil
}

// Average returns a movie's mean rating, 0 where it has none, and how many it has.
func (r *Rating) Average(ctx context.Context, movie review.MovieID) (mean float64, ratings int, err error) {
	ratings = r.ratings[movie]
	if ratings == 0 {
		return 0, 0, nil
	}
	return float64(r.stars[movie]) / float64(ratings), ratings, nil
}
