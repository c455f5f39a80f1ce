// Package audit writes down what happened to accounts.
package audit

import (
	"context"
	"time"
)

// Entry is one line of the log.
type Entry struct {
	At      time.Time     `json:"at"`
	Account string        `json:"account"`
	Cents   int64         `json:"cents"` // added; negative when taken
	Note    string        `json:"note"`
	Hold    time.Duration `json:"hold"` // how long the money is held back
}

// Log keeps entries, oldest first.
//
//onefold:service
type Log struct {
	entries []Entry
	perDay  map[int]int // entries by day since the start of the era
}

// NewLog returns an empty log.
func NewLog() *Log {
	return &Log{perDay: map[int]int{}}
}

// Record adds an entry with the present time and returns its number.
func (l *Log) Record(ctx context.Context, account string, cents int64, note string, hold time.Duration) (int, error) {
	now := time.Now().UTC()
	l.entries = append(l.entries, Entry{At: now, Account: account, Cents: cents, Note: note, Hold: hold})
	l.perDay[int(now.Unix()/86400)]++
	return len(l.entries), nil
}

// Of returns the entries of an account.
func (l *Log) Of(ctx context.Context, account string) ([]Entry, error) {
	entries := []Entry{}
	for _, e := range l.entries {
		if e.Account == account {
			entries = append(entries, e)
		}
	}
	return entries, nil
}

// Busiest returns the day with the most entries, the earliest such, and their number.
func (l *Log) Busiest(ctx context.Context) (day, entries int, err error) {
	for d, n := range l.perDay {
		if n > entries || n == entries && d < day {
			day, entries = d, n
		}
	}
	return day, entries, nil
}

// Trim forgets all but the first n entries.
func (l *Log) Trim(ctx context.Context, n int) error {
	if n >= 0 && n < len(l.entries) {
		l.entries = l.entries[:n]
	}
	return nil
}
