package frontend

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/compiler/ir"
)

// constructors finds NewX(deps…) *X of each service X, and what it sets.
func (b *builder) constructors() {
	found := map[string]declared{} // by package path and name
	for _, d := range b.funcs {
		found[d.file.Pkg.Path+"."+d.fn.Name()] = d
	}
	for _, s := range b.prog.Services {
		if d, ok := found[s.Pkg.Path+".New"+s.Name]; ok {
			b.constructor(s, d)
		}
		b.checkWired(s)
	}
	b.cycles()
}

func (b *builder) constructor(s *ir.Service, d declared) {
	sig := d.fn.Signature()
	pos := d.decl.Name.Pos()
	if sig.TypeParams().Len() > 0 || sig.Variadic() || d.decl.Body == nil {
		b.errorf(pos, diag.Constructor, "declare func New"+s.Name+"(deps…) *"+s.Name, "constructor %s: generic, variadic or without a body", d.fn.Name())
		return
	}
	if sig.Results().Len() != 1 || b.pointee(sig.Results().At(0).Type()) != s {
		b.errorf(pos, diag.Constructor, "return *"+s.Name+" alone; validate in a method", "constructor %s: results %s; want *%s", d.fn.Name(), typeString(sig.Results()), s.Name)
		return
	}
	c := &ir.Constructor{Func: d.fn, Decl: d.decl, File: d.file}
	for i := range sig.Params().Len() {
		v := sig.Params().At(i)
		dep := b.pointee(v.Type())
		if dep == nil || dep == s {
			b.unwired(d, v)
			continue
		}
		c.Deps = append(c.Deps, dep)
	}
	s.Constructor = c
	for _, f := range s.Fields {
		f.Made = false
	}
	b.settings(s, d)
}

// unwired reports a constructor's parameter that is no service.
func (b *builder) unwired(d declared, v *types.Var) {
	pos := position(v.Pos(), d.decl.Name)
	if s := b.implementing(v.Type()); s != nil {
		ptr := "*" + typeString(s.Obj.Type())
		b.errorf(pos, diag.Dependency, "take a "+ptr+", and make the field one", "constructor %s: parameter %s %s is an interface, which %s implements; want a pointer to another service",
			d.fn.Name(), v.Name(), typeString(v.Type()), ptr)
		return
	}
	b.errorf(pos, diag.Dependency, "pass services only: mark the type //onefold:service, or set the field by a constant or an onefold:\"config\" tag",
		"constructor %s: no package provides parameter %s %s; want a pointer to another service", d.fn.Name(), v.Name(), typeString(v.Type()))
}

// implementing returns the first service that implements t, nil where t is no interface with methods.
func (b *builder) implementing(t types.Type) *ir.Service {
	iface, ok := t.Underlying().(*types.Interface)
	if !ok || iface.NumMethods() == 0 {
		return nil
	}
	for _, s := range b.prog.Services {
		if types.Implements(types.NewPointer(s.Obj.Type()), iface) {
			return s
		}
	}
	return nil
}

// settings marks what the constructor sets: the fields of composite literals of
// s and assignments to fields of s. A dependency must be set whatever happens, so
// for them branches and loops do not count.
func (b *builder) settings(s *ir.Service, d declared) {
	for _, stmt := range d.decl.Body.List {
		var always bool
		switch stmt.(type) {
		case *ast.AssignStmt, *ast.DeclStmt, *ast.ReturnStmt, *ast.ExprStmt, *ast.BlockStmt:
			always = true
		}
		set := func(f *ir.Field, value ast.Expr) {
			isNil := value != nil && d.file.Pkg.Info.Types[value].IsNil()
			if !isNil && (always || f.Kind != ir.Dependency) {
				f.Made = true
			}
		}
		b.settingsIn(s, stmt, d.file.Pkg.Info, set)
	}
}

// settingsIn calls set for every field of s that stmt sets, with the value, which
// is nil where it is one of several results.
func (b *builder) settingsIn(s *ir.Service, stmt ast.Stmt, info *types.Info, set func(*ir.Field, ast.Expr)) {
	ast.Inspect(stmt, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CompositeLit:
			if t := info.TypeOf(n); t != nil && b.serviceType(deref(t)) == s {
				literal(s, n, set)
			}
		case *ast.AssignStmt:
			for i, lhs := range n.Lhs {
				f := b.selected(s, lhs, info)
				if f == nil {
					continue
				}
				if len(n.Rhs) == len(n.Lhs) {
					set(f, n.Rhs[i])
				} else {
					set(f, nil)
				}
			}
		}
		return true
	})
}

func deref(t types.Type) types.Type {
	if ptr, ok := types.Unalias(t).(*types.Pointer); ok {
		return ptr.Elem()
	}
	return t
}

// literal calls set for every field that lit sets.
func literal(s *ir.Service, lit *ast.CompositeLit, set func(*ir.Field, ast.Expr)) {
	strct := s.Obj.Type().Underlying().(*types.Struct)
	for i, elt := range lit.Elts {
		name, value := "", elt
		if kv, ok := elt.(*ast.KeyValueExpr); ok {
			if key, ok := kv.Key.(*ast.Ident); ok {
				name, value = key.Name, kv.Value
			}
		} else if i < strct.NumFields() {
			name = strct.Field(i).Name()
		}
		if f := s.Field(name); f != nil {
			set(f, value)
		}
	}
}

// selected returns the field of s that lhs names, or nil.
func (b *builder) selected(s *ir.Service, lhs ast.Expr, info *types.Info) *ir.Field {
	sel, ok := ast.Unparen(lhs).(*ast.SelectorExpr)
	if !ok {
		return nil
	}
	selection := info.Selections[sel]
	if selection == nil || len(selection.Index()) != 1 || b.serviceType(deref(selection.Recv())) != s {
		return nil
	}
	return s.Field(sel.Sel.Name)
}

// checkWired reports dependencies that nothing sets: plain Go would find nil there.
func (b *builder) checkWired(s *ir.Service) {
	for _, f := range s.Fields {
		if f.Kind != ir.Dependency || f.Made {
			continue
		}
		what := "no constructor New" + s.Name + " sets it"
		if s.Constructor != nil {
			what = "constructor New" + s.Name + " does not set it"
		}
		b.errorf(f.Pos, diag.Dependency, "set it from a parameter of func New"+s.Name+"(… *"+typeString(f.Target.Obj.Type())+") *"+s.Name,
			"dependency %s of service %s: %s, so it would be nil", f.Name, s.Name, what)
	}
}

// cycles reports services whose constructors need each other.
func (b *builder) cycles() {
	state := map[*ir.Service]int{} // 1: on the path, 2: done
	var path []*ir.Service
	var visit func(s *ir.Service)
	visit = func(s *ir.Service) {
		if state[s] == 2 || s.Constructor == nil {
			return
		}
		if state[s] == 1 {
			b.cycle(path[slices.Index(path, s):])
			return
		}
		state[s] = 1
		path = append(path, s)
		for _, dep := range s.Constructor.Deps {
			visit(dep)
		}
		path = path[:len(path)-1]
		state[s] = 2
	}
	for _, s := range b.prog.Services {
		visit(s)
	}
}

func (b *builder) cycle(path []*ir.Service) {
	first := path[0]
	d := diag.Diagnostic{
		Pos:     b.src.Fset.Position(first.Constructor.Decl.Name.Pos()),
		Code:    diag.Recursion,
		Message: "service " + first.Name + ": needs itself to be constructed",
		Fix:     "move what both need into a third service",
	}
	for i, s := range path {
		next := path[(i+1)%len(path)]
		d.Related = append(d.Related, diag.Related{Pos: b.paramPosition(s, next), Message: s.Name + " needs " + next.Name})
	}
	b.diags.Add(d)
}

// paramPosition returns where the constructor of s asks for dep.
func (b *builder) paramPosition(s, dep *ir.Service) token.Position {
	params := s.Constructor.Func.Signature().Params()
	for v := range params.Variables() {
		if b.pointee(v.Type()) == dep {
			return b.src.Fset.Position(position(v.Pos(), s.Constructor.Decl.Name))
		}
	}
	return b.src.Fset.Position(s.Constructor.Decl.Name.Pos())
}
