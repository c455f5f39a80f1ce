// Package checkout sells what is in carts.
package checkout

import (
	"context"
	"errors"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/onefold/onefold"
	"github.com/onefold/onefold/testdata/apps/shop/cart"
	"github.com/onefold/onefold/testdata/apps/shop/catalog"
	"github.com/onefold/onefold/testdata/apps/shop/stock"
	"github.com/onefold/onefold/testdata/apps/shop/types"
)

// Warehouses are where articles come from, in the order in which they are asked.
const Warehouses = 2

// Order is what a customer bought.
type Order struct {
	ID           int          `json:"id"`
	Customer     string       `json:"customer"`
	Lines        []types.Line `json:"lines"`
	Reservations []int        `json:"reservations"`
	Total        types.Cents  `json:"total"`
}

// Checkout turns carts into orders.
//
//onefold:service
type Checkout struct {
	catalog *catalog.Catalog
	stock   *stock.Stock
	carts   *cart.Carts

	mu       sync.Mutex // guards revenue and log
	orders   map[int]Order
	last     int
	revenue  types.Cents
	log      []string
	refusals map[types.SKU]int
}

// NewCheckout returns a Checkout that has sold nothing.
func NewCheckout(cat *catalog.Catalog, s *stock.Stock, c *cart.Carts) *Checkout {
	return &Checkout{catalog: cat, stock: s, carts: c, orders: map[int]Order{}, refusals: map[types.SKU]int{}}
}

// Add puts an article into a cart at its present price.
func (c *Checkout) Add(ctx context.Context, customer string, sku types.SKU, count int) (int, error) {
	price, err := c.catalog.Price(ctx, sku)
	if err != nil {
		return 0, err
	}
	return c.carts.Add(ctx, customer, types.Line{SKU: sku, Count: count, Price: price})
}

// Buy sells what is in a cart: all of it, or nothing and the cart stays.
func (c *Checkout) Buy(ctx context.Context, customer string) (Order, error) {
	lines, err := c.carts.Take(ctx, customer)
	if err != nil {
		return Order{}, err
	}
	c.last++
	order := Order{ID: c.last, Customer: customer, Lines: lines}
	order.Total = types.Sum(lines, func(l types.Line) types.Cents { return types.Cents(l.Count) * l.Price })
	for _, line := range lines {
		id, err := c.reserve(ctx, line)
		if err != nil {
			return Order{}, err
		}
		order.Reservations = append(order.Reservations, id)
	}
	c.orders[order.ID] = order
	c.revenue += order.Total
	return order, nil
}

// BuyWhatYouCan sells those lines of a cart that are in stock, and counts the
// others as refused.
func (c *Checkout) BuyWhatYouCan(ctx context.Context, customer string) (sold []types.SKU, err error) {
	lines, err := c.carts.Take(ctx, customer)
	if errors.Is(err, cart.ErrEmpty) {
		return []types.SKU{}, nil
	}
	if err != nil {
		return nil, err
	}
	for _, line := range lines {
		err := onefold.Tx(ctx, c, func(ctx context.Context) error {
			c.revenue += types.Cents(line.Count) * line.Price
			_, err := c.reserve(ctx, line)
			return err
		})
		var short *stock.ShortageError
		switch {
		case errors.As(err, &short):
			c.refusals[short.SKU] += short.Missing
		case err != nil:
			return nil, err
		default:
			sold = append(sold, line.SKU)
		}
	}
	return sold, nil
}

// reserve takes a line from the first warehouse that has all of it. The last one
// says what is missing.
func (c *Checkout) reserve(ctx context.Context, line types.Line) (int, error) {
	for warehouse := 1; warehouse < Warehouses; warehouse++ {
		place := types.Place{Warehouse: warehouse, SKU: line.SKU}
		n, err := c.stock.Available(ctx, place)
		if err != nil {
			return 0, err
		}
		if n >= line.Count {
			return c.stock.Reserve(ctx, place, line.Count)
		}
	}
	return c.stock.Reserve(ctx, types.Place{Warehouse: Warehouses, SKU: line.SKU}, line.Count)
}

// Cancel undoes an order. It reports whether there was one.
func (c *Checkout) Cancel(ctx context.Context, id int) (bool, error) {
	order, ok := c.orders[id]
	if !ok {
		return false, nil
	}
	for _, r := range order.Reservations {
		if _, err := c.stock.Release(ctx, r); err != nil {
			return false, err
		}
	}
	delete(c.orders, id)
	c.revenue -= order.Total
	return true, nil
}

// Stocked is what the shop knows of an article.
type Stocked struct {
	Item  types.Item      `json:"item"`
	Price types.Cents     `json:"price"`
	Count [Warehouses]int `json:"count"`
}

// Look returns what the shop knows of an article, asked of two services at once.
func (c *Checkout) Look(ctx context.Context, sku types.SKU) (*Stocked, error) {
	var s Stocked
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		price, err := c.catalog.Price(ctx, sku)
		s.Price = price
		return err
	})
	for i := range Warehouses {
		g.Go(func() (err error) {
			s.Count[i], err = c.stock.Available(ctx, types.Place{Warehouse: i + 1, SKU: sku})
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	var err error
	s.Item, err = c.catalog.Item(ctx, sku)
	return &s, err
}

// Restock receives articles and puts them into the catalogue, both at once. The
// branches write the same log under a mutex; the receipts are added up.
func (c *Checkout) Restock(ctx context.Context, sku types.SKU, price types.Cents, count int) (int, error) {
	var g errgroup.Group
	g.Go(func() error {
		_, err := c.catalog.Put(ctx, sku, price, []string{"new", "restocked"})
		c.mu.Lock()
		defer c.mu.Unlock()
		c.log = append(c.log, "receipt")
		c.revenue -= price
		return err
	})
	g.Go(func() error {
		_, err := c.stock.Receive(ctx, Warehouses, types.Slot{1, uint8(count)}, sku, count)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.log = append(c.log, "receipt")
		c.revenue -= types.Cents(count)
		return err
	})
	if err := g.Wait(); err != nil {
		return 0, err
	}
	return len(c.log), nil
}

// Orders returns the orders of a customer, oldest first.
func (c *Checkout) Orders(ctx context.Context, customer string) ([]Order, error) {
	var orders []Order
	for id := 1; id <= c.last; id++ {
		if order, ok := c.orders[id]; ok && order.Customer == customer {
			orders = append(orders, order)
		}
	}
	return orders, nil
}

// Figures returns what was earned, how often restocked, and what was refused.
func (c *Checkout) Figures(ctx context.Context) (revenue types.Cents, receipts int, refused map[types.SKU]int, err error) {
	return c.revenue, len(c.log), c.refusals, nil
}
