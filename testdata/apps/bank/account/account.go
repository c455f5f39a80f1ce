// Package account keeps the balances.
package account

import (
	"context"
	"errors"
	"fmt"

	"github.com/onefold/onefold/testdata/apps/bank/audit"
)

// Errors of the service.
var (
	ErrUnknown = errors.New("account: unknown account")
	ErrExists  = errors.New("account: account exists already")
	ErrFrozen  = errors.New("account: account is frozen")
)

// ErrInsufficient is wrapped by every *OverdraftError.
var ErrInsufficient = errors.New("account: insufficient funds")

// An OverdraftError says how much is missing for a withdrawal.
type OverdraftError struct {
	Account string `json:"account"`
	Missing int64  `json:"missing"` // cents
}

func (e *OverdraftError) Error() string {
	return fmt.Sprintf("account %s: %d cents missing", e.Account, e.Missing)
}

// Unwrap returns ErrInsufficient.
func (e *OverdraftError) Unwrap() error { return ErrInsufficient }

// account is what is known of one account.
type account struct {
	balance int64 // cents
	owner   string
	frozen  bool
}

// Accounts keeps the balances. Every change is in the audit log.
//
//onefold:service
type Accounts struct {
	log      *audit.Log
	accounts map[string]account
	total    int64 // cents in all accounts
}

// NewAccounts returns a bank without accounts that writes to log.
func NewAccounts(log *audit.Log) *Accounts {
	return &Accounts{log: log, accounts: map[string]account{}}
}

// Open makes an account.
func (a *Accounts) Open(ctx context.Context, id, owner string) error {
	if _, ok := a.accounts[id]; ok {
		return ErrExists
	}
	a.accounts[id] = account{owner: owner}
	return nil
}

// Deposit adds cents to an account and returns its balance.
func (a *Accounts) Deposit(ctx context.Context, id string, cents int64) (int64, error) {
	return a.change(ctx, id, cents, "deposit")
}

// Withdraw takes cents from an account and returns its balance. The error is a
// *OverdraftError where they are not there.
func (a *Accounts) Withdraw(ctx context.Context, id string, cents int64) (int64, error) {
	return a.change(ctx, id, -cents, "withdrawal")
}

// Freeze stops all changes of an account, or allows them again.
func (a *Accounts) Freeze(ctx context.Context, id string, frozen bool) error {
	acc, ok := a.accounts[id]
	if !ok {
		return ErrUnknown
	}
	acc.frozen = frozen
	a.accounts[id] = acc
	return nil
}

// Balance returns the cents in an account.
func (a *Accounts) Balance(ctx context.Context, id string) (int64, error) {
	acc, ok := a.accounts[id]
	if !ok {
		return 0, fmt.Errorf("balance of %q: %w", id, ErrUnknown)
	}
	return acc.balance, nil
}

// Total returns the cents in all accounts.
func (a *Accounts) Total(ctx context.Context) (int64, error) {
	return a.total, nil
}

// change adds cents to a balance and writes it down. It writes before it looks,
// so that refusing undoes something.
func (a *Accounts) change(ctx context.Context, id string, cents int64, note string) (int64, error) {
	acc, ok := a.accounts[id]
	if !ok {
		return 0, ErrUnknown
	}
	acc.balance += cents
	a.accounts[id] = acc
	a.total += cents
	if _, err := a.log.Record(ctx, id, cents, note, 0); err != nil {
		return 0, err
	}
	switch {
	case acc.frozen:
		return 0, fmt.Errorf("%s of %d: %w", note, cents, ErrFrozen)
	case acc.balance < 0:
		return 0, &OverdraftError{Account: id, Missing: -acc.balance}
	}
	return acc.balance, nil
}
