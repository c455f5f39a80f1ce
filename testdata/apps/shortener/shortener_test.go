package shortener_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold/onefoldtest"
	"github.com/onefold/onefold/testdata/apps/shortener/compose"
	"github.com/onefold/onefold/testdata/apps/shortener/shorten"
)

func TestCompose(t *testing.T) {
	app := onefoldtest.New(t, compose.NewComposer, shorten.NewShortener)
	composer, shortener := onefoldtest.Get[compose.Composer](app), onefoldtest.Get[shorten.Shortener](app)
	ctx := t.Context()
	if _, err := composer.Compose(ctx, "ann", "see https://go.dev and  http://a.b or https://go.dev"); err != nil {
		t.Fatal(err)
	}
	got, ok, _ := composer.Post(ctx, 1)
	want := compose.Post{Author: "ann", Text: "see 100 and 101 or 100", Links: []shorten.Link{
		{Short: "100", Long: "https://go.dev"}, {Short: "101", Long: "http://a.b"}, {Short: "100", Long: "https://go.dev"},
	}}
	if diff := cmp.Diff(want, got); !ok || diff != "" {
		t.Errorf("post 1, found %t (-want +got):\n%s", ok, diff)
	}

	if long, err := shortener.Resolve(ctx, "101"); long != "http://a.b" || err != nil {
		t.Errorf("Resolve: %q, %v; want http://a.b", long, err)
	}
	if visits, _ := shortener.Visits(ctx, "101"); visits != 1 {
		t.Errorf("%d visits, want 1", visits)
	}
	if err := shortener.Forget(ctx, "http://a.b"); err != nil {
		t.Fatal(err)
	}
	if _, err := shortener.Resolve(ctx, "101"); !errors.Is(err, shorten.ErrUnknown) {
		t.Errorf("Resolve of a forgotten name: %v, want ErrUnknown", err)
	}
}
