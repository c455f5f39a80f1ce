// Package sales counts what the shops take in.
package sales

import (
	"context"
	"slices"
)

// Sales is what each shop has taken in since it was last closed.
//
//onefold:service
type Sales struct {
	open map[string]int // cents by shop
}

// NewSales returns a Sales without shops.
func NewSales() *Sales { return &Sales{open: map[string]int{}} }

// Sell adds a sale.
func (s *Sales) Sell(ctx context.Context, shop string, cents int) error {
	s.open[shop] += cents
	return nil
}

// Shops returns the shops that have sold something.
func (s *Sales) Shops(ctx context.Context) ([]string, error) {
	shops := []string{}
	for shop := range s.open {
		shops = append(shops, shop)
	}
	slices.Sort(shops)
	return shops, nil
}

// Close takes what a shop has sold out of the till.
func (s *Sales) Close(ctx context.Context, shop string) (cents int, err error) {
	cents = s.open[shop]
	delete(s.open, shop)
	return cents, nil
}
