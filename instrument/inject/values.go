package inject

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/compiler/rewrite"
)

// fieldOf returns the rule of a field and its full name.
func fieldOf(v *types.Var) (field, string, bool) {
	if v.Pkg() == nil || !v.IsField() {
		return field{}, "", false
	}
	for name, fd := range fields {
		path, typ, fieldName := splitField(name)
		if v.Name() != fieldName || v.Pkg().Path() != path {
			continue
		}
		if s := structOf(v.Pkg().Scope().Lookup(typ)); s != nil {
			for i := range s.NumFields() {
				if s.Field(i) == v {
					return fd, name, true
				}
			}
		}
	}
	return field{}, "", false
}

// splitField splits path.Type.Field.
func splitField(name string) (path, typ, field string) {
	i := strings.LastIndexByte(name, '.')
	j := strings.LastIndexByte(name[:i], '.')
	return name[:j], name[j+1 : i], name[i+1:]
}

func structOf(obj types.Object) *types.Struct {
	if obj == nil {
		return nil
	}
	s, _ := obj.Type().Underlying().(*types.Struct)
	return s
}

// fieldUse deals with x.Handler and the like.
//
//	s.Handler = h                    → s.Handler = slowpoke.Handler(h)
//	s.Handler.(*App)                 → slowpoke.Unwrap(s.Handler).(*App)
func (f *file) fieldUse(c inspector.Cursor, n *ast.SelectorExpr, fd field, name string) {
	switch p := c.Parent().Node().(type) {
	case *ast.AssignStmt:
		i := slices.Index(p.Lhs, ast.Expr(n))
		switch {
		case i < 0:
			f.read(c, n, fd)
		case len(p.Lhs) == len(p.Rhs):
			f.set(p.Rhs[i], fd, name)
		case !f.skips.has(n):
			f.refuse(n, "assign it in a statement of its own", "%s gets one of several results", name)
		}
	case *ast.UnaryExpr:
		if p.Op == token.AND && !f.skips.has(n) {
			f.refuse(n, "assign to the field instead", "the address of %s is taken", name)
		}
	case *ast.SelectorExpr: // a method is called
	default:
		f.read(c, n, fd)
	}
}

func (f *file) read(c inspector.Cursor, n ast.Expr, fd field) {
	if !f.wrapped(c) && !f.skips.has(n) {
		f.call(n, "slowpoke", fd.unwrap)
	}
}

// set wraps what is put into a field.
func (f *file) set(value ast.Expr, fd field, name string) {
	isNil := f.pkg.TypesInfo.Types[value].IsNil()
	switch {
	case f.skips.has(value):
		f.site(value, fd.kind, name, "", skippedByMark)
		return
	case isNil && !fd.zero:
		return // http.DefaultServeMux, whose routes are measured
	case !f.isRuntimeCall(value) || isUnwrap(f.callee(ast.Unparen(value).(*ast.CallExpr))):
		f.call(value, "slowpoke", fd.wrap)
	}
	f.site(value, fd.kind, name, "", "")
}

// isUnwrap reports whether a function of the runtime takes a wrapper off.
func isUnwrap(fn *types.Func) bool { return fn.Name() == "Unwrap" || fn.Name() == "Base" }

// literal deals with T{…} where T has a field that is measured even if it is left out.
//
//	http.Client{Timeout: t} → http.Client{Transport: slowpoke.Transport(nil), Timeout: t}
func (f *file) literal(c inspector.Cursor, lit *ast.CompositeLit) {
	t := f.pkg.TypesInfo.TypeOf(lit)
	if _, ok := madeTypes[typeName(t)]; ok {
		if at, ok := c.Parent().Node().(*ast.UnaryExpr); ok && at.Op == token.AND {
			f.made(c.Parent(), at, t)
		} else if !f.skips.has(lit) {
			f.refuse(lit, "make a pointer", "a %s as a value cannot be instrumented", typeName(t))
		}
		return
	}
	fd, name, s := zeroField(t)
	if s == nil {
		return
	}
	_, _, fieldName := splitField(name)
	if len(lit.Elts) > 0 {
		if _, keyed := lit.Elts[0].(*ast.KeyValueExpr); !keyed {
			for i := range s.NumFields() {
				if s.Field(i).Name() == fieldName && i < len(lit.Elts) {
					f.set(lit.Elts[i], fd, name)
				}
			}
			return
		}
	}
	given := slices.ContainsFunc(lit.Elts, func(e ast.Expr) bool {
		key, ok := e.(*ast.KeyValueExpr).Key.(*ast.Ident)
		return ok && key.Name == fieldName
	})
	if !given {
		f.addField(lit, fd, name, fieldName)
	}
}

// zeroField returns the field of a type that is measured even if it is left out.
func zeroField(t types.Type) (field, string, *types.Struct) {
	if p, ok := t.Underlying().(*types.Pointer); ok { // &T is left out in a slice of pointers
		t = p.Elem()
	}
	of := typeName(t)
	for name, fd := range fields {
		if path, typ, _ := splitField(name); fd.zero && path+"."+typ == of {
			s, _ := t.Underlying().(*types.Struct)
			return fd, name, s
		}
	}
	return field{}, "", nil
}

func (f *file) addField(lit *ast.CompositeLit, fd field, name, fieldName string) {
	if f.skips.has(lit) {
		f.site(lit, fd.kind, name, "", skippedByMark)
		return
	}
	text := fieldName + ": " + f.runtimeFunction("slowpoke", fd.wrap) + "(nil)"
	if len(lit.Elts) > 0 {
		f.around(lit.Elts[0], text+", ", "")
	} else {
		f.around(lit, "", "")
		typ := any("") // left out in a slice
		if lit.Type != nil {
			typ = lit.Type
		}
		f.cores[lit] = rewrite.Compose("$type{$field}", rewrite.Holes{"type": typ, "field": text})
	}
	f.site(lit, fd.kind, name, "", "")
}

// made deals with &T{} and new(T) of types that are measured whatever is in them.
func (f *file) made(c inspector.Cursor, n ast.Expr, t types.Type) {
	r, ok := madeTypes[typeName(t)]
	if fd, _, s := zeroField(t); s != nil && !ok {
		r, ok = rule{kind: fd.kind, pkg: "slowpoke", fn: fd.make}, true
	}
	switch {
	case !ok:
		return
	case f.skips.has(n):
		f.site(n, r.kind, typeName(t), "", skippedByMark)
		return
	case !f.wrapped(c):
		f.call(n, r.pkg, r.fn)
		f.uses(r.pkg, packagePath(t))
	}
	f.site(n, r.kind, typeName(t), "", "")
}

// variables deals with variables that are declared without a value.
//
//	var client http.Client → var client = http.Client{Transport: slowpoke.Transport(nil)}
func (f *file) variables(n *ast.ValueSpec) {
	if n.Type == nil || len(n.Values) > 0 {
		return
	}
	t := f.pkg.TypesInfo.TypeOf(n.Type)
	if _, isPointer := t.Underlying().(*types.Pointer); isPointer {
		return
	}
	if _, ok := madeTypes[typeName(t)]; ok && !f.skips.has(n) {
		f.refuse(n, "make a pointer", "a %s as a variable cannot be instrumented", typeName(t))
		return
	}
	fd, name, s := zeroField(t)
	if s == nil {
		return
	}
	if f.skips.has(n) {
		f.site(n, fd.kind, name, "", skippedByMark)
		return
	}
	_, _, fieldName := splitField(name)
	value := "{" + fieldName + ": " + f.runtimeFunction("slowpoke", fd.wrap) + "(nil)}"
	more := strings.Repeat(", "+f.Original(n.Type)+value, len(n.Names)-1)
	f.around(n.Type, "= ", value+more)
	for _, id := range n.Names {
		f.site(id, fd.kind, name, "", "")
	}
}

// structFields warns of clients inside structs, which have no transport unless one is
// set.
func (f *file) structFields(n *ast.StructType) {
	for _, fl := range n.Fields.List {
		t := f.pkg.TypesInfo.TypeOf(fl.Type)
		if t == nil {
			continue
		}
		if _, isPointer := t.Underlying().(*types.Pointer); isPointer {
			continue
		}
		if _, name, s := zeroField(t); s != nil && !f.skips.has(fl) {
			f.m.result.Diagnostics.Warnf(f.position(fl), diag.Instrument, "make it a pointer, or skip it with //onefold:skip", "calls of a %s that is never set are not counted", strings.TrimSuffix(name, ".Transport"))
		}
	}
}
