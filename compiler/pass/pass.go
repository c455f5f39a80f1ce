// Package pass runs the compiler's read-only passes over the IR: a pass is a
// value that holds a function, and a table of passes is a slice.
package pass

import (
	"context"
	"fmt"

	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/compiler/ir"
)

// Pass is one step over the whole program.
type Pass struct {
	Name string // one lower-case word, as in --dump=NAME
	Doc  string // what it does and why it stands where it does
	Run  func(*Unit)
}

// Unit is what a pass works on: the program, and where its findings go.
type Unit struct {
	Prog  *ir.Program
	Diags *diag.List
}

// Options are what the runner does between passes. The zero value only runs them.
type Options struct {
	Verify bool                                // check the IR's invariants after each pass
	After  func(pass string, prog *ir.Program) // called after each pass; for dumps
}

// Run runs the passes in order, all of them whatever they find, and adds their
// findings to diags. It stops early only when ctx is done. An IR that breaks an
// invariant is a bug of the pass before it, and panics.
func Run(ctx context.Context, prog *ir.Program, diags *diag.List, passes []*Pass, opts Options) error {
	for _, p := range passes {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		p.Run(&Unit{Prog: prog, Diags: diags})
		if opts.Verify {
			if err := ir.Verify(prog); err != nil {
				panic(fmt.Sprintf("after pass %s: %v", p.Name, err))
			}
		}
		if opts.After != nil {
			opts.After(p.Name, prog)
		}
	}
	return nil
}
