package onefoldtest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/onefold/onefold"
	"github.com/onefold/onefold/runtime"
	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/codec"
	"github.com/onefold/onefold/runtime/state"
	"github.com/onefold/onefold/runtime/workflow"
)

// The workflow suites are tested on an application that is compiled by hand, too: Till
// and Desk are the spec, the lowered ones what becomes of it.

var errSlow = errors.New("desk: nobody said go")

// Till is what the workflows of Desk change.
type Till struct {
	takings map[string]int
	notes   map[string]int // how often each was written
}

func newTill() *Till { return &Till{takings: map[string]int{}, notes: map[string]int{}} }

// Take adds to what someone has given, up to 9.
func (t *Till) Take(ctx context.Context, who string, n int) (int, error) {
	sum := t.takings[who] + n
	if sum > 9 {
		return 0, errMuch
	}
	t.takings[who] = sum
	return sum, nil
}

// Note writes a note, and another one later.
func (t *Till) Note(ctx context.Context, who string, n int) error {
	t.notes[fmt.Sprint(who, n)]++
	onefold.Go(ctx, func(ctx context.Context) error { return t.Later(ctx, who, n) })
	return nil
}

// Later is what Note sends.
func (t *Till) Later(ctx context.Context, who string, n int) error {
	t.notes[fmt.Sprint("later ", who, n)]++
	return nil
}

// Desk has a workflow with every kind of step.
type Desk struct{ till *Till }

func newDesk(t *Till) *Desk { return &Desk{till: t} }

// Sell takes, charges, sleeps, waits for a word, has a child, and takes back what it took if that fails.
//
//onefold:workflow
func (d *Desk) Sell(ctx context.Context, who string, n int) (sum int, err error) {
	sum, err = d.till.Take(ctx, who, n)
	if err != nil {
		return 0, err
	}
	defer func() {
		if err != nil {
			_, undone := d.till.Take(ctx, who, -n)
			err = errors.Join(err, undone)
		}
	}()
	receipt, err := onefold.Do(ctx, "charge", func(_ context.Context, key string) (string, error) { return "paid by " + who, nil })
	if err != nil {
		return 0, err
	}
	time.Sleep(48 * time.Hour)
	word, ok, err := onefold.Await[string](ctx, "go", time.Hour)
	if err != nil {
		return 0, err
	}
	if !ok {
		return 0, errSlow
	}
	if err := d.Tell(ctx, receipt+word, n); err != nil {
		return 0, err
	}
	return sum, nil
}

// Tell is the child.
//
//onefold:workflow
func (d *Desk) Tell(ctx context.Context, who string, n int) error {
	if err := d.till.Note(ctx, who, n); err != nil {
		return err
	}
	return d.till.Note(ctx, who, n+1)
}

// Pay begins with an effect.
//
//onefold:workflow
func (d *Desk) Pay(ctx context.Context, who string, n int) (int, error) {
	_, err := onefold.Do(ctx, "pay", func(_ context.Context, key string) (string, error) { return "", nil })
	if err != nil {
		return 0, err
	}
	return d.till.Take(ctx, who, n)
}

// ---- lowered ----

// deskArgs are the parameters of all methods.
type deskArgs struct {
	who string
	n   int
}

var deskArgsCodec = codec.Type[deskArgs]{
	Encode: func(e *codec.Encoder, v *deskArgs) {
		s := e.Struct(2)
		s.Field("n")
		codec.EncodeInt(e, &v.n)
		s.Field("who")
		codec.EncodeString(e, &v.who)
		s.End()
	},
	Decode: func(d *codec.Decoder, v *deskArgs) {
		for s := d.Struct(2); s.Next(); {
			switch string(s.Name) {
			case "n":
				codec.DecodeInt(d, &v.n)
			case "who":
				codec.DecodeString(d, &v.who)
			default:
				s.Unknown()
			}
		}
	},
}

func parseDeskArgs(in *codec.Args) deskArgs {
	return deskArgs{codec.Arg(in, "who", codec.String), codec.Arg(in, "n", codec.Int)}
}

// loweredTill is Till in one transaction.
type loweredTill struct {
	tx      *atomic.Tx
	takings state.Map[string, int]
	notes   state.Map[string, int]
}

var (
	tillKey     = atomic.NewKey("Till")
	tillTakings = state.NewMap("Till", "takings", codec.StringKey, codec.Int)
	tillNotes   = state.NewMap("Till", "notes", codec.StringKey, codec.Int)
)

func bindTill(tx *atomic.Tx) *loweredTill {
	return atomic.Bind(tx, tillKey, func(tx *atomic.Tx) *loweredTill {
		return &loweredTill{tx: tx, takings: tillTakings.In(tx), notes: tillNotes.In(tx)}
	})
}

func (t *loweredTill) take(ctx context.Context, who string, n int) (int, error) {
	sum := t.takings.Get(who) + n
	if sum > 9 {
		return 0, errMuch
	}
	t.takings.Set(who, sum)
	return sum, nil
}

func (t *loweredTill) note(ctx context.Context, who string, n int) error {
	*t.notes.Ref(fmt.Sprint(who, n))++
	workflow.GoTx(t.tx, tillLater, deskArgs{who, n})
	return nil
}

func (t *loweredTill) later(ctx context.Context, who string, n int) error {
	*t.notes.Ref(fmt.Sprint("later ", who, n))++
	return nil
}

var (
	tillTake = &workflow.Target[deskArgs, int]{Name: "Till.Take", Args: deskArgsCodec, Result: codec.Int,
		Call: func(ctx context.Context, tx *atomic.Tx, a deskArgs) (int, error) {
			return bindTill(tx).take(ctx, a.who, a.n)
		}}
	tillNote = &workflow.Target[deskArgs, struct{}]{Name: "Till.Note", Args: deskArgsCodec, Result: workflow.Nothing,
		Call: func(ctx context.Context, tx *atomic.Tx, a deskArgs) (struct{}, error) {
			return struct{}{}, bindTill(tx).note(ctx, a.who, a.n)
		}}
	tillLater = &workflow.Target[deskArgs, struct{}]{Name: "Till.Later", Args: deskArgsCodec, Result: workflow.Nothing,
		Call: func(ctx context.Context, tx *atomic.Tx, a deskArgs) (struct{}, error) {
			return struct{}{}, bindTill(tx).later(ctx, a.who, a.n)
		}}
	deskSell = &workflow.Definition[deskArgs, int]{Name: "Desk.Sell", Code: "1", Args: deskArgsCodec, Result: codec.Int,
		Parse: parseDeskArgs, Body: sell, Signals: []workflow.SignalType{workflow.SignalOf("go", codec.String)}}
	deskTell = &workflow.Definition[deskArgs, struct{}]{Name: "Desk.Tell", Code: "1", Args: deskArgsCodec, Result: workflow.Nothing,
		Parse: parseDeskArgs, Body: tell}
	deskPay = &workflow.Definition[deskArgs, int]{Name: "Desk.Pay", Code: "1", Args: deskArgsCodec, Result: codec.Int,
		Parse: parseDeskArgs, Body: pay}
)

func sell(ctx context.Context, run *workflow.Run, a deskArgs) (sum int, err error) {
	sum, err = workflow.Step(ctx, run, tillTake, a)
	if err != nil {
		return 0, err
	}
	defer func() {
		if err != nil {
			_, undone := workflow.Step(ctx, run, tillTake, deskArgs{a.who, -a.n})
			err = errors.Join(err, undone)
		}
	}()
	receipt, err := workflow.Do(ctx, run, "charge", codec.String, func(_ context.Context, key string) (string, error) { return "paid by " + a.who, nil })
	if err != nil {
		return 0, err
	}
	run.Sleep(48 * time.Hour)
	word, ok, err := workflow.Await(ctx, run, "go", time.Hour, codec.String)
	if err != nil {
		return 0, err
	}
	if !ok {
		return 0, errSlow
	}
	if _, err := workflow.Child(ctx, run, deskTell, deskArgs{receipt + word, a.n}); err != nil {
		return 0, err
	}
	return sum, nil
}

func tell(ctx context.Context, run *workflow.Run, a deskArgs) (none struct{}, err error) {
	if none, err = workflow.Step(ctx, run, tillNote, a); err != nil {
		return none, err
	}
	return workflow.Step(ctx, run, tillNote, deskArgs{a.who, a.n + 1})
}

func pay(ctx context.Context, run *workflow.Run, a deskArgs) (int, error) {
	_, err := workflow.Do(ctx, run, "pay", codec.String, func(_ context.Context, key string) (string, error) { return "", nil })
	if err != nil {
		return 0, err
	}
	return workflow.Step(ctx, run, tillTake, a)
}

// compiledDesk describes the application.
func compiledDesk() *runtime.App {
	method := func(name string, m workflow.Method, call func(ctx context.Context, t *loweredTill, a deskArgs) (any, error)) *runtime.Method {
		return &runtime.Method{Name: name, Kind: runtime.Atomic, Params: []string{"who", "n"}, Durable: m,
			Call: func(ctx context.Context, tx *atomic.Tx, in *codec.Args, out []byte) ([]byte, error) {
				a := parseDeskArgs(in)
				if err := in.Err(); err != nil {
					return nil, err
				}
				reply, err := call(ctx, bindTill(tx), a)
				return fmt.Append(out, reply), err
			}}
	}
	till := &runtime.Service{
		Name: "Till",
		Methods: []*runtime.Method{
			method("Take", tillTake, func(ctx context.Context, t *loweredTill, a deskArgs) (any, error) { return t.take(ctx, a.who, a.n) }),
			method("Note", tillNote, func(ctx context.Context, t *loweredTill, a deskArgs) (any, error) {
				return "null", t.note(ctx, a.who, a.n)
			}),
			method("Later", tillLater, func(ctx context.Context, t *loweredTill, a deskArgs) (any, error) {
				return "null", t.later(ctx, a.who, a.n)
			}),
		},
		Fields:    []runtime.Field{tillTakings, tillNotes},
		Sentinels: []runtime.Sentinel{{Name: "ledger.ErrMuch", Err: errMuch}, {Name: "desk.ErrSlow", Err: errSlow}},
		Reach:     []string{"Till"},
		Init: func(tx *atomic.Tx) {
			tillTakings.Init(tx, map[string]int{})
			tillNotes.Init(tx, map[string]int{})
		},
	}
	desk := &runtime.Service{Name: "Desk", Methods: []*runtime.Method{
		{Name: "Sell", Kind: runtime.Workflow, Params: []string{"who", "n"}, Durable: deskSell},
		{Name: "Tell", Kind: runtime.Workflow, Params: []string{"who", "n"}, Durable: deskTell},
		{Name: "Pay", Kind: runtime.Workflow, Params: []string{"who", "n"}, Durable: deskPay},
	}}
	return &runtime.App{Name: "desk", Services: []*runtime.Service{till, desk}}
}
