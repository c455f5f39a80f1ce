// Package teller moves money between accounts.
package teller

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/onefold/onefold"
	"github.com/onefold/onefold/testdata/apps/bank/account"
	"github.com/onefold/onefold/testdata/apps/bank/audit"
)

// ErrAmount is returned for amounts that cannot be moved.
var ErrAmount = errors.New("teller: amount must be positive")

// Transfer is an order to move money.
type Transfer struct {
	From  string `json:"from"`
	To    string `json:"to"`
	Cents int64  `json:"cents"`
}

// Outcome is what became of a transfer.
type Outcome struct {
	Done    bool   `json:"done"`
	Reason  string `json:"reason,omitempty"`  // why it was not done
	Missing int64  `json:"missing,omitempty"` // cents that were missing
}

// Teller moves money.
//
//onefold:service
type Teller struct {
	accounts *account.Accounts
	log      *audit.Log
	done     int
	failed   map[string]int // failed transfers by the account they were from
}

// NewTeller returns a Teller over accounts and their log.
func NewTeller(a *account.Accounts, l *audit.Log) *Teller {
	return &Teller{accounts: a, log: l, failed: map[string]int{}}
}

// Transfer moves money, all or nothing.
func (t *Teller) Transfer(ctx context.Context, from, to string, cents int64) error {
	if cents <= 0 {
		return ErrAmount
	}
	if _, err := t.accounts.Deposit(ctx, to, cents); err != nil {
		return fmt.Errorf("transfer to %s: %w", to, err)
	}
	if _, err := t.accounts.Withdraw(ctx, from, cents); err != nil {
		return fmt.Errorf("transfer from %s: %w", from, err)
	}
	t.done++
	return nil
}

// Batch does those of the transfers that can be done, in order, and says what
// became of each. With strict set, all of them are done or none.
func (t *Teller) Batch(ctx context.Context, transfers []Transfer, strict bool) ([]Outcome, error) {
	outcomes := make([]Outcome, 0, len(transfers))
	err := onefold.Tx(ctx, t, func(ctx context.Context) error {
		for _, order := range transfers {
			outcome, err := t.try(ctx, order)
			if err != nil {
				return err
			}
			if strict && !outcome.Done {
				return fmt.Errorf("transfer from %s: %w", order.From, account.ErrInsufficient)
			}
			outcomes = append(outcomes, outcome)
		}
		return nil
	})
	if errors.Is(err, account.ErrInsufficient) {
		return []Outcome{{Reason: err.Error()}}, nil
	}
	return outcomes, err
}

// try does one transfer, or undoes it and says why.
func (t *Teller) try(ctx context.Context, order Transfer) (Outcome, error) {
	err := onefold.Tx(ctx, t, func(ctx context.Context) error {
		return t.Transfer(ctx, order.From, order.To, order.Cents)
	})
	if err == nil {
		return Outcome{Done: true}, nil
	}
	t.failed[order.From]++
	if _, err := t.log.Record(ctx, order.From, 0, "refused", time.Minute); err != nil {
		return Outcome{}, err
	}
	var overdraft *account.OverdraftError
	if errors.As(err, &overdraft) {
		return Outcome{Reason: "overdraft", Missing: overdraft.Missing}, nil
	}
	return Outcome{Reason: err.Error()}, nil
}

// Statistics returns how many transfers were done, and how many failed by account.
func (t *Teller) Statistics(ctx context.Context) (done int, failed map[string]int, err error) {
	return t.done, t.failed, nil
}

// Audit returns an error that names the first account where the log and the
// balance differ, and panics for an account that the log knows and nobody opened.
func (t *Teller) Audit(ctx context.Context, accounts []string) error {
	for _, id := range accounts {
		entries, err := t.log.Of(ctx, id)
		if err != nil {
			return err
		}
		var sum int64
		for _, e := range entries {
			sum += e.Cents
		}
		balance, err := t.accounts.Balance(ctx, id)
		if errors.Is(err, account.ErrUnknown) && len(entries) > 0 {
			panic("teller: log of an unknown account " + id)
		}
		if err != nil {
			return err
		}
		if sum != balance {
			return fmt.Errorf("account %s: balance %d, log says %d", id, balance, sum)
		}
	}
	return nil
}
