package fulfilment_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/onefold/onefold/onefoldtest"
	"github.com/onefold/onefold/testdata/apps/fulfilment/gen"
	"github.com/onefold/onefold/testdata/apps/fulfilment/invoice"
	"github.com/onefold/onefold/testdata/apps/fulfilment/mail"
	"github.com/onefold/onefold/testdata/apps/fulfilment/order"
	"github.com/onefold/onefold/testdata/apps/fulfilment/providertest"
	"github.com/onefold/onefold/testdata/apps/fulfilment/shipping"
	"github.com/onefold/onefold/testdata/apps/fulfilment/stock"
)

func app(t *testing.T) *onefoldtest.App {
	return onefoldtest.New(t, order.NewOrders, stock.NewStock, shipping.NewShipping, invoice.NewInvoices, mail.NewOutbox)
}

// fulfil returns the arguments of an order of pens at 250 cents.
func fulfil(address, card string, pens int) string {
	return fmt.Sprintf(`{"order":{"customer":"ann","address":%q,"card":%q,"cents":%d,"lines":[{"sku":"pen","count":%d}]}}`, address, card, 250*pens, pens)
}

func TestShipped(t *testing.T) {
	onefoldtest.Simulate(t, app(t), gen.App(), func(s *onefoldtest.Simulation) {
		p := providertest.Install(t)
		s.Call("Stock.Receive", `{"sku":"pen","count":5}`)
		begun := time.Now()
		flow := s.Start("Orders.Fulfil", fulfil("1 Main Street", "visa", 2))
		s.Expect(s.Call("Orders.Status", `{"id":"`+flow.ID()+`"}`), `{"customer":"ann","state":"open","tracking":"","reason":""}`)
		s.Expect(flow.Wait(), `"parcel-1"`)
		if d := time.Since(begun); d < shipping.Pickup {
			s.Errorf("shipped after %s, before the van came", d)
		}
		s.Expect(s.Call("Orders.Status", `{"id":"`+flow.ID()+`"}`), `{"customer":"ann","state":"shipped","tracking":"parcel-1","reason":""}`)
		s.Expect(s.Call("Stock.Free", `{"sku":"pen"}`), `3`)
		s.Expect(s.Call("Outbox.Letters", `{}`), `[{"to":"ann","text":"your order is on its way: parcel-1"}]`)
		if p.Paid() != 500 || len(p.Keys()) != 1 {
			s.Errorf("paid %d cents with keys %v, want 500 with one key", p.Paid(), p.Keys())
		}
	})
}

// Whatever an order fails of, nothing of it stays but the letter and the cancelled invoice.
func TestUndone(t *testing.T) {
	for _, tt := range []struct {
		name, args string
		want       string
	}{
		{"empty", `{"order":{"customer":"ann","address":"","card":"","cents":0,"lines":[]}}`, "order.ErrEmpty"},
		{"sold out", fulfil("1 Main Street", "visa", 6), "stock.ErrSoldOut"},
		{"declined", fulfil("1 Main Street", "stolen", 2), "order.ErrDeclined"},
		{"no address", fulfil("", "visa", 2), "shipping.ErrAddress"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			onefoldtest.Simulate(t, app(t), gen.App(), func(s *onefoldtest.Simulation) {
				p := providertest.Install(t)
				s.Call("Stock.Receive", `{"sku":"pen","count":5}`)
				if reply := s.Call("Orders.Fulfil", tt.args); !reply.Is(tt.want) {
					s.Errorf("got %s, want %s", reply.Detail, tt.want)
				}
				s.Expect(s.Call("Stock.Free", `{"sku":"pen"}`), `5`)
				if p.Paid() != 0 {
					s.Errorf("the provider keeps %d cents", p.Paid())
				}
			})
		})
	}
}

// A provider that answers the second time is asked twice, with one key.
func TestProviderIsDown(t *testing.T) {
	onefoldtest.Simulate(t, app(t), gen.App(), func(s *onefoldtest.Simulation) {
		p := providertest.Install(t)
		s.Call("Stock.Receive", `{"sku":"pen","count":5}`)
		p.Fail(1)
		s.Expect(s.Call("Orders.Fulfil", fulfil("1 Main Street", "visa", 1)), `"parcel-1"`)
		if p.Calls() != 2 || len(p.Keys()) != 1 {
			s.Errorf("%d calls with keys %v, want 2 with one key", p.Calls(), p.Keys())
		}
	})
}

// If the payment cannot be made at all, the order fails, and what was reserved is free again.
func TestPaymentFails(t *testing.T) {
	onefoldtest.Simulate(t, app(t), gen.App(), func(s *onefoldtest.Simulation) {
		s.Call("Stock.Receive", `{"sku":"pen","count":5}`)
		s.FailEffect("pay", errors.New("no route to host"))
		flow := s.Start("Orders.Fulfil", fulfil("1 Main Street", "visa", 1))
		flow.Wait()
		s.Expect(s.Call("Orders.Status", `{"id":"`+flow.ID()+`"}`), `{"customer":"ann","state":"failed","tracking":"","reason":"no route to host"}`)
		s.Expect(s.Call("Stock.Free", `{"sku":"pen"}`), `5`)
	})
}

// A process that dies between two steps, or right after the money was taken, does not show.
func TestCrashes(t *testing.T) {
	for _, step := range []string{"Stock.Reserve", "pay", "Shipping.Pack", "Orders.Complete"} {
		t.Run(step, func(t *testing.T) {
			onefoldtest.Simulate(t, app(t), gen.App(), func(s *onefoldtest.Simulation) {
				p := providertest.Install(t)
				s.Call("Stock.Receive", `{"sku":"pen","count":5}`)
				s.CrashBefore(step)
				s.CrashAfter("Invoices.Issue")
				s.Expect(s.Call("Orders.Fulfil", fulfil("1 Main Street", "visa", 2)), `"parcel-1"`)
				if p.Paid() != 500 || len(p.Keys()) != 1 {
					s.Errorf("paid %d cents with keys %v, want 500 with one key", p.Paid(), p.Keys())
				}
			})
		})
	}
}
