// Package localtest is a small application with workflows, written as the compiler
// would write it, for tests of what looks at running applications.
package localtest

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/onefold/onefold/runtime"
	protocol "github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/codec"
	"github.com/onefold/onefold/runtime/state"
	"github.com/onefold/onefold/runtime/workflow"
)

// ErrSoldOut is what Stock.Take returns when nothing is left.
var ErrSoldOut = errors.New("stock: sold out")

// Orders is the application. Its workflow Orders.Fulfil takes an item out of the stock,
// packs and labels it in two branches, awaits the signal "paid" with the name of the
// payer, and ships it by the child workflow Orders.Ship. Orders.Ship panics while Broken is set.
type Orders struct {
	// Broken makes Orders.Ship panic.
	Broken atomic.Bool
	// Changed is code that no longer fits the log: Orders.Ship notes first.
	Changed bool
}

// The field of Stock and its codecs.
var (
	items    = state.NewMap("Stock", "items", codec.StringKey, codec.Int)
	textArgs = codec.Type[text]{
		Encode: func(e *codec.Encoder, v *text) {
			s := e.Struct(1)
			s.Field("item")
			codec.EncodeString(e, &v.item)
			s.End()
		},
		Decode: func(d *codec.Decoder, v *text) {
			for s := d.Struct(1); s.Next(); {
				if string(s.Name) == "item" {
					codec.DecodeString(d, &v.item)
				} else {
					s.Unknown()
				}
			}
		},
	}
)

// text are the parameters of all methods.
type text struct{ item string }

func parseText(in *codec.Args) text { return text{codec.Arg(in, "item", codec.String)} }

// take is Stock.Take: it takes an item out and returns how many are left.
func take(_ context.Context, tx *protocol.Tx, a text) (int, error) {
	m := items.In(tx)
	left := m.Get(a.item) - 1
	if left < 0 {
		return 0, ErrSoldOut
	}
	m.Set(a.item, left)
	return left, nil
}

var takeMethod = &workflow.Target[text, int]{Name: "Stock.Take", Args: textArgs, Result: codec.Int, Call: take}

// App returns the description of the application.
func (o *Orders) App() *runtime.App {
	ship := o.define("Orders.Ship", o.ship)
	fulfil := o.define("Orders.Fulfil", func(ctx context.Context, run *workflow.Run, a text) (string, error) {
		return o.fulfil(ctx, run, ship, a)
	})
	stock := &runtime.Service{
		Name: "Stock",
		Methods: []*runtime.Method{{
			Name: "Take", Kind: runtime.Atomic, Params: []string{"item"}, Durable: takeMethod,
			Call: func(ctx context.Context, tx *protocol.Tx, in *codec.Args, out []byte) ([]byte, error) {
				a := parseText(in)
				if err := in.Err(); err != nil {
					return nil, err
				}
				left, err := take(ctx, tx, a)
				if err != nil {
					return nil, err
				}
				return codec.Int.AppendJSON(out, &left)
			},
		}},
		Fields:    []runtime.Field{items},
		Sentinels: []runtime.Sentinel{{Name: "stock.ErrSoldOut", Err: ErrSoldOut}},
		Init:      func(tx *protocol.Tx) { items.Init(tx, map[string]int{"lamp": 3, "<i>desk</i>": 1}) },
	}
	orders := &runtime.Service{Name: "Orders", Methods: []*runtime.Method{
		{Name: "Fulfil", Kind: runtime.Workflow, Params: []string{"item"}, Durable: fulfil},
		{Name: "Ship", Kind: runtime.Workflow, Params: []string{"item"}, Durable: ship},
	}}
	return &runtime.App{Name: "orders", Services: []*runtime.Service{orders, stock}}
}

// define describes a workflow.
func (o *Orders) define(name string, body func(context.Context, *workflow.Run, text) (string, error)) *workflow.Definition[text, string] {
	d := &workflow.Definition[text, string]{
		Name: name, Code: "1", Args: textArgs, Result: codec.String, Parse: parseText, Body: body,
		Signals: []workflow.SignalType{workflow.SignalOf("paid", codec.String)},
	}
	if o.Changed {
		d.Code = "2"
	}
	return d
}

func (o *Orders) fulfil(ctx context.Context, run *workflow.Run, ship *workflow.Definition[text, string], a text) (string, error) {
	if _, err := workflow.Step(ctx, run, takeMethod, a); err != nil {
		return "", err
	}
	g, ctx := workflow.WithContext(ctx, run, func(r *workflow.Run) *workflow.Run { return r })
	for _, what := range []string{"pack", "label"} {
		g.Go(func(r *workflow.Run) error {
			_, err := workflow.Do(ctx, r, what, codec.String, func(context.Context, string) (string, error) { return what + "ed " + a.item, nil })
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return "", err
	}
	payer, ok, err := workflow.Await(ctx, run, "paid", 48*time.Hour, codec.String)
	if err != nil || !ok {
		return "nobody paid", err
	}
	parcel, err := workflow.Child(ctx, run, ship, a)
	if err != nil {
		return "", err
	}
	return parcel + " for " + payer, nil
}

func (o *Orders) ship(ctx context.Context, run *workflow.Run, a text) (string, error) {
	if o.Changed {
		if _, err := workflow.Do(ctx, run, "insure", codec.String, func(context.Context, string) (string, error) { return "", nil }); err != nil {
			return "", err
		}
	}
	return workflow.Do(ctx, run, "ship", codec.String, func(context.Context, string) (string, error) {
		if o.Broken.Load() {
			panic("the truck\nhas broken down")
		}
		return "parcel with " + a.item, nil
	})
}
