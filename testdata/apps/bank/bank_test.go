package bank_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold/onefoldtest"
	"github.com/onefold/onefold/testdata/apps/bank/account"
	"github.com/onefold/onefold/testdata/apps/bank/audit"
	"github.com/onefold/onefold/testdata/apps/bank/teller"
)

// open returns a bank where ann has 100 cents and bob none.
func open(t *testing.T) (*onefoldtest.App, *teller.Teller, *account.Accounts) {
	app := onefoldtest.New(t, teller.NewTeller, account.NewAccounts, audit.NewLog)
	accounts := onefoldtest.Get[account.Accounts](app)
	ctx := t.Context()
	err := errors.Join(accounts.Open(ctx, "ann", "Ann"), accounts.Open(ctx, "bob", "Bob"))
	if err == nil {
		_, err = accounts.Deposit(ctx, "ann", 100)
	}
	if err != nil {
		t.Fatal(err)
	}
	return app, onefoldtest.Get[teller.Teller](app), accounts
}

func expectBalances(t *testing.T, accounts *account.Accounts, want map[string]int64) {
	t.Helper()
	got := map[string]int64{}
	for id := range want {
		got[id], _ = accounts.Balance(t.Context(), id)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("balances (-want +got):\n%s", diff)
	}
}

func TestTransfer(t *testing.T) {
	app, front, accounts := open(t)
	transfer := func(from, to string, cents int64) error {
		return onefoldtest.Call(app, func(ctx context.Context) error { return front.Transfer(ctx, from, to, cents) })
	}
	if err := transfer("ann", "bob", 30); err != nil {
		t.Error(err)
	}
	err := transfer("ann", "bob", 90)
	var overdraft *account.OverdraftError
	if !errors.As(err, &overdraft) || overdraft.Missing != 20 || !errors.Is(err, account.ErrInsufficient) {
		t.Errorf("transfer of too much: %v, want an overdraft of 20", err)
	}
	if err := transfer("ann", "zoe", 1); !errors.Is(err, account.ErrUnknown) {
		t.Errorf("transfer to nobody: %v, want ErrUnknown", err)
	}
	if err := transfer("ann", "bob", 0); !errors.Is(err, teller.ErrAmount) {
		t.Errorf("transfer of nothing: %v, want ErrAmount", err)
	}
	expectBalances(t, accounts, map[string]int64{"ann": 70, "bob": 30})
	if err := front.Audit(t.Context(), []string{"ann", "bob"}); err != nil {
		t.Error(err)
	}
}

func TestBatch(t *testing.T) {
	_, front, accounts := open(t)
	transfers := []teller.Transfer{{From: "ann", To: "bob", Cents: 60}, {From: "ann", To: "bob", Cents: 60}, {From: "bob", To: "ann", Cents: 10}}
	got, err := front.Batch(t.Context(), transfers, false)
	if err != nil {
		t.Fatal(err)
	}
	want := []teller.Outcome{{Done: true}, {Reason: "overdraft", Missing: 20}, {Done: true}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	expectBalances(t, accounts, map[string]int64{"ann": 50, "bob": 50})

	if got, err = front.Batch(t.Context(), transfers, true); err != nil || len(got) != 1 || got[0].Done {
		t.Errorf("strict batch: %v, %v; want one refusal", got, err)
	}
	expectBalances(t, accounts, map[string]int64{"ann": 50, "bob": 50})
	done, failed, _ := front.Statistics(t.Context())
	if diff := cmp.Diff(map[string]int{"ann": 1}, failed); done != 2 || diff != "" {
		t.Errorf("%d transfers done, want 2; failed (-want +got):\n%s", done, diff)
	}
}
