// Package fulfilment takes orders from the click to the parcel: a saga that reserves
// stock, takes the money at a payment provider outside, ships and writes the
// invoice, and undoes what it did when something cannot be done.
package fulfilment

//go:generate go run github.com/onefold/onefold/cmd/onefold generate ./...
