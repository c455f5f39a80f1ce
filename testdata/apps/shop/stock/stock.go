// Package stock knows where how many of which article lie.
package stock

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/onefold/onefold/testdata/apps/shop/types"
)

// ErrShort is wrapped by every *ShortageError.
var ErrShort = errors.New("stock: not enough of an article")

// A ShortageError says what is missing.
type ShortageError struct {
	SKU     types.SKU `json:"sku"`
	Missing int       `json:"missing"`
}

func (e *ShortageError) Error() string {
	return fmt.Sprintf("stock: %d of %s missing", e.Missing, e.SKU)
}

// Unwrap returns ErrShort.
func (e *ShortageError) Unwrap() error { return ErrShort }

// Pile is what lies in a slot.
type Pile struct {
	SKU   types.SKU `json:"sku"`
	Count int       `json:"count"`
}

// reservation is what an order has set aside.
type reservation struct {
	place types.Place
	count int
	notes []string
}

// totals are counted over all warehouses.
type totals struct {
	in, out int
	balance [2]int // reservations made, and undone
}

// Stock keeps piles and reservations.
//
//onefold:service
type Stock struct {
	totals
	mu       sync.Mutex
	piles    map[types.Slot]Pile
	counts   map[types.Place]int
	reserved map[int]*reservation
	moves    []Pile
	last     int
	seasons  map[int8]float32 // factor by month
}

// NewStock returns an empty Stock.
func NewStock() *Stock {
	s := &Stock{
		piles:    map[types.Slot]Pile{},
		counts:   map[types.Place]int{},
		reserved: map[int]*reservation{},
		seasons:  map[int8]float32{12: 1.5},
	}
	s.balance[0] = 0
	return s
}

// Receive puts articles into a slot of a warehouse. What lies there of another
// article is thrown away.
func (s *Stock) Receive(ctx context.Context, warehouse int, slot types.Slot, sku types.SKU, count int) (Pile, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	pile := s.piles[slot]
	if pile.SKU != sku {
		pile = Pile{SKU: sku}
	}
	pile.Count += count
	s.piles[slot] = pile
	s.counts[types.Place{Warehouse: warehouse, SKU: sku}] += count
	s.moves = append(s.moves, Pile{SKU: sku, Count: count})
	s.in += count
	return pile, nil
}

// Available returns how many of an article a warehouse has.
func (s *Stock) Available(ctx context.Context, place types.Place) (int, error) {
	return s.counts[place], nil
}

// Reserve sets articles aside and returns the number of the reservation. The
// error is a *ShortageError where there are not enough.
func (s *Stock) Reserve(ctx context.Context, place types.Place, count int) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[place] -= count
	if left := s.counts[place]; left < 0 {
		return 0, &ShortageError{SKU: place.SKU, Missing: -left}
	}
	if s.counts[place] == 0 {
		delete(s.counts, place)
	}
	s.last++
	s.reserved[s.last] = &reservation{place: place, count: count, notes: []string{"new"}}
	s.totals.balance[0]++
	s.out += count
	return s.last, nil
}

// Note adds a note to a reservation, or replaces note i where there is one.
func (s *Stock) Note(ctx context.Context, id, i int, note string) ([]string, error) {
	r, ok := s.reserved[id]
	if !ok {
		return nil, nil
	}
	if i < len(r.notes) {
		s.reserved[id].notes[i] = note // panics for a negative i
	} else {
		r.notes = append(r.notes, note)
	}
	return append([]string(nil), r.notes...), nil
}

// Release undoes a reservation. It reports whether there was one.
func (s *Stock) Release(ctx context.Context, id int) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.reserved[id]
	if !ok {
		return false, nil
	}
	delete(s.reserved, id)
	s.counts[r.place] += r.count
	s.balance[1] += 1
	s.out -= r.count
	return true, nil
}

// ReleaseAll undoes the reservations up to a number and returns how many those were.
func (s *Stock) ReleaseAll(ctx context.Context, upTo int) (released int, err error) {
	for id, r := range s.reserved {
		if id > upTo {
			continue
		}
		s.counts[r.place] += r.count
		delete(s.reserved, id)
		released++
	}
	if len(s.reserved) == 0 {
		clear(s.reserved)
	}
	return released, nil
}

// Correct overwrites the counts in the history of moves from index i on, and
// returns how many moves there are.
func (s *Stock) Correct(ctx context.Context, i int, counts []int) (int, error) {
	for j, n := range counts {
		if i+j == len(s.moves) {
			s.moves = append(s.moves, Pile{})
		}
		s.moves[i+j].Count = n
		s.moves[i+j].SKU += "*"
	}
	return len(s.moves), nil
}

// Undo forgets the last n moves; all of them where there are fewer.
func (s *Stock) Undo(ctx context.Context, n int) ([]Pile, error) {
	keep := max(len(s.moves)-max(n, 0), 0)
	undone := make([]Pile, len(s.moves)-keep)
	copy(undone, s.moves[keep:])
	s.moves = s.moves[:keep]
	return undone, nil
}

// Moved returns the sum of what was moved, by article.
func (s *Stock) Moved(ctx context.Context) (map[types.SKU]int, error) {
	moved := map[types.SKU]int{}
	for _, m := range s.moves {
		moved[m.SKU] += m.Count
	}
	return moved, nil
}

// Season sets the factor of a month and returns what it was.
func (s *Stock) Season(ctx context.Context, month int8, factor float32) (before float32, known bool, err error) {
	before, known = s.seasons[month]
	if factor == 0 {
		delete(s.seasons, month)
	} else {
		s.seasons[month] = factor
	}
	return before, known, nil
}

// Inventory returns what lies in the first n slots, and how many there are in use.
func (s *Stock) Inventory(ctx context.Context, n uint8) (piles []Pile, inUse int, err error) {
	piles = []Pile{}
	for aisle := range n {
		if pile, ok := s.piles[types.Slot{aisle, 0}]; ok {
			piles = append(piles, pile)
		}
	}
	return piles, len(s.piles), nil
}

// Clear empties the warehouses but not the books.
func (s *Stock) Clear(ctx context.Context) error {
	clear(s.piles)
	for place := range s.counts {
		s.counts[place] = 0
	}
	s.moves = nil
	return nil
}

// Totals returns what came in, what is set aside, and the reservations made and undone.
func (s *Stock) Totals(ctx context.Context) (in, out int, reservations [2]int, err error) {
	return s.in, s.out, s.balance, nil
}
