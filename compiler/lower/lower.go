// Package lower turns the user's plain Go into the code that runs over the store.
// Each pass asks for text edits of the files it changes; the syntax and its types
// stay as they are, so every pass can ask about any node. What a pass replaces,
// no other pass may replace.
package lower

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/compiler/ir"
	"github.com/onefold/onefold/compiler/names"
	"github.com/onefold/onefold/compiler/pass"
	"github.com/onefold/onefold/compiler/rewrite"
)

// The packages that lowered code calls.
const (
	atomicPath = "github.com/onefold/onefold/runtime/atomic"
	statePath  = "github.com/onefold/onefold/runtime/state"
	codecPath  = "github.com/onefold/onefold/runtime/codec"

	workflowPath = "github.com/onefold/onefold/runtime/workflow"
)

// Program is a program with the edits that lower it.
type Program struct {
	prog  *ir.Program
	names *names.Table
	files map[*ir.File]*file
	list  []*file
}

// file is one file of the program while it is lowered.
type file struct {
	*Program
	*rewrite.File
	ir    *ir.File
	info  *types.Info
	root  inspector.Cursor
	diags *diag.List
	taken map[ast.Node]bool // places that an assignment took
}

// New returns prog, whose added declarations are called as table says, without any edits.
func New(prog *ir.Program, table *names.Table) *Program {
	p := &Program{prog: prog, names: table, files: map[*ir.File]*file{}}
	for _, pkg := range prog.Packages {
		for _, f := range pkg.Files {
			p.add(f)
		}
	}
	return p
}

func (p *Program) add(f *ir.File) {
	l := &file{
		Program: p,
		File:    rewrite.New(p.prog.Fset, f.Syntax, f.Source, f.Pkg.Info),
		ir:      f,
		info:    f.Pkg.Info,
		taken:   map[ast.Node]bool{},
		root:    inspector.New([]*ast.File{f.Syntax}).Root(),
	}
	l.Reserve(f.Pkg.Types.Scope().Names())
	p.files[f] = l
	p.list = append(p.list, l)
}

// File returns the edits of f.
func (p *Program) File(f *ir.File) *rewrite.File { return p.files[f].File }

// Passes are the lowering passes. Their order matters to no text, since each node
// is replaced once, but a later pass may ask what an earlier one replaced.
func (p *Program) Passes() []*pass.Pass {
	each := func(run func(*file)) func(*pass.Unit) {
		return func(u *pass.Unit) {
			for _, f := range p.list {
				f.diags = u.Diags
				run(f)
			}
		}
	}
	return []*pass.Pass{
		{Name: "imports", Doc: "imports lead to the rewritten packages, and marks for tools go; first, since later passes ask how an import is called", Run: each((*file).imports)},
		{Name: "services", Doc: "a service struct holds handles instead of state", Run: each((*file).services)},
		{Name: "constructors", Doc: "a constructor builds the plain initial state", Run: each((*file).constructors)},
		{Name: "clients", Doc: "every other mention of a service is its client", Run: each((*file).clients)},
		{Name: "savepoints", Doc: "onefold.Tx is a savepoint of the request's transaction", Run: each((*file).savepoints)},
		{Name: "branches", Doc: "an errgroup is a group of parallel branches of the transaction or workflow", Run: each((*file).branches)},
		{Name: "steps", Doc: "a workflow calls its own service as any other", Run: each((*file).steps)},
		{Name: "durable", Doc: "onefold's functions and the clock are those of the workflow", Run: each((*file).durable)},
		{Name: "mutexes", Doc: "mutexes go: the transaction does their work", Run: each((*file).mutexes)},
		{Name: "updates", Doc: "assignments to state; before plain reads, since it takes whole statements", Run: each((*file).updates)},
		{Name: "reads", Doc: "every use of state that is left", Run: each((*file).reads)},
	}
}

func (f *file) errorf(n ast.Node, code diag.Code, fix, format string, args ...any) {
	f.diags.Errorf(f.prog.Position(n.Pos()), code, fix, format, args...)
}

// methods yields the service methods that the file declares, with a cursor at each.
func (f *file) methods(yield func(*ir.Method, inspector.Cursor) bool) {
	for c := range f.root.Preorder((*ast.FuncDecl)(nil)) {
		decl := c.Node().(*ast.FuncDecl)
		fn, _ := f.info.Defs[decl.Name].(*types.Func)
		if m := f.prog.MethodOf(fn); m != nil && decl.Body != nil && !yield(m, c) {
			return
		}
	}
}

// method returns the service method that c is in, or nil.
func (f *file) method(c inspector.Cursor) *ir.Method {
	for d := range c.Enclosing((*ast.FuncDecl)(nil)) {
		fn, _ := f.info.Defs[d.Node().(*ast.FuncDecl).Name].(*types.Func)
		return f.prog.MethodOf(fn)
	}
	return nil
}

// constructor returns the service whose constructor c is in, or nil.
func (f *file) constructor(c inspector.Cursor) *ir.Service {
	for d := range c.Enclosing((*ast.FuncDecl)(nil)) {
		for _, s := range f.prog.Services {
			if s.Constructor != nil && s.Constructor.Decl == d.Node() {
				return s
			}
		}
	}
	return nil
}

// function returns the declaration that c is in.
func function(c inspector.Cursor) ast.Node {
	for d := range c.Enclosing((*ast.FuncDecl)(nil), (*ast.GenDecl)(nil)) {
		return d.Node()
	}
	return nil
}

// visible reports whether name means v at pos, so that new code there may say it.
func (f *file) visible(v *types.Var, pos token.Pos) bool {
	if v == nil {
		return false
	}
	scope := f.ir.Pkg.Types.Scope().Innermost(pos)
	if scope == nil {
		return false
	}
	_, obj := scope.LookupParent(v.Name(), pos)
	return obj == v
}
