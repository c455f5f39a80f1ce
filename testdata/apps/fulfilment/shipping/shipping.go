// Package shipping packs orders and hands them to the carrier.
package shipping

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/onefold/onefold/testdata/apps/fulfilment/stock"
)

// ErrAddress is returned for an address that no carrier finds.
var ErrAddress = errors.New("shipping: the address is unknown")

// Pickup is how long a parcel waits for the carrier's van.
const Pickup = 2 * time.Hour

// Parcel is an order in a box.
type Parcel struct {
	Address  string       `json:"address"`
	Content  []stock.Line `json:"content"`
	Tracking string       `json:"tracking"` // empty until the van has it
}

// Shipping is the packing table and the ramp.
//
//onefold:service
type Shipping struct {
	stock   *stock.Stock
	parcels map[string]Parcel // by order
	left    int               // parcels that vans took
}

// NewShipping returns a Shipping that packs what is in the warehouse.
func NewShipping(s *stock.Stock) *Shipping {
	return &Shipping{stock: s, parcels: map[string]Parcel{}}
}

// Deliver packs an order and hands it over when the van comes. It is called by
// the workflow of the order, as a workflow of its own.
//
//onefold:workflow
func (s *Shipping) Deliver(ctx context.Context, orderID, address string) (tracking string, err error) {
	if err := s.Pack(ctx, orderID, address); err != nil {
		return "", err
	}
	time.Sleep(Pickup)
	return s.HandOver(ctx, orderID)
}

// Pack puts what is held for an order in a box.
func (s *Shipping) Pack(ctx context.Context, orderID, address string) error {
	if address == "" {
		return ErrAddress
	}
	content, err := s.stock.Take(ctx, orderID)
	if err != nil {
		return err
	}
	s.parcels[orderID] = Parcel{Address: address, Content: content}
	return nil
}

// HandOver gives the parcel of an order to the carrier.
func (s *Shipping) HandOver(ctx context.Context, orderID string) (tracking string, err error) {
	parcel := s.parcels[orderID]
	s.left++
	parcel.Tracking = fmt.Sprintf("parcel-%d", s.left)
	s.parcels[orderID] = parcel
	return parcel.Tracking, nil
}

// Parcel returns the parcel of an order.
func (s *Shipping) Parcel(ctx context.Context, orderID string) (Parcel, error) {
	return s.parcels[orderID], nil
}
