// Package types has the types that the services of the shop share.
package types

import (
	"cmp"
	"slices"
	"time"
)

// A SKU names an article.
type SKU string

// Cents is an amount of money.
type Cents int64

// Slot is a place in a warehouse: aisle and shelf.
type Slot [2]uint8

// Place is where an article lies.
type Place struct {
	Warehouse int `json:"warehouse"`
	SKU       SKU `json:"sku"`
}

// Stamps tells when something was made and how often it changed. Other types embed it.
type Stamps struct {
	Created time.Time `json:"created"`
	Changes int       `json:"changes"`
}

// Touch notes a change.
func (s *Stamps) Touch() { s.Changes++ }

// Size is what an article measures.
type Size struct {
	Millimetres [3]int  `json:"millimetres"`
	Kilograms   float64 `json:"kilograms"`
}

// Item is an article of the catalogue.
type Item struct {
	Stamps
	SKU    SKU               `json:"sku"`
	Price  Cents             `json:"price"`
	Tags   []string          `json:"tags"`
	Size   Size              `json:"size"`
	Texts  map[string]string `json:"texts"` // descriptions by language
	Image  []byte            `json:"image,omitempty"`
	OnSale bool              `json:"onSale"`
	secret int               // what it cost us: stored, but in no reply
}

// SetCost notes what the item cost the shop.
func (i *Item) SetCost(cents int) { i.secret = cents }

// Margin returns what the shop earns with one.
func (i *Item) Margin() Cents { return i.Price - Cents(i.secret) }

// Line is an article in a cart or an order.
type Line struct {
	SKU   SKU   `json:"sku"`
	Count int   `json:"count"`
	Price Cents `json:"price"` // of one
}

// Sum adds up what f says of each element.
func Sum[E any, N ~int | ~int64 | ~float64](elems []E, f func(E) N) N {
	var sum N
	for _, e := range elems {
		sum += f(e)
	}
	return sum
}

// SortedKeys returns the keys of a map in order.
func SortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
