package media_test

import (
	"context"
	"errors"
	"testing"

	"github.com/onefold/onefold/onefoldtest"
	"github.com/onefold/onefold/testdata/apps/media/castinfo"
	"github.com/onefold/onefold/testdata/apps/media/composereview"
	"github.com/onefold/onefold/testdata/apps/media/frontend"
	"github.com/onefold/onefold/testdata/apps/media/movieid"
	"github.com/onefold/onefold/testdata/apps/media/movieinfo"
	"github.com/onefold/onefold/testdata/apps/media/moviereview"
	"github.com/onefold/onefold/testdata/apps/media/page"
	"github.com/onefold/onefold/testdata/apps/media/plot"
	"github.com/onefold/onefold/testdata/apps/media/rating"
	"github.com/onefold/onefold/testdata/apps/media/reviewstorage"
	"github.com/onefold/onefold/testdata/apps/media/text"
	"github.com/onefold/onefold/testdata/apps/media/uniqueid"
	"github.com/onefold/onefold/testdata/apps/media/user"
	"github.com/onefold/onefold/testdata/apps/media/userreview"
)

func TestReviews(t *testing.T) {
	app := onefoldtest.New(t, castinfo.NewCastInfo, composereview.NewComposeReview, frontend.NewFrontend, movieid.NewMovieIDs,
		movieinfo.NewMovieInfo, moviereview.NewMovieReviews, page.NewPages, plot.NewPlot, rating.NewRating,
		reviewstorage.NewReviewStorage, text.NewText, uniqueid.NewUniqueID, user.NewUsers, userreview.NewUserReviews)
	front := onefoldtest.Get[frontend.Frontend](app)
	ctx := t.Context()
	info := movieinfo.Info{Title: "Alien", Year: 1979, Cast: []movieinfo.Role{{Character: "Ripley", Actor: 7}}}
	if err := front.AddMovie(ctx, "m1", info, []castinfo.Actor{{Name: "Weaver"}}, "quiet in space"); err != nil {
		t.Fatal(err)
	}
	if _, err := front.Register(ctx, "ann", "secret"); err != nil {
		t.Fatal(err)
	}
	compose := func(password, title string, stars int) error {
		return onefoldtest.Call(app, func(ctx context.Context) error {
			_, err := front.Compose(ctx, "ann", password, title, stars, "  very \n good ")
			return err
		})
	}
	for _, tt := range []struct {
		password, title string
		stars           int
		want            error
	}{
		{"secret", "Alien", 5, nil},
		{"guess", "Alien", 5, user.ErrPassword},
		{"secret", "Aliens", 5, movieid.ErrUnknown},
		{"secret", "Alien", 6, rating.ErrRange},
		{"secret", "Alien", 2, nil},
	} {
		if err := compose(tt.password, tt.title, tt.stars); !errors.Is(err, tt.want) {
			t.Errorf("Compose(%q, %q, %d): %v, want %v", tt.password, tt.title, tt.stars, err, tt.want)
		}
	}

	// The review is in all three places, and those that failed are in none.
	reviews, _ := front.ReviewsBy(ctx, "ann")
	if len(reviews) != 2 || reviews[0].Text != "very good" || reviews[1].ID != 2 {
		t.Errorf("reviews by ann: %+v, want two", reviews)
	}
	p, err := front.Movie(ctx, "Alien")
	if err != nil || len(p.Reviews) != 2 || p.Mean != 3.5 || p.Plot != "quiet in space" || p.Cast[0].Name != "Weaver" {
		t.Errorf("page: %+v, %v", p, err)
	}
	if n, _ := onefoldtest.Get[reviewstorage.ReviewStorage](app).Count(ctx); n != 2 {
		t.Errorf("%d reviews stored, want 2", n)
	}
}
