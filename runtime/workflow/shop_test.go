package workflow_test

// The services of the tests, as the compiler would write them: what is called
// generated here is the shape of the code that it emits.

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/onefold/onefold/runtime"
	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/codec"
	"github.com/onefold/onefold/runtime/state"
	"github.com/onefold/onefold/runtime/workflow"
)

// ---- Ledger: the rewritten specification ----

var ErrEmpty = errors.New("shop: account is empty")

// A LimitError says how much is missing.
type LimitError struct {
	Account string
	Missing int
}

func (e *LimitError) Error() string { return fmt.Sprintf("%s lacks %d", e.Account, e.Missing) }
func (e *LimitError) Unwrap() error { return ErrEmpty }

// Ledger keeps accounts that cannot be overdrawn.
type Ledger struct {
	tx       *atomic.Tx
	accounts state.Map[string, int]
	lines    state.Slice[string]
}

// Add adds n to an account and returns what is in it then.
func (l *Ledger) Add(ctx context.Context, account string, n int) (int, error) {
	have := l.accounts.Get(account) + n
	if have < 0 && account == "empty" {
		return 0, ErrEmpty
	}
	if have < 0 {
		return 0, fmt.Errorf("add: %w", &LimitError{account, -have})
	}
	l.accounts.Set(account, have)
	return have, nil
}

// Balance returns what is in an account.
func (l *Ledger) Balance(ctx context.Context, account string) (int, error) {
	return l.accounts.Get(account), nil
}

// Note writes a line, and panics about "panic".
func (l *Ledger) Note(ctx context.Context, line string) error {
	if line == "panic" {
		panic("cannot note that")
	}
	if line == "refuse" {
		return ErrEmpty
	}
	l.lines.Append(line)
	return nil
}

// NoteLater notes a line some time later, and refuses "refuse".
func (l *Ledger) NoteLater(ctx context.Context, line string) error {
	workflow.GoTx(l.tx, ledgerNoteMethod, ledgerNoteArgs{line})
	if line == "refuse" {
		return ErrEmpty
	}
	return nil
}

// ---- Ledger: generated ----

var (
	ledgerAccounts = state.NewMap("Ledger", "accounts", codec.StringKey, codec.Int)
	ledgerLines    = state.NewSlice("Ledger", "lines", codec.String)
	ledgerKey      = atomic.NewKey("Ledger")
)

func bindLedger(tx *atomic.Tx) *Ledger {
	return atomic.Bind(tx, ledgerKey, func(tx *atomic.Tx) *Ledger {
		return &Ledger{tx: tx, accounts: ledgerAccounts.In(tx), lines: ledgerLines.In(tx)}
	})
}

func initLedger(tx *atomic.Tx) {
	ledgerAccounts.Init(tx, map[string]int{"stock": 5, "empty": 0})
	ledgerLines.Init(tx, nil)
}

// LedgerClient calls Ledger: inside the caller's request, or as a step of a workflow.
type LedgerClient struct {
	tx  *atomic.Tx
	run *workflow.Run
}

func (c *LedgerClient) Add(ctx context.Context, account string, n int) (int, error) {
	if c.run != nil {
		return workflow.Step(ctx, c.run, ledgerAddMethod, ledgerAddArgs{account, n})
	}
	return bindLedger(c.tx).Add(ctx, account, n)
}

func (c *LedgerClient) Balance(ctx context.Context, account string) (int, error) {
	if c.run != nil {
		return workflow.Step(ctx, c.run, ledgerBalanceMethod, ledgerBalanceArgs{account})
	}
	return bindLedger(c.tx).Balance(ctx, account)
}

func (c *LedgerClient) Note(ctx context.Context, line string) error {
	if c.run != nil {
		_, err := workflow.Step(ctx, c.run, ledgerNoteMethod, ledgerNoteArgs{line})
		return err
	}
	return bindLedger(c.tx).Note(ctx, line)
}

func (c *LedgerClient) NoteLater(ctx context.Context, line string) error {
	if c.run != nil {
		_, err := workflow.Step(ctx, c.run, ledgerNoteLaterMethod, ledgerNoteArgs{line})
		return err
	}
	return bindLedger(c.tx).NoteLater(ctx, line)
}

type ledgerAddArgs struct {
	account string
	n       int
}

type ledgerBalanceArgs struct{ account string }

type ledgerNoteArgs struct{ line string }

var ledgerAddMethod = &workflow.Target[ledgerAddArgs, int]{
	Name: "Ledger.Add", Args: ledgerAddArgsCodec, Result: codec.Int,
	Call: func(ctx context.Context, tx *atomic.Tx, a ledgerAddArgs) (int, error) {
		return bindLedger(tx).Add(ctx, a.account, a.n)
	},
}

var ledgerBalanceMethod = &workflow.Target[ledgerBalanceArgs, int]{
	Name: "Ledger.Balance", Args: ledgerBalanceArgsCodec, Result: codec.Int,
	Call: func(ctx context.Context, tx *atomic.Tx, a ledgerBalanceArgs) (int, error) {
		return bindLedger(tx).Balance(ctx, a.account)
	},
}

var ledgerNoteMethod = &workflow.Target[ledgerNoteArgs, struct{}]{
	Name: "Ledger.Note", Args: ledgerNoteArgsCodec, Result: workflow.Nothing,
	Call: func(ctx context.Context, tx *atomic.Tx, a ledgerNoteArgs) (struct{}, error) {
		return struct{}{}, bindLedger(tx).Note(ctx, a.line)
	},
}

var ledgerNoteLaterMethod = &workflow.Target[ledgerNoteArgs, struct{}]{
	Name: "Ledger.NoteLater", Args: ledgerNoteArgsCodec, Result: workflow.Nothing,
	Call: func(ctx context.Context, tx *atomic.Tx, a ledgerNoteArgs) (struct{}, error) {
		return struct{}{}, bindLedger(tx).NoteLater(ctx, a.line)
	},
}

var ledgerAddArgsCodec = codec.Type[ledgerAddArgs]{Encode: encodeLedgerAddArgs, Decode: decodeLedgerAddArgs}

func encodeLedgerAddArgs(e *codec.Encoder, v *ledgerAddArgs) {
	s := e.Struct(2)
	s.Field("n")
	codec.EncodeInt(e, &v.n)
	s.Field("account")
	codec.EncodeString(e, &v.account)
	s.End()
}

func decodeLedgerAddArgs(d *codec.Decoder, v *ledgerAddArgs) {
	for s := d.Struct(2); s.Next(); {
		switch string(s.Name) {
		case "n":
			codec.DecodeInt(d, &v.n)
		case "account":
			codec.DecodeString(d, &v.account)
		default:
			s.Unknown()
		}
	}
}

var ledgerBalanceArgsCodec = oneString("account", func(v *ledgerBalanceArgs) *string { return &v.account })
var ledgerNoteArgsCodec = oneString("line", func(v *ledgerNoteArgs) *string { return &v.line })

// oneString is the codec of a struct with one string, which generated code would spell out.
func oneString[T any](name string, field func(*T) *string) codec.Type[T] {
	return codec.Type[T]{
		Encode: func(e *codec.Encoder, v *T) {
			s := e.Struct(1)
			s.Field(name)
			codec.EncodeString(e, field(v))
			s.End()
		},
		Decode: func(d *codec.Decoder, v *T) {
			for s := d.Struct(1); s.Next(); {
				if string(s.Name) == name {
					codec.DecodeString(d, field(v))
				} else {
					s.Unknown()
				}
			}
		},
	}
}

var limitErrorCodec = codec.Type[*LimitError]{
	Encode: func(e *codec.Encoder, v **LimitError) { codec.EncodePointer(e, v, encodeLimitError) },
	Decode: func(d *codec.Decoder, v **LimitError) { codec.DecodePointer(d, v, decodeLimitError) },
}

func encodeLimitError(e *codec.Encoder, v *LimitError) {
	s := e.Struct(2)
	s.Field("Account")
	codec.EncodeString(e, &v.Account)
	s.Field("Missing")
	codec.EncodeInt(e, &v.Missing)
	s.End()
}

func decodeLimitError(d *codec.Decoder, v *LimitError) {
	for s := d.Struct(2); s.Next(); {
		switch string(s.Name) {
		case "Account":
			codec.DecodeString(d, &v.Account)
		case "Missing":
			codec.DecodeInt(d, &v.Missing)
		default:
			s.Unknown()
		}
	}
}

// ---- Shop: the rewritten specification; its methods are workflows ----

// world is what the effects of workflows reach; a real service has an HTTP client there.
type world interface {
	effect(ctx context.Context, name, key string) (string, error)
}

// Shop sells what is in stock.
type Shop struct {
	run    *workflow.Run
	ledger *LedgerClient
	world  world
}

// Sell sells one piece: it takes it out of stock, charges, and puts it back if that fails.
func (s *Shop) Sell(ctx context.Context, order string) (receipt string, err error) {
	left, err := s.ledger.Add(ctx, "stock", -1)
	if err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			if _, again := s.ledger.Add(ctx, "stock", 1); again != nil {
				err = again
			}
		}
	}()
	receipt, err = workflow.Do(ctx, s.run, "charge", codec.String, func(ctx context.Context, key string) (string, error) {
		return s.world.effect(ctx, "charge "+order, key)
	})
	if err != nil {
		return "", fmt.Errorf("charge: %w", err)
	}
	if err := s.ledger.Note(ctx, fmt.Sprintf("%s sold, %d left", order, left)); err != nil {
		return "", err
	}
	return receipt, nil
}

// Onboard waits two days, then a day for an approval.
func (s *Shop) Onboard(ctx context.Context, user string) (string, error) {
	if err := s.ledger.Note(ctx, "hello "+user); err != nil {
		return "", err
	}
	begun := s.run.Now()
	s.run.Sleep(48 * time.Hour)
	if waited := s.run.Since(begun); waited < 48*time.Hour {
		return "", fmt.Errorf("waited only %s", waited)
	}
	by, ok, err := workflow.Await(ctx, s.run, "approve", 24*time.Hour, codec.String)
	if err != nil {
		return "", err
	}
	if !ok {
		return "forgotten", s.ledger.Note(ctx, "nobody approved "+user)
	}
	if err := s.ledger.Note(ctx, by+" approved "+user); err != nil {
		return "", err
	}
	return by, nil
}

// Fan runs branches with steps, sleeps and effects in parallel, and then a last step.
func (s *Shop) Fan(ctx context.Context, name string) (string, error) {
	g, ctx := workflow.WithContext(ctx, s.run, bindShop(s.world))
	var sums [3]int
	for i := range sums {
		g.Go(func(s *Shop) (err error) {
			account := fmt.Sprintf("%s%d", name, i)
			if sums[i], err = s.ledger.Add(ctx, account, i+1); err != nil {
				return err
			}
			s.run.Sleep(time.Duration(i) * time.Hour)
			_, err = workflow.Do(ctx, s.run, "fan", codec.String, func(ctx context.Context, key string) (string, error) {
				return s.world.effect(ctx, "fan "+account, key)
			})
			if err != nil {
				return err
			}
			sums[i], err = s.ledger.Add(ctx, account, 10)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return "", err
	}
	return fmt.Sprint(sums), s.ledger.Note(ctx, fmt.Sprint(name, sums))
}

// Bulk sells twice by children and tells about it by message.
func (s *Shop) Bulk(ctx context.Context, name string) (string, error) {
	first, err := workflow.Child(ctx, s.run, s.sell(), shopArgs{name + "1"})
	if err != nil {
		return "", err
	}
	workflow.Go(ctx, s.run, ledgerNoteMethod, ledgerNoteArgs{"bulk " + name})
	second, err := workflow.Child(ctx, s.run, s.sell(), shopArgs{name + "2"})
	if err != nil {
		return "", err
	}
	if err := s.ledger.NoteLater(ctx, "later "+name); err != nil {
		return "", err
	}
	return first + " " + second, nil
}

// Count takes ten steps that do nothing else, Once takes one.
func (s *Shop) Count(ctx context.Context, name string) (string, error) { return s.count(ctx, name, 10) }
func (s *Shop) Once(ctx context.Context, name string) (string, error)  { return s.count(ctx, name, 1) }

func (s *Shop) count(ctx context.Context, name string, steps int) (string, error) {
	sum := 0
	for range steps {
		n, err := s.ledger.Add(ctx, name, 1)
		if err != nil {
			return "", err
		}
		sum += n
	}
	return fmt.Sprint(sum), nil
}

// ---- Shop: generated ----

func bindShop(w world) func(run *workflow.Run) *Shop {
	return func(run *workflow.Run) *Shop { return &Shop{run: run, ledger: &LedgerClient{run: run}, world: w} }
}

type shopArgs struct{ name string }

var shopArgsCodec = oneString("name", func(v *shopArgs) *string { return &v.name })

func parseShopArgs(in *codec.Args) shopArgs {
	return shopArgs{name: codec.Arg(in, "name", codec.String)}
}

// shopMethod is the definition of a workflow of Shop. Generated code has a variable
// for each; the tests have several worlds.
func shopMethod(w world, name string, body func(s *Shop, ctx context.Context, name string) (string, error)) *workflow.Definition[shopArgs, string] {
	return &workflow.Definition[shopArgs, string]{
		Name: "Shop." + name, Code: "1", Args: shopArgsCodec, Result: codec.String, Parse: parseShopArgs,
		Body: func(ctx context.Context, run *workflow.Run, a shopArgs) (string, error) {
			return body(bindShop(w)(run), ctx, a.name)
		},
		Signals: []workflow.SignalType{workflow.SignalOf("approve", codec.String)},
	}
}

func (s *Shop) sell() *workflow.Definition[shopArgs, string] {
	return shopMethod(s.world, "Sell", (*Shop).Sell)
}

// shopApp describes the application; extra are workflows of a single test.
func shopApp(w world, extra ...workflow.Method) *runtime.App {
	method := func(m workflow.Method) *runtime.Method { return &runtime.Method{Kind: runtime.Workflow, Durable: m} }
	ledger := &runtime.Service{
		Name: "Ledger",
		Methods: []*runtime.Method{
			{Name: "Add", Kind: runtime.Atomic, Durable: ledgerAddMethod},
			{Name: "Balance", Kind: runtime.ReadOnly, Durable: ledgerBalanceMethod},
			{Name: "Note", Kind: runtime.Atomic, Durable: ledgerNoteMethod},
			{Name: "NoteLater", Kind: runtime.Atomic, Durable: ledgerNoteLaterMethod},
		},
		Fields:    []runtime.Field{ledgerAccounts, ledgerLines},
		Sentinels: []runtime.Sentinel{{Name: "shop.ErrEmpty", Err: ErrEmpty}},
		Errors:    []runtime.ErrorType{{Name: "shop.LimitError", Durable: workflow.NewErrorType("shop.LimitError", limitErrorCodec)}},
		Init:      initLedger,
	}
	shop := &runtime.Service{Name: "Shop", Methods: []*runtime.Method{
		method(shopMethod(w, "Sell", (*Shop).Sell)),
		method(shopMethod(w, "Onboard", (*Shop).Onboard)),
		method(shopMethod(w, "Fan", (*Shop).Fan)),
		method(shopMethod(w, "Bulk", (*Shop).Bulk)),
		method(shopMethod(w, "Count", (*Shop).Count)),
		method(shopMethod(w, "Once", (*Shop).Once)),
	}}
	for _, m := range extra {
		shop.Methods = append(shop.Methods, method(m))
	}
	return &runtime.App{Name: "shop", Services: []*runtime.Service{ledger, shop}}
}
