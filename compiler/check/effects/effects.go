// Package effects finds out what every method does to the store: which
// persistent fields it and all that it calls read, write and blindly add to,
// which services it reaches, how many store rounds that takes. From this follows
// each endpoint's kind: stateless, read-only or atomic.
package effects

import (
	"go/types"
	"slices"

	"github.com/onefold/onefold/compiler/ir"
	"github.com/onefold/onefold/compiler/pass"
)

// Pass fills in Program.Functions and Program.Blind, and the kind and effects of every method.
var Pass = &pass.Pass{
	Name: "effects",
	Doc:  "what every function does to the store; first, since checks and lowering read it",
	Run:  func(u *pass.Unit) { Analyze(u.Prog) },
}

// Analyze is Pass without its frame.
func Analyze(prog *ir.Program) {
	a := &analysis{prog: prog, mutates: map[*ir.Function]*mutations{}, received: map[*ir.Field][]types.Type{}}
	prog.Blind = blindUpdates(prog)
	a.collect()
	for _, f := range prog.Functions {
		a.scan(f)
	}
	a.place()
	order := a.propagate()
	r, h := newRounds(prog, order), &hops{prog: prog, done: map[running]*exits{}}
	for _, f := range prog.Functions {
		if f.Method != nil {
			a.finish(f, r, h)
		}
	}
}

// analysis is the state of one Analyze.
type analysis struct {
	prog    *ir.Program
	methods map[string][]*ir.Function // by name, for calls through interfaces
	mutates map[*ir.Function]*mutations

	variables map[*types.Var]*ir.Function // functions that package variables hold

	// received holds, for each field, the receiver types of the user's methods
	// that are called on it or on a part of it.
	received map[*ir.Field][]types.Type
}

// finish sets kind and effects of a method from its function's.
func (a *analysis) finish(f *ir.Function, r *rounds, h *hops) {
	m := f.Method
	m.Effects = ir.Effects{Reads: f.Reads, Writes: f.Writes, Adds: f.Adds, Calls: directCalls(f), Reach: f.Reach}
	switch {
	case m.Kind == ir.Workflow:
		m.Effects.Commits = a.commits(f)
		return
	case f.Writing():
		m.Kind = ir.Atomic
	case f.Touching():
		m.Kind = ir.ReadOnly
	default:
		m.Kind = ir.Stateless
	}
	m.Effects.Rounds = r.total(f, m.Kind)
	h.finish(m, f)
}

// directCalls returns the endpoints of other services that f calls itself or
// through helpers and free functions.
func directCalls(f *ir.Function) []*ir.Method {
	var calls []*ir.Method
	seen := map[*ir.Function]bool{}
	var visit func(g *ir.Function)
	visit = func(g *ir.Function) {
		if seen[g] {
			return
		}
		seen[g] = true
		if m := g.Method; m != nil && g != f && (m.Service != f.Method.Service || m.Endpoint() && f.Method.Kind == ir.Workflow) {
			calls = append(calls, m)
			return
		}
		for _, c := range g.Calls {
			if c.Within != ir.InGo {
				visit(c.Callee)
			}
		}
	}
	visit(f)
	slices.SortFunc(calls, ir.CompareMethods)
	return calls
}
