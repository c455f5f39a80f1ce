package ir

import (
	"go/ast"
	"go/token"
	"go/types"
)

// Function is a declared function or method of the user's packages, with what
// it does itself and what everything below it does. Function literals belong to
// the function that holds them; those in the initial value of a package variable
// make a function of the variable's name. The effects pass makes them.
type Function struct {
	Func     *types.Func
	Decl     *ast.FuncDecl
	File     *File
	Method   *Method // nil where it is no method of a service
	Accesses []*Access
	Calls    []*Call
	Runs     Runs // where it runs

	// Of the function and all that it calls, sorted.
	Reads  []*Field
	Writes []*Field
	Adds   []*Field
	Reach  []*Service
	Sends  bool // messages or signals
}

// Writing reports whether the function or anything below it changes state, or
// sends something that goes out with the commit.
func (f *Function) Writing() bool { return len(f.Writes)+len(f.Adds) > 0 || f.Sends }

// Touching reports whether the function or anything below it uses state.
func (f *Function) Touching() bool { return len(f.Reads) > 0 || f.Writing() }

// String names the function as its callers do.
func (f *Function) String() string {
	if f.Method != nil {
		return f.Method.String()
	}
	if obj := receiverName(f.Func); obj != "" {
		return obj + "." + f.Func.Name()
	}
	return f.Func.Pkg().Name() + "." + f.Func.Name()
}

func receiverName(fn *types.Func) string {
	recv := fn.Signature().Recv()
	if recv == nil {
		return ""
	}
	t := types.Unalias(recv.Type())
	if ptr, ok := t.(*types.Pointer); ok {
		t = types.Unalias(ptr.Elem())
	}
	if named, ok := t.(*types.Named); ok {
		return named.Obj().Name()
	}
	return ""
}

// Call is a mention of a function: a call, or a use as a value.
type Call struct {
	Callee *Function
	Pos    token.Pos
	Within Within
}

// AccessKind says what one mention of a persistent field does. The bits combine.
type AccessKind uint8

// The bits of an AccessKind.
const (
	Read    AccessKind = 1 << iota // needs what is stored
	Write                          // changes it
	Add                            // adds to it without needing it; never with the others
	Whole                          // all of a map or slice, as a Go value
	Address                        // takes the address of the place
)

// Access is one mention of a persistent field in a method.
type Access struct {
	Field *Field
	Sel   *ast.SelectorExpr // recv.field
	Place ast.Expr          // the longest selector and index path from Sel, as h.cfg.limit
	Kind  AccessKind
}

// FunctionOf returns the function that fn declares, or nil for one outside the
// user's packages or without a body.
func (p *Program) FunctionOf(fn *types.Func) *Function {
	if fn == nil {
		return nil
	}
	return p.functions[fn.Origin()]
}

// AddFunction adds f to the program.
func (p *Program) AddFunction(f *Function) {
	if p.functions == nil {
		p.functions = map[*types.Func]*Function{}
	}
	p.functions[f.Func] = f
	p.Functions = append(p.Functions, f)
}
