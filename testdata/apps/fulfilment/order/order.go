// Package order fulfils orders.
package order

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/onefold/onefold"
	"github.com/onefold/onefold/testdata/apps/fulfilment/invoice"
	"github.com/onefold/onefold/testdata/apps/fulfilment/mail"
	"github.com/onefold/onefold/testdata/apps/fulfilment/provider"
	"github.com/onefold/onefold/testdata/apps/fulfilment/shipping"
	"github.com/onefold/onefold/testdata/apps/fulfilment/stock"
)

// Errors of an order.
var (
	ErrEmpty    = errors.New("order: nothing is ordered")
	ErrDeclined = errors.New("order: the payment was declined")
	ErrUnknown  = errors.New("order: no such order")
)

// Order is what a customer sends.
type Order struct {
	Customer string       `json:"customer"`
	Address  string       `json:"address"`
	Card     string       `json:"card"`
	Cents    int          `json:"cents"`
	Lines    []stock.Line `json:"lines"`
}

// Status is how far an order has come.
type Status struct {
	Customer string `json:"customer"`
	State    string `json:"state"` // open, shipped or failed
	Tracking string `json:"tracking"`
	Reason   string `json:"reason"` // why it failed
}

// Orders takes orders.
//
//onefold:service
type Orders struct {
	stock    *stock.Stock
	shipping *shipping.Shipping
	invoices *invoice.Invoices
	mail     *mail.Outbox

	provider string            `onefold:"config"` // URL of the payment provider
	orders   map[string]Status // by the id of the workflow
}

// NewOrders returns an Orders over the services that do the work.
func NewOrders(s *stock.Stock, sh *shipping.Shipping, i *invoice.Invoices, m *mail.Outbox) *Orders {
	return &Orders{stock: s, shipping: sh, invoices: i, mail: m, provider: "http://127.0.0.1:9090", orders: map[string]Status{}}
}

// Fulfil takes one order to its end and returns the parcel's tracking number. Each call below is
// a step: it takes effect once, whatever crashes. If one of them fails, the deferred
// calls undo the steps before it, the last one first.
//
//onefold:workflow
func (o *Orders) Fulfil(ctx context.Context, order Order) (tracking string, err error) {
	id := onefold.ID(ctx)
	if err := o.Open(ctx, id, order); err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, o.Fail(ctx, id, err.Error()))
		}
	}()

	if err := o.stock.Reserve(ctx, id, order.Lines); err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, o.stock.Release(ctx, id))
		}
	}()

	receipt, err := o.pay(ctx, order)
	if err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, o.refund(ctx, receipt))
		}
	}()

	// The parcel and the invoice have nothing to do with each other.
	defer func() {
		if err != nil {
			err = errors.Join(err, o.invoices.Cancel(ctx, id))
		}
	}()
	g, branch := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		tracking, err = o.shipping.Deliver(branch, id, order.Address)
		return err
	})
	g.Go(func() error {
		_, err := o.invoices.Issue(branch, id, order.Customer, order.Cents)
		return err
	})
	if err := g.Wait(); err != nil {
		return "", err
	}
	return tracking, o.Complete(ctx, id, tracking)
}

// pay takes the money. The provider is outside, so if the process dies before the answer
// is recorded, it is asked again, with the same key.
func (o *Orders) pay(ctx context.Context, order Order) (receipt string, err error) {
	answer, err := onefold.Do(ctx, "pay", func(ctx context.Context, key string) (provider.Answer, error) {
		return provider.Pay(ctx, o.provider, key, provider.Payment{Card: order.Card, Cents: order.Cents})
	})
	if err != nil {
		return "", err
	}
	if answer.Declined != "" {
		return "", fmt.Errorf("%w: %s", ErrDeclined, answer.Declined)
	}
	return answer.Receipt, nil
}

// refund gives the money back.
func (o *Orders) refund(ctx context.Context, receipt string) error {
	_, err := onefold.Do(ctx, "refund", func(ctx context.Context, key string) (provider.Answer, error) {
		return provider.Refund(ctx, o.provider, key, receipt)
	})
	return err
}

// Open takes an order down.
func (o *Orders) Open(ctx context.Context, id string, order Order) error {
	if len(order.Lines) == 0 {
		return ErrEmpty
	}
	o.orders[id] = Status{Customer: order.Customer, State: "open"}
	return nil
}

// Complete notes that the parcel has left, and tells the customer: the letter is
// sent if, and only if, this request commits.
func (o *Orders) Complete(ctx context.Context, id, tracking string) error {
	status := o.orders[id]
	status.State, status.Tracking = "shipped", tracking
	o.orders[id] = status
	o.tell(ctx, status.Customer, "your order is on its way: "+tracking)
	return nil
}

// Fail notes that an order cannot be fulfilled, and tells the customer.
func (o *Orders) Fail(ctx context.Context, id, reason string) error {
	status := o.orders[id]
	status.State, status.Reason = "failed", reason
	o.orders[id] = status
	o.tell(ctx, status.Customer, "we are sorry: "+reason)
	return nil
}

func (o *Orders) tell(ctx context.Context, customer, text string) {
	onefold.Go(ctx, func(ctx context.Context) error { return o.mail.Send(ctx, customer, text) })
}

// Status returns how far an order has come, or ErrUnknown.
func (o *Orders) Status(ctx context.Context, id string) (Status, error) {
	status, ok := o.orders[id]
	if !ok {
		return Status{}, ErrUnknown
	}
	return status, nil
}
