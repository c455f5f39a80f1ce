// Package plot knows what movies are about.
package plot

import (
	"context"

	"github.com/onefold/onefold/testdata/apps/media/review"
)

// Plot keeps plots.
//
//onefold:service
type Plot struct {
	plots map[review.MovieID]string
}

// NewPlot returns a Plot that knows no movie.
func NewPlot() *Plot {
	return &Plot{plots: map[review.MovieID]string{}}
}

// Write sets a movie's plot.
func (p *Plot) Write(ctx context.Context, movie review.MovieID, plot string) error {
	p.plots[movie] = plot
	return nil
}

// Read returns a movie's plot, "" where it is unknown.
func (p *Plot) Read(ctx context.Context, movie review.MovieID) (string, error) {
	return p.plots[movie], nil
}
