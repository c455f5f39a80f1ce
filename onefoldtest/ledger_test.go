package onefoldtest

import (
	"context"
	"errors"
	"fmt"

	"github.com/onefold/onefold"
	"github.com/onefold/onefold/runtime"
	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/codec"
	"github.com/onefold/onefold/runtime/state"
)

// The suites are tested on an application that is compiled by hand, so that they
// do not depend on the compiler: Ledger is the spec, lowered what becomes of it.

var errMuch = errors.New("ledger: too much")

// Ledger has a method for every part of the protocol.
type Ledger struct {
	balances map[string]int
	refused  map[string]int // the balance that Try gave up on
	seats    map[string]bool
	hits     int
	last     string
	joint    int
}

func newLedger() *Ledger {
	return &Ledger{balances: map[string]int{}, refused: map[string]int{}, seats: map[string]bool{}}
}

// Deposit reads two entries and writes one, and fails after it did.
func (l *Ledger) Deposit(ctx context.Context, who string, n int) (balance, refused int, err error) {
	l.balances[who] += n
	if l.balances[who] > 9 {
		return 0, 0, fmt.Errorf("deposit: %w", errMuch)
	}
	return l.balances[who], l.refused[who], nil
}

// Hit is a blind update.
func (l *Ledger) Hit(ctx context.Context) error {
	l.hits++
	return nil
}

// Claim depends on there being few keys: on what is not there.
func (l *Ledger) Claim(ctx context.Context, who string) (bool, error) {
	taken := 0
	for range l.seats {
		taken++
	}
	if taken >= 2 {
		return false, nil
	}
	l.seats[who] = true
	return true, nil
}

// Leave gives a seat back.
func (l *Ledger) Leave(ctx context.Context, who string) error {
	delete(l.seats, who)
	return nil
}

// Try reads a balance, undoes what it did, and lets nothing but the outcome show it.
func (l *Ledger) Try(ctx context.Context, who string, n int) (int, error) {
	seen := 0
	err := onefold.Tx(ctx, l, func(context.Context) error {
		seen = l.balances[who]
		l.balances[who] = seen + n
		return errMuch
	})
	if errors.Is(err, errMuch) {
		l.refused[who] = seen + 1
	}
	return seen, nil
}

// Both runs two branches that read and write the same; here in the order in
// which the compiled ones must take effect.
func (l *Ledger) Both(ctx context.Context, who string) (int, error) {
	l.joint++
	l.last = who + "first"
	l.joint++
	l.last = who + "second"
	return l.joint, nil
}

// Race runs two branches that write the same and read nothing; in order, as above.
func (l *Ledger) Race(ctx context.Context, who string) error {
	l.last = who + "first"
	l.last = who + "second"
	return nil
}

// Sum only reads.
func (l *Ledger) Sum(ctx context.Context) (int, error) {
	sum := l.hits + l.joint
	for _, n := range l.balances {
		sum += n
	}
	return sum, nil
}

// flip is the coin of the method Flip, which the spec does not have: whether an
// attempt writes depends on nothing that it reads.
var flip func() bool

// lowered is Ledger in one transaction.
type lowered struct {
	tx       *atomic.Tx
	balances state.Map[string, int]
	refused  state.Map[string, int]
	seats    state.Map[string, bool]
	hits     state.Value[int]
	last     state.Value[string]
	joint    state.Value[int]
}

var (
	ledgerKey      = atomic.NewKey("Ledger")
	ledgerBalances = state.NewMap("Ledger", "balances", codec.StringKey, codec.Int)
	ledgerRefused  = state.NewMap("Ledger", "refused", codec.StringKey, codec.Int)
	ledgerSeats    = state.NewMap("Ledger", "seats", codec.StringKey, codec.Bool)
	ledgerHits     = state.NewValue("Ledger", "hits", codec.Int)
	ledgerLast     = state.NewValue("Ledger", "last", codec.String)
	ledgerJoint    = state.NewValue("Ledger", "joint", codec.Int)
)

func bindLedger(tx *atomic.Tx) *lowered {
	return atomic.Bind(tx, ledgerKey, func(tx *atomic.Tx) *lowered {
		return &lowered{tx: tx, balances: ledgerBalances.In(tx), refused: ledgerRefused.In(tx), seats: ledgerSeats.In(tx),
			hits: ledgerHits.In(tx), last: ledgerLast.In(tx), joint: ledgerJoint.In(tx)}
	})
}

func (l *lowered) deposit(ctx context.Context, who string, n int) (balance, refused int, err error) {
	*l.balances.Ref(who) += n
	if l.balances.Get(who) > 9 {
		return 0, 0, fmt.Errorf("deposit: %w", errMuch)
	}
	return l.balances.Get(who), l.refused.Get(who), nil
}

func (l *lowered) claim(ctx context.Context, who string) (bool, error) {
	taken := 0
	for range l.seats.Keys() {
		taken++
	}
	if taken >= 2 {
		return false, nil
	}
	l.seats.Set(who, true)
	return true, nil
}

func (l *lowered) try(ctx context.Context, who string, n int) (int, error) {
	seen := 0
	err := l.tx.Savepoint(ctx, func(context.Context) error {
		seen = l.balances.Get(who)
		l.balances.Set(who, seen+n)
		return errMuch
	})
	if errors.Is(err, errMuch) {
		l.refused.Set(who, seen+1)
	}
	return seen, nil
}

func (l *lowered) both(ctx context.Context, who string) (int, error) {
	g := atomic.NewGroup(l.tx, bindLedger)
	for _, name := range []string{"first", "second"} {
		g.Go(func(l *lowered) error {
			l.joint.Set(l.joint.Get() + 1)
			l.last.Set(who + name)
			return nil
		})
	}
	err := g.Wait()
	return l.joint.Get(), err
}

func (l *lowered) race(ctx context.Context, who string) error {
	g := atomic.NewGroup(l.tx, bindLedger)
	for _, name := range []string{"first", "second"} {
		g.Go(func(l *lowered) error {
			l.last.Set(who + name)
			return nil
		})
	}
	return g.Wait()
}

func (l *lowered) sum(ctx context.Context) (int, error) {
	sum := l.hits.Get() + l.joint.Get()
	for _, n := range l.balances.All() {
		sum += n
	}
	return sum, nil
}

// compiledLedger describes the application.
func compiledLedger() *runtime.App {
	type handler = func(ctx context.Context, l *lowered, who string, n int) (reply any, err error)
	method := func(name string, kind runtime.Kind, params []string, handle handler) *runtime.Method {
		return &runtime.Method{Name: name, Kind: kind, Params: params, Call: func(ctx context.Context, tx *atomic.Tx, in *codec.Args, out []byte) ([]byte, error) {
			var who string
			var n int
			for _, p := range params {
				if p == "who" {
					who = codec.Arg(in, "who", codec.String)
				} else {
					n = codec.Arg(in, "n", codec.Int)
				}
			}
			if err := in.Err(); err != nil {
				return nil, err
			}
			reply, err := handle(ctx, bindLedger(tx), who, n)
			if err != nil {
				return nil, err
			}
			return fmt.Append(out, reply), nil
		}}
	}
	return &runtime.App{Name: "ledger", Services: []*runtime.Service{{
		Name: "Ledger",
		Methods: []*runtime.Method{
			method("Deposit", runtime.Atomic, []string{"who", "n"}, func(ctx context.Context, l *lowered, who string, n int) (any, error) {
				balance, refused, err := l.deposit(ctx, who, n)
				return fmt.Sprintf(`{"balance":%d,"refused":%d}`, balance, refused), err
			}),
			method("Hit", runtime.Atomic, nil, func(ctx context.Context, l *lowered, who string, n int) (any, error) {
				l.hits.Add(1)
				return "null", nil
			}),
			method("Claim", runtime.Atomic, []string{"who"}, func(ctx context.Context, l *lowered, who string, n int) (any, error) {
				return l.claim(ctx, who)
			}),
			method("Leave", runtime.Atomic, []string{"who"}, func(ctx context.Context, l *lowered, who string, n int) (any, error) {
				l.seats.Delete(who)
				return "null", nil
			}),
			method("Try", runtime.Atomic, []string{"who", "n"}, func(ctx context.Context, l *lowered, who string, n int) (any, error) {
				return l.try(ctx, who, n)
			}),
			method("Both", runtime.Atomic, []string{"who"}, func(ctx context.Context, l *lowered, who string, n int) (any, error) {
				return l.both(ctx, who)
			}),
			method("Race", runtime.Atomic, []string{"who"}, func(ctx context.Context, l *lowered, who string, n int) (any, error) {
				return "null", l.race(ctx, who)
			}),
			method("Flip", runtime.Atomic, nil, func(ctx context.Context, l *lowered, who string, n int) (any, error) {
				heads := flip()
				if heads {
					l.hits.Add(1)
				}
				return heads, nil
			}),
			method("Sum", runtime.ReadOnly, nil, func(ctx context.Context, l *lowered, who string, n int) (any, error) {
				return l.sum(ctx)
			}),
		},
		Fields:    []runtime.Field{ledgerBalances, ledgerRefused, ledgerSeats, ledgerHits, ledgerLast, ledgerJoint},
		Sentinels: []runtime.Sentinel{{Name: "ledger.ErrMuch", Err: errMuch}},
		Reach:     []string{"Ledger"},
		Init: func(tx *atomic.Tx) {
			l := newLedger()
			ledgerBalances.Init(tx, l.balances)
			ledgerRefused.Init(tx, l.refused)
			ledgerSeats.Init(tx, l.seats)
			ledgerHits.Init(tx, l.hits)
			ledgerLast.Init(tx, l.last)
			ledgerJoint.Init(tx, l.joint)
		},
	}}}
}
