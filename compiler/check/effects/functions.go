package effects

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/types/typeutil"

	"github.com/onefold/onefold/compiler/ir"
)

// collect adds every function with a body to the program.
func (a *analysis) collect() {
	a.methods = map[string][]*ir.Function{}
	a.variables = map[*types.Var]*ir.Function{}
	for pkg := range a.prog.Sources() {
		for _, file := range pkg.Files {
			for _, d := range file.Syntax.Decls {
				switch d := d.(type) {
				case *ast.FuncDecl:
					a.declared(file, d)
				case *ast.GenDecl:
					for _, spec := range d.Specs {
						if spec, ok := spec.(*ast.ValueSpec); ok && d.Tok == token.VAR {
							a.variable(file, spec)
						}
					}
				}
			}
		}
	}
}

func (a *analysis) declared(file *ir.File, decl *ast.FuncDecl) {
	fn, ok := file.Pkg.Info.Defs[decl.Name].(*types.Func)
	if !ok || decl.Body == nil {
		return
	}
	f := &ir.Function{Func: fn, Decl: decl, File: file, Method: a.prog.MethodOf(fn)}
	a.prog.AddFunction(f)
	if decl.Recv != nil {
		a.methods[fn.Name()] = append(a.methods[fn.Name()], f)
	}
}

// variable adds the functions in the initial value of package variables, as one
// that whoever mentions the variable may call:
//
//	var clean = func(s string) string { … }
//	var handlers = map[string]func(){"a": doA}
func (a *analysis) variable(file *ir.File, spec *ast.ValueSpec) {
	body := &ast.BlockStmt{Lbrace: spec.Pos(), Rbrace: spec.End()}
	for _, value := range spec.Values {
		body.List = append(body.List, &ast.ExprStmt{X: value})
	}
	for _, name := range spec.Names {
		v, ok := file.Pkg.Info.Defs[name].(*types.Var)
		if !ok || len(spec.Values) == 0 || !holdsFunctions(v.Type()) {
			continue
		}
		f := &ir.Function{
			Func: types.NewFunc(v.Pos(), v.Pkg(), v.Name(), types.NewSignatureType(nil, nil, nil, nil, nil, false)),
			Decl: &ast.FuncDecl{Name: name, Type: &ast.FuncType{Func: spec.Pos()}, Body: body},
			File: file,
		}
		a.prog.AddFunction(f)
		a.variables[v] = f
	}
}

// holdsFunctions reports whether a value of type t may hold functions to call.
func holdsFunctions(t types.Type) bool {
	seen := map[types.Type]bool{}
	var holds func(t types.Type) bool
	holds = func(t types.Type) bool {
		t = types.Unalias(t)
		if seen[t] {
			return false
		}
		seen[t] = true
		switch u := t.Underlying().(type) {
		case *types.Signature:
			return true
		case *types.Pointer:
			return holds(u.Elem())
		case *types.Slice:
			return holds(u.Elem())
		case *types.Array:
			return holds(u.Elem())
		case *types.Map:
			return holds(u.Elem())
		case *types.Struct:
			for f := range u.Fields() {
				if holds(f.Type()) {
					return true
				}
			}
		}
		return false
	}
	return holds(t)
}

// scan finds what f itself accesses, calls and mutates through references.
func (a *analysis) scan(f *ir.Function) {
	info := f.File.Pkg.Info
	a.mutates[f] = mutationsOf(a.prog, f.Decl.Body, info)
	constructs := a.prog.ConstructorOf(f.Func) != nil
	var stack []ast.Node
	ast.Inspect(f.Decl.Body, func(n ast.Node) bool {
		if n == nil {
			stack = stack[:len(stack)-1]
			return true
		}
		stack = append(stack, n)
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if field := a.prog.Selected(info, n); field != nil && field.Kind.Persistent() && !constructs {
				f.Accesses = append(f.Accesses, a.access(field, stack, info))
			}
		case *ast.Ident:
			switch obj := info.Uses[n].(type) {
			case *types.Func:
				a.call(f, n, obj, within(stack, info))
				sends := ir.LibraryFunc(obj)
				f.Sends = f.Sends || sends == "Go" || sends == "Signal"
			case *types.Var:
				if g := a.variables[obj]; g != nil && g != f {
					f.Calls = append(f.Calls, &ir.Call{Callee: g, Pos: n.Pos(), Within: within(stack, info)})
				}
			}
		case *ast.CallExpr:
			a.callbacks(f, n, within(stack, info))
		}
		return true
	})
}

// call notes that f mentions fn. A method of an interface stands for every
// method that may be behind it.
func (a *analysis) call(f *ir.Function, at *ast.Ident, fn *types.Func, within ir.Within) {
	recv := fn.Signature().Recv()
	if recv == nil || !types.IsInterface(recv.Type()) {
		if g := a.prog.FunctionOf(fn); g != nil {
			f.Calls = append(f.Calls, &ir.Call{Callee: g, Pos: at.Pos(), Within: within})
		}
		return
	}
	iface, ok := recv.Type().Underlying().(*types.Interface)
	for _, g := range a.methods[fn.Name()] {
		if !ok || implements(g.Func.Signature().Recv().Type(), iface) {
			f.Calls = append(f.Calls, &ir.Call{Callee: g, Pos: at.Pos(), Within: within})
		}
	}
}

// implicit are the methods that packages look for behind any interface.
var implicit = map[string]bool{
	"String": true, "GoString": true, "Format": true, "Error": true, "Unwrap": true, "Is": true, "As": true, "LogValue": true,
	"MarshalJSON": true, "UnmarshalJSON": true, "MarshalText": true, "UnmarshalText": true, "AppendText": true,
	"MarshalBinary": true, "UnmarshalBinary": true, "IsZero": true,
}

// callbacks notes the methods that a function without known body may call on
// what it is given as an interface: sort.Sort calls Less, fmt.Println String.
func (a *analysis) callbacks(f *ir.Function, call *ast.CallExpr, within ir.Within) {
	info := f.File.Pkg.Info
	sig, ok := info.TypeOf(call.Fun).Underlying().(*types.Signature)
	fn, _ := typeutil.Callee(info, call).(*types.Func)
	if !ok || fn == nil || a.prog.FunctionOf(fn) != nil {
		return
	}
	for i, arg := range call.Args {
		param := sig.Params().At(min(i, sig.Params().Len()-1)).Type()
		if slice, ok := param.Underlying().(*types.Slice); ok && sig.Variadic() && i >= sig.Params().Len()-1 {
			param = slice.Elem()
		}
		t := info.TypeOf(arg)
		if t == nil || !types.IsInterface(param) || types.IsInterface(t) {
			continue
		}
		set := types.NewMethodSet(t)
		for j := range set.Len() {
			m := set.At(j).Obj().(*types.Func)
			wanted, _, _ := types.LookupFieldOrMethod(param, false, m.Pkg(), m.Name())
			if g := a.prog.FunctionOf(m); g != nil && (wanted != nil || implicit[m.Name()]) {
				f.Calls = append(f.Calls, &ir.Call{Callee: g, Pos: arg.Pos(), Within: within})
			}
		}
	}
}

// implements reports whether t or a pointer to it implements iface. Generic
// types are taken to, since their instances are not known here.
func implements(t types.Type, iface *types.Interface) bool {
	base := t
	if ptr, ok := types.Unalias(t).(*types.Pointer); ok {
		base = ptr.Elem()
	}
	if named, ok := types.Unalias(base).(*types.Named); ok && named.TypeParams().Len() > 0 {
		return true
	}
	return types.Implements(t, iface) || types.Implements(types.NewPointer(base), iface)
}
