// Package invoice writes invoices, whose numbers have no gaps.
package invoice

import "context"

// Invoice is one invoice. Once written it can be cancelled, but not be removed.
type Invoice struct {
	Order     string `json:"order"`
	Customer  string `json:"customer"`
	Cents     int    `json:"cents"`
	Cancelled bool   `json:"cancelled"`
}

// Invoices is the book of all invoices.
//
//onefold:service
type Invoices struct {
	book []Invoice // number 1 first
}

// NewInvoices returns an empty book.
func NewInvoices() *Invoices { return &Invoices{} }

// Issue writes an invoice and returns its number.
func (i *Invoices) Issue(ctx context.Context, orderID, customer string, cents int) (number int, err error) {
	i.book = append(i.book, Invoice{Order: orderID, Customer: customer, Cents: cents})
	return len(i.book), nil
}

// Cancel cancels the invoices of an order, if there are any.
func (i *Invoices) Cancel(ctx context.Context, orderID string) error {
	for n, inv := range i.book {
		if inv.Order == orderID {
			i.book[n].Cancelled = true
		}
	}
	return nil
}

// All returns all invoices.
func (i *Invoices) All(ctx context.Context) ([]Invoice, error) { return i.book, nil }
