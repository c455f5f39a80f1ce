// Package stock keeps what is in the warehouse, and who it is held for.
package stock

import (
	"context"
	"errors"
	"fmt"
)

// The errors of Reserve.
var (
	ErrSoldOut = errors.New("stock: sold out")
	ErrCount   = errors.New("stock: a line needs a count of at least one")
)

// Line is a number of pieces of one article.
type Line struct {
	SKU   string `json:"sku"`
	Count int    `json:"count"`
}

// Stock is a warehouse.
//
//onefold:service
type Stock struct {
	free map[string]int    // pieces by article
	held map[string][]Line // by order
}

// NewStock returns an empty warehouse.
func NewStock() *Stock {
	return &Stock{free: map[string]int{}, held: map[string][]Line{}}
}

// Receive adds pieces that have arrived.
func (s *Stock) Receive(ctx context.Context, sku string, count int) error {
	s.free[sku] += count
	return nil
}

// Free returns how many pieces of an article are held for nobody.
func (s *Stock) Free(ctx context.Context, sku string) (int, error) {
	return s.free[sku], nil
}

// Reserve holds all lines for an order, or none.
func (s *Stock) Reserve(ctx context.Context, orderID string, lines []Line) error {
	for _, line := range lines {
		if line.Count < 1 {
			return fmt.Errorf("%w: %s", ErrCount, line.SKU)
		}
		if s.free[line.SKU] < pieces(lines, line.SKU) {
			return fmt.Errorf("%w: %s", ErrSoldOut, line.SKU)
		}
	}
	for _, line := range lines {
		s.free[line.SKU] -= line.Count
		s.held[orderID] = append(s.held[orderID], line)
	}
	return nil
}

// pieces returns how many pieces of an article the lines ask for.
func pieces(lines []Line, sku string) int {
	sum := 0
	for _, line := range lines {
		if line.SKU == sku {
			sum += line.Count
		}
	}
	return sum
}

// Release puts back what is held for an order.
func (s *Stock) Release(ctx context.Context, orderID string) error {
	for _, line := range s.held[orderID] {
		s.free[line.SKU] += line.Count
	}
	delete(s.held, orderID)
	return nil
}

// Take takes what is held for an order out of the warehouse.
func (s *Stock) Take(ctx context.Context, orderID string) ([]Line, error) {
	lines := s.held[orderID]
	delete(s.held, orderID)
	return lines, nil
}
