package check

import (
	"cmp"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"

	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/compiler/ir"
	"github.com/onefold/onefold/compiler/pass"
)

// signals checks that the name of every signal is known, and that all that is sent
// and awaited under one name has one type.
func signals(u *pass.Unit) {
	c := newChecker(u)
	var uses []signalUse
	for f := range c.rewritten {
		ast.Inspect(f.Decl.Body, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				uses = append(uses, c.signalUse(f, call)...)
			}
			return true
		})
	}
	slices.SortStableFunc(uses, func(a, b signalUse) int {
		switch {
		case a.awaits && !b.awaits:
			return -1
		case b.awaits && !a.awaits:
			return 1
		}
		return cmp.Compare(a.pos, b.pos)
	})
	c.compareSignals(uses)
}

// signalUse is one call of onefold.Await or onefold.Signal.
type signalUse struct {
	name   string
	typ    types.Type
	pos    token.Pos
	awaits bool
}

// signalUse returns what call sends or awaits, if it does.
func (c *checker) signalUse(f *ir.Function, call *ast.CallExpr) []signalUse {
	info := f.File.Pkg.Info
	name := ir.LibraryFunc(callee(info, call))
	var arg ast.Expr
	var t types.Type
	switch {
	case name == "Await" && len(call.Args) == 3:
		arg, t = call.Args[1], info.TypeOf(call).(*types.Tuple).At(0).Type()
	case name == "Signal" && len(call.Args) == 4:
		arg, t = call.Args[2], info.TypeOf(call.Fun).(*types.Signature).Params().At(3).Type()
	default:
		return nil
	}
	value := info.Types[arg].Value
	if value == nil || constant.StringVal(value) == "" {
		c.errorf(arg.Pos(), diag.Signal, "name it by a constant, and put what tells signals of that name apart into the value", "name of a signal: %s is no constant with text in it; a signal is declared to those who send it", types.ExprString(arg))
		return nil
	}
	return []signalUse{{constant.StringVal(value), t, call.Pos(), name == "Await"}}
}

// compareSignals compares each use with the first of the same name; those that wait come first.
func (c *checker) compareSignals(uses []signalUse) {
	first := map[string]signalUse{}
	for _, use := range uses {
		before, ok := first[use.name]
		if !ok {
			first[use.name] = use
		}
		switch {
		case !ok && !use.awaits:
			c.warnf(use.pos, diag.Signal, "await it in the workflow that it is for", "signal %s is sent, and no workflow waits for it", use.name)
		case ok && !types.Identical(before.typ, use.typ):
			c.report(use.pos, diag.Error, diag.Signal, []diag.Related{{Pos: c.prog.Position(before.pos), Message: "here it is " + typeName(before.typ)}},
				"use one type, or another name", "signal %s is %s here and %s elsewhere: one name has one type", use.name, typeName(use.typ), typeName(before.typ))
		}
	}
}
