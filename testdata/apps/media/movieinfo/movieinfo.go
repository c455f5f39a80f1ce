// Package movieinfo knows the facts about movies.
package movieinfo

import (
	"context"
	"errors"

	"github.com/onefold/onefold/testdata/apps/media/castinfo"
	"github.com/onefold/onefold/testdata/apps/media/review"
)

// ErrUnknown is returned for a movie that nobody wrote about.
var ErrUnknown = errors.New("movieinfo: unknown movie")

// Role is who played whom.
type Role struct {
	Character string           `json:"character"`
	Actor     castinfo.ActorID `json:"actor"`
}

// Info is what there is to know about a movie.
type Info struct {
	Title   string            `json:"title"`
	Year    int               `json:"year"`
	Cast    []Role            `json:"cast"`
	Links   map[string]string `json:"links"` // addresses by what they are
	Trivia  []string          `json:"trivia,omitempty"`
	Country [2]string         `json:"country"` // of origin and of the first showing
}

// MovieInfo keeps facts.
//
//onefold:service
type MovieInfo struct {
	movies map[review.MovieID]Info
}

// NewMovieInfo returns a MovieInfo that knows no movie.
func NewMovieInfo() *MovieInfo {
	return &MovieInfo{movies: map[review.MovieID]Info{}}
}

// Write sets what is known about a movie.
func (m *MovieInfo) Write(ctx context.Context, movie review.MovieID, info Info) error {
	m.movies[movie] = info
	return nil
}

// Read returns what is known about a movie, or ErrUnknown.
func (m *MovieInfo) Read(ctx context.Context, movie review.MovieID) (Info, error) {
	info, ok := m.movies[movie]
	if !ok {
		return Info{}, ErrUnknown
	}
	return info, nil
}
