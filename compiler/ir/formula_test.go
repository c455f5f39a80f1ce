package ir_test

import (
	"go/token"
	"go/types"
	"testing"

	"github.com/onefold/onefold/compiler/ir"
)

func TestFormulas(t *testing.T) {
	items := ir.Times{Param: types.NewParam(token.NoPos, nil, "order", types.Typ[types.Int]), Path: []string{"Items"}, Len: true}
	loop := ir.Times{Where: "loop(a.go:7)"}
	n, each := ir.Number, ir.Number(2).Repeat(items)
	for _, tt := range []struct {
		got   ir.Formula
		want  string
		value int // of three items, and a loop that nobody knows
		known bool
	}{
		{ir.Formula{}, "0", 0, true},
		{n(0).Repeat(loop), "0", 0, true},
		{n(1).Plus(each), "1 + 2×len(order.Items)", 7, true},
		{n(1).Repeat(items).Plus(n(1).Repeat(loop)), "len(order.Items) + loop(a.go:7)", 3, false},
		{n(1).Plus(each).Repeat(items), "(1 + 2×len(order.Items))×len(order.Items)", 21, true},
		{each.Repeat(loop), "2×len(order.Items)×loop(a.go:7)", 0, false},
		{n(3).Plus(each).Scale(2), "6 + 2×len(order.Items) + 2×len(order.Items)", 18, true},
		{n(3).Max(n(1).Plus(each)), "3 + 2×len(order.Items)", 9, true},
		{n(3).Plus(n(1).Repeat(items)).Max(each), "3 + max(len(order.Items), 2×len(order.Items))", 9, true},
		{n(3).Plus(each).Min(n(1).Plus(each)), "1 + 2×len(order.Items)", 7, true},
		{n(3).Min(each), "0", 0, true},
	} {
		if got := tt.got.String(); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
		value, known := tt.got.Eval(func(times ir.Times) (int, bool) { return 3 * len(times.Path), times.Param != nil })
		if value != tt.value || known != tt.known {
			t.Errorf("%s of three items is %d, known %t; want %d, %t", tt.want, value, known, tt.value, tt.known)
		}
	}
	for want, r := range map[string]ir.Range{
		"2":                              ir.Exactly(n(2)),
		"0..3":                           {Most: n(3)},
		"1..(1 + 2×len(order.Items))":    {Least: n(1), Most: n(1).Plus(each)},
		"len(order.Items)..loop(a.go:7)": {Least: n(1).Repeat(items), Most: n(1).Repeat(loop)},
	} {
		if got := r.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
