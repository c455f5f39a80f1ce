// Package shorten gives long addresses short names.
package shorten

import (
	"context"
	"errors"
	"strconv"
)

// ErrUnknown is returned for a short name that nobody was given.
var ErrUnknown = errors.New("shorten: unknown short name")

// Link is a long address with its short name.
type Link struct {
	Short string `json:"short"`
	Long  string `json:"long"`
}

// Shortener names addresses, and remembers.
//
//onefold:service
type Shortener struct {
	byLong  map[string]string // short names by address
	byShort map[string]string // addresses by short name
	next    uint64
	visits  map[string]int // lookups by short name
}

// NewShortener returns a Shortener that knows no addresses.
func NewShortener() *Shortener {
	return &Shortener{byLong: map[string]string{}, byShort: map[string]string{}, next: 36 * 36, visits: map[string]int{}}
}

// Shorten returns the short name of an address; an address gets only one.
func (s *Shortener) Shorten(ctx context.Context, url string) (string, error) {
	if short, ok := s.byLong[url]; ok {
		return short, nil
	}
	short := strconv.FormatUint(s.next, 36)
	s.next++
	s.byLong[url] = short
	s.byShort[short] = url
	return short, nil
}

// ShortenAll shortens addresses, in their order.
func (s *Shortener) ShortenAll(ctx context.Context, urls []string) ([]Link, error) {
	links := make([]Link, 0, len(urls))
	for _, url := range urls {
		short, err := s.Shorten(ctx, url)
		if err != nil {
			return nil, err
		}
		links = append(links, Link{Short: short, Long: url})
	}
	return links, nil
}

// Resolve returns the address behind a short name and counts the visit.
func (s *Shortener) Resolve(ctx context.Context, short string) (string, error) {
	long, ok := s.byShort[short]
	if !ok {
		return "", ErrUnknown
	}
	s.visits[short]++
	return long, nil
}

// Visits returns how often a short name was resolved.
func (s *Shortener) Visits(ctx context.Context, short string) (int, error) {
	return s.visits[short], nil
}

// Forget removes an address and its short name.
func (s *Shortener) Forget(ctx context.Context, url string) error {
	short, ok := s.byLong[url]
	if !ok {
		return nil
	}
	delete(s.byLong, url)
	delete(s.byShort, short)
	delete(s.visits, short)
	return nil
}
