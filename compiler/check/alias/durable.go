package alias

import (
	"fmt"

	"golang.org/x/tools/go/ssa"

	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/compiler/ir"
)

// libraryName returns the name of the function of package onefold that fn is, or "".
func libraryName(fn *ssa.Function) string {
	if path, name := origin(fn); path == ir.Library && fn.Signature.Recv() == nil {
		return name
	}
	return ""
}

// libraryUse is a call of onefold.Do or onefold.Go and the contexts of its function.
type libraryUse struct {
	at        point
	name      string
	functions []*context
}

// library returns the calls of onefold.Do and onefold.Go.
func (a *analysis) library() []libraryUse {
	var uses []libraryUse
	for _, c := range a.contexts {
		for _, b := range c.fn.Blocks {
			for _, instr := range b.Instrs {
				call, ok := instr.(ssa.CallInstruction)
				if !ok || call.Common().StaticCallee() == nil {
					continue
				}
				if name := libraryName(call.Common().StaticCallee()); name == "Do" || name == "Go" {
					uses = append(uses, libraryUse{point{c, instr}, name, c.calls[call]})
				}
			}
		}
	}
	return uses
}

// variables returns the variables that the functions capture themselves.
func (u libraryUse) variables(a *analysis) map[*object]bool {
	cells := map[*object]bool{}
	for _, f := range u.functions {
		if f.closure == nil {
			continue
		}
		for _, bind := range f.closure.binds {
			for _, r := range flatten(bind) {
				cells[a.obj(r)] = true
			}
		}
	}
	return cells
}

// memory returns the memory that the captured variables lead to; the variables themselves,
// which other passes look at, are not in it.
func (u libraryUse) memory(a *analysis) map[*object]bool {
	out := map[*object]bool{}
	cells := u.variables(a)
	for _, f := range u.functions {
		if f.closure == nil {
			continue
		}
		for o := range a.reach(joined(f.closure.binds)) {
			if !cells[o] && o.kind != service {
				out[o] = true
			}
		}
	}
	return out
}

// checkUse refuses changes of what the function of u leads to: by an effect, and after a
// message was made.
func (k *checker) checkUse(u libraryUse) {
	memory := u.memory(k.analysis)
	inside := map[*context]bool{}
	for _, f := range u.functions {
		for c := range f.subtree() {
			inside[c] = true
		}
	}
	for _, e := range k.all {
		if e.kind == keep || e.origin != e || !memory[e.obj] {
			continue
		}
		within := inside[e.at.ctx]
		switch {
		case u.name == "Do" && within && !inside[e.obj.ctx]:
			k.report(e, diag.Effect, "change a copy, and return it",
				fmt.Sprintf("%s memory from outside in an onefold.Do: a workflow that runs again does not call the function, and would not see the change", e.verb()),
				k.related(posOf(u.at.at), "the onefold.Do is here"))
		case u.name == "Go" && !within && k.mayFollow(u.at, e.at, e.obj):
			k.reportSent(u, e)
		}
	}
	if u.name == "Go" {
		k.checkSentState(u, memory)
	}
}

// checkSentState refuses to send memory of the state that any method changes in place: the
// next request may do so before the message runs.
func (k *checker) checkSentState(u libraryUse, memory map[*object]bool) {
	for _, o := range k.objects {
		if !memory[o] || !inState(o) {
			continue
		}
		for _, e := range k.changes[o.region] {
			if e.at.ctx.root != u.at.ctx.root {
				k.reportSent(u, e)
			}
		}
	}
}

func (k *checker) reportSent(u libraryUse, e *event) {
	k.report(e, diag.Message, "send a copy (slices.Clone, maps.Clone), made into a variable of its own",
		fmt.Sprintf("%s memory that a message was made of: a plain program looks at it later", e.verb()),
		k.related(posOf(u.at.at), "the message is made here"))
}
