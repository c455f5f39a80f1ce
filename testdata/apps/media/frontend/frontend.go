// Package frontend is where visitors come in.
package frontend

import (
	"context"

	"github.com/onefold/onefold/testdata/apps/media/castinfo"
	"github.com/onefold/onefold/testdata/apps/media/composereview"
	"github.com/onefold/onefold/testdata/apps/media/movieid"
	"github.com/onefold/onefold/testdata/apps/media/movieinfo"
	"github.com/onefold/onefold/testdata/apps/media/page"
	"github.com/onefold/onefold/testdata/apps/media/plot"
	"github.com/onefold/onefold/testdata/apps/media/review"
	"github.com/onefold/onefold/testdata/apps/media/user"
	"github.com/onefold/onefold/testdata/apps/media/userreview"
)

// Frontend passes requests on to the services that can answer them.
//
//onefold:service
type Frontend struct {
	compose *composereview.ComposeReview
	users   *user.Users
	reviews *userreview.UserReviews
	movies  *movieid.MovieIDs
	info    *movieinfo.MovieInfo
	plots   *plot.Plot
	cast    *castinfo.CastInfo
	pages   *page.Pages
}

// NewFrontend returns a Frontend over its services.
func NewFrontend(compose *composereview.ComposeReview, users *user.Users, reviews *userreview.UserReviews,
	movies *movieid.MovieIDs, info *movieinfo.MovieInfo, plots *plot.Plot, cast *castinfo.CastInfo, pages *page.Pages) *Frontend {
	return &Frontend{compose: compose, users: users, reviews: reviews, movies: movies, info: info, plots: plots, cast: cast, pages: pages}
}

// Register makes a user.
func (f *Frontend) Register(ctx context.Context, name, password string) (review.UserID, error) {
	return f.users.Register(ctx, name, password)
}

// Compose writes a review; the user must know the password.
func (f *Frontend) Compose(ctx context.Context, name, password, title string, stars int, text string) (review.ID, error) {
	if _, err := f.users.Login(ctx, name, password); err != nil {
		return 0, err
	}
	r, err := f.compose.Compose(ctx, name, title, stars, text)
	return r.ID, err
}

// AddMovie makes a movie known, with its cast and plot.
func (f *Frontend) AddMovie(ctx context.Context, id review.MovieID, info movieinfo.Info, cast []castinfo.Actor, summary string) error {
	for i, actor := range cast {
		if i < len(info.Cast) {
			if err := f.cast.Write(ctx, info.Cast[i].Actor, actor); err != nil {
				return err
			}
		}
	}
	if err := f.info.Write(ctx, id, info); err != nil {
		return err
	}
	if err := f.plots.Write(ctx, id, summary); err != nil {
		return err
	}
	return f.movies.Register(ctx, info.Title, id)
}

// Movie returns a movie's page.
func (f *Frontend) Movie(ctx context.Context, title string) (page.Page, error) {
	return f.pages.Read(ctx, title, 3)
}

// ReviewsBy returns what a user has written.
func (f *Frontend) ReviewsBy(ctx context.Context, name string) ([]review.Review, error) {
	id, err := f.users.Find(ctx, name)
	if err != nil {
		return nil, err
	}
	return f.reviews.Read(ctx, id, 0, 10)
}
