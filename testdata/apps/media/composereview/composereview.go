// Package composereview puts reviews together.
package composereview

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/onefold/onefold/testdata/apps/media/movieid"
	"github.com/onefold/onefold/testdata/apps/media/moviereview"
	"github.com/onefold/onefold/testdata/apps/media/review"
	"github.com/onefold/onefold/testdata/apps/media/reviewstorage"
	"github.com/onefold/onefold/testdata/apps/media/text"
	"github.com/onefold/onefold/testdata/apps/media/uniqueid"
	"github.com/onefold/onefold/testdata/apps/media/user"
	"github.com/onefold/onefold/testdata/apps/media/userreview"
)

// ComposeReview gathers the parts of a review from the services that know them
// and stores it with those that keep it.
//
//onefold:service
type ComposeReview struct {
	ids     *uniqueid.UniqueID
	movies  *movieid.MovieIDs
	texts   *text.Text
	users   *user.Users
	storage *reviewstorage.ReviewStorage
	byUser  *userreview.UserReviews
	byMovie *moviereview.MovieReviews
}

// NewComposeReview returns a ComposeReview over its services.
func NewComposeReview(ids *uniqueid.UniqueID, movies *movieid.MovieIDs, texts *text.Text, users *user.Users,
	storage *reviewstorage.ReviewStorage, byUser *userreview.UserReviews, byMovie *moviereview.MovieReviews) *ComposeReview {
	return &ComposeReview{ids: ids, movies: movies, texts: texts, users: users, storage: storage, byUser: byUser, byMovie: byMovie}
}

// Compose writes a review. Either all services have it or none.
func (c *ComposeReview) Compose(ctx context.Context, userName, title string, stars int, words string) (review.Review, error) {
	r := review.Review{Rating: stars, At: time.Now().UTC()}
	if err := c.gather(ctx, &r, userName, title, words); err != nil {
		return review.Review{}, err
	}
	ref := review.Ref{ID: r.ID, At: r.At}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return c.storage.Store(ctx, r) })
	g.Go(func() error { return c.byUser.Add(ctx, r.User, ref) })
	g.Go(func() error { return c.byMovie.Add(ctx, r.Movie, ref) })
	if err := g.Wait(); err != nil {
		return review.Review{}, err
	}
	return r, nil
}

// gather fills in what other services know, all of them asked at once.
func (c *ComposeReview) gather(ctx context.Context, r *review.Review, userName, title, words string) error {
	var (
		id    review.ID
		movie review.MovieID
		who   review.UserID
		tidy  string
	)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		id, err = c.ids.Next(ctx)
		return err
	})
	g.Go(func() (err error) {
		movie, err = c.movies.Rate(ctx, title, r.Rating)
		return err
	})
	g.Go(func() (err error) {
		tidy, err = c.texts.Tidy(ctx, words)
		return err
	})
	g.Go(func() (err error) {
		who, err = c.users.Find(ctx, userName)
		return err
	})
	if err := g.Wait(); err != nil {
		return err
	}
	r.ID, r.Movie, r.User, r.Text = id, movie, who, tidy
	return nil
}
