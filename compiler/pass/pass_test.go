package pass_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/compiler/ir"
	"github.com/onefold/onefold/compiler/pass"
)

func TestRun(t *testing.T) {
	var order []string
	step := func(name string) *pass.Pass {
		return &pass.Pass{Name: name, Run: func(u *pass.Unit) {
			order = append(order, "run "+name)
			u.Diags.Add(diag.Diagnostic{Code: diag.Mark, Message: name})
		}}
	}
	after := func(name string, _ *ir.Program) { order = append(order, "after "+name) }
	var diags diag.List
	err := pass.Run(t.Context(), &ir.Program{}, &diags, []*pass.Pass{step("a"), step("b")}, pass.Options{Verify: true, After: after})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"run a", "after a", "run b", "after b"}
	if diff := cmp.Diff(want, order); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
	if n := len(diags.Sorted()); n != 2 {
		t.Errorf("%d findings, want those of both passes", n)
	}
}

func TestRunCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	ran := 0
	stop := &pass.Pass{Name: "stop", Run: func(*pass.Unit) { ran++; cancel() }}
	err := pass.Run(ctx, &ir.Program{}, new(diag.List), []*pass.Pass{stop, stop}, pass.Options{})
	if !errors.Is(err, context.Canceled) || ran != 1 {
		t.Errorf("cancelled run: %v after %d passes", err, ran)
	}
}

// A pass that breaks an invariant is named.
func TestRunBroken(t *testing.T) {
	defer func() {
		if err := recover(); err == nil {
			t.Error("a broken program went through")
		}
	}()
	broken := &pass.Pass{Name: "broken", Run: func(u *pass.Unit) {
		u.Prog.Packages = append(u.Prog.Packages, &ir.Package{Path: "p"})
	}}
	_ = pass.Run(t.Context(), &ir.Program{}, new(diag.List), []*pass.Pass{broken}, pass.Options{Verify: true})
}
