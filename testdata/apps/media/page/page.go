// Package page shows all there is about a movie.
package page

import (
	"context"

	"golang.org/x/sync/errgroup"

	"github.com/onefold/onefold/testdata/apps/media/castinfo"
	"github.com/onefold/onefold/testdata/apps/media/movieid"
	"github.com/onefold/onefold/testdata/apps/media/movieinfo"
	"github.com/onefold/onefold/testdata/apps/media/moviereview"
	"github.com/onefold/onefold/testdata/apps/media/plot"
	"github.com/onefold/onefold/testdata/apps/media/rating"
	"github.com/onefold/onefold/testdata/apps/media/review"
)

// Page is what a visitor sees of a movie.
type Page struct {
	Info    movieinfo.Info   `json:"info"`
	Plot    string           `json:"plot"`
	Cast    []castinfo.Actor `json:"cast"`
	Reviews []review.Review  `json:"reviews"`
	Mean    float64          `json:"mean"` // of all ratings
	Ratings int              `json:"ratings"`
}

// Pages puts pages together.
//
//onefold:service
type Pages struct {
	ids     *movieid.MovieIDs
	info    *movieinfo.MovieInfo
	cast    *castinfo.CastInfo
	plots   *plot.Plot
	reviews *moviereview.MovieReviews
	rating  *rating.Rating
}

// NewPages returns a Pages over its services.
func NewPages(ids *movieid.MovieIDs, info *movieinfo.MovieInfo, cast *castinfo.CastInfo, plots *plot.Plot,
	reviews *moviereview.MovieReviews, r *rating.Rating) *Pages {
	return &Pages{ids: ids, info: info, cast: cast, plots: plots, reviews: reviews, rating: r}
}

// Read returns the page of a movie with its first reviews.
func (p *Pages) Read(ctx context.Context, title string, reviews int) (Page, error) {
	id, err := p.ids.Find(ctx, title)
	if err != nil {
		return Page{}, err
	}
	var page Page
	var g errgroup.Group
	g.Go(func() (err error) {
		page.Info, page.Cast, err = p.facts(ctx, id)
		return err
	})
	g.Go(func() (err error) {
		page.Plot, err = p.plots.Read(ctx, id)
		return err
	})
	g.Go(func() (err error) {
		page.Reviews, err = p.reviews.Read(ctx, id, 0, reviews)
		return err
	})
	g.Go(func() (err error) {
		page.Mean, page.Ratings, err = p.rating.Average(ctx, id)
		return err
	})
	if err := g.Wait(); err != nil {
		return Page{}, err
	}
	return page, nil
}

// facts returns what is known about a movie and who played in it.
func (p *Pages) facts(ctx context.Context, id review.MovieID) (movieinfo.Info, []castinfo.Actor, error) {
	info, err := p.info.Read(ctx, id)
	if err != nil {
		return movieinfo.Info{}, nil, err
	}
	var actors []castinfo.ActorID
	for _, role := range info.Cast {
		actors = append(actors, role.Actor)
	}
	cast, err := p.cast.Read(ctx, actors)
	return info, cast, err
}
