package shop_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold/onefoldtest"
	"github.com/onefold/onefold/testdata/apps/shop/cart"
	"github.com/onefold/onefold/testdata/apps/shop/catalog"
	"github.com/onefold/onefold/testdata/apps/shop/checkout"
	"github.com/onefold/onefold/testdata/apps/shop/stock"
	"github.com/onefold/onefold/testdata/apps/shop/types"
)

// open returns a shop that has 3 pens at 100 cents and no ink at 50.
func open(t *testing.T) *onefoldtest.App {
	app := onefoldtest.New(t, checkout.NewCheckout, catalog.NewCatalog, stock.NewStock, cart.NewCarts)
	desk := onefoldtest.Get[checkout.Checkout](app)
	_, err := desk.Restock(t.Context(), "pen", 100, 3)
	if err == nil {
		_, err = onefoldtest.Get[catalog.Catalog](app).Put(t.Context(), "ink", 50, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return app
}

func fill(t *testing.T, app *onefoldtest.App, counts map[types.SKU]int) {
	for sku, n := range counts {
		if _, err := onefoldtest.Get[checkout.Checkout](app).Add(t.Context(), "ann", sku, n); err != nil {
			t.Fatal(err)
		}
	}
}

func TestBuyIsAllOrNothing(t *testing.T) {
	app := open(t)
	desk := onefoldtest.Get[checkout.Checkout](app)
	fill(t, app, map[types.SKU]int{"pen": 2, "ink": 1})
	err := onefoldtest.Call(app, func(ctx context.Context) error {
		_, err := desk.Buy(ctx, "ann")
		return err
	})
	var short *stock.ShortageError
	if !errors.As(err, &short) || short.SKU != "ink" || short.Missing != 1 {
		t.Errorf("Buy: %v, want a shortage of ink", err)
	}
	if c, _ := onefoldtest.Get[cart.Carts](app).Cart(t.Context(), "ann"); c == nil || len(c.Lines) != 2 {
		t.Errorf("cart after a failed purchase: %+v, want both lines", c)
	}

	sold, err := desk.BuyWhatYouCan(t.Context(), "ann")
	if diff := cmp.Diff([]types.SKU{"pen"}, sold); err != nil || diff != "" {
		t.Errorf("BuyWhatYouCan: %v (-want +got):\n%s", err, diff)
	}
	_, _, refused, _ := desk.Figures(t.Context())
	if diff := cmp.Diff(map[types.SKU]int{"ink": 1}, refused); diff != "" {
		t.Errorf("refused (-want +got):\n%s", diff)
	}
}

func TestCancel(t *testing.T) {
	app := open(t)
	desk, piles := onefoldtest.Get[checkout.Checkout](app), onefoldtest.Get[stock.Stock](app)
	fill(t, app, map[types.SKU]int{"pen": 3})
	order, err := desk.Buy(t.Context(), "ann")
	if err != nil || order.Total != 300 {
		t.Fatalf("Buy: %+v, %v; want a total of 300", order, err)
	}
	place := types.Place{Warehouse: checkout.Warehouses, SKU: "pen"}
	if n, _ := piles.Available(t.Context(), place); n != 0 {
		t.Errorf("%d pens after the purchase, want 0", n)
	}
	if ok, err := desk.Cancel(t.Context(), order.ID); !ok || err != nil {
		t.Errorf("Cancel: %t, %v; want true", ok, err)
	}
	if n, _ := piles.Available(t.Context(), place); n != 3 {
		t.Errorf("%d pens after the cancellation, want 3", n)
	}
}

func TestObjectsKeepTheirIdentity(t *testing.T) {
	app := open(t)
	c := onefoldtest.Get[catalog.Catalog](app)
	ctx := t.Context()
	if err := c.Rename(ctx, "pen", "quill"); err != nil {
		t.Fatal(err)
	}
	if err := c.Swap(ctx, "quill", "ink"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Item(ctx, "pen"); !errors.Is(err, catalog.ErrUnknown) {
		t.Errorf("the old name: %v, want ErrUnknown", err)
	}
	item, err := c.Item(ctx, "quill")
	if err != nil || item.Price != 50 || item.Changes != 2 {
		t.Errorf("the new name: %+v, %v; want price 50 and 2 changes", item, err)
	}
	if _, err := c.Remove(ctx, "quill"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Price(ctx, "quill"); !errors.Is(err, catalog.ErrUnknown) {
		t.Errorf("a removed article: %v, want ErrUnknown", err)
	}
}
