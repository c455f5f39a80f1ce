package check

import (
	"cmp"
	"go/ast"
	"go/token"
	"go/types"
	"strconv"

	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/compiler/ir"
	"github.com/onefold/onefold/compiler/pass"
	"github.com/onefold/onefold/compiler/storable"
)

// storableTypes checks the types of persistent fields, and of what crosses a call.
func storableTypes(u *pass.Unit) {
	c := newStorable(newChecker(u))
	for _, s := range u.Prog.Services {
		for _, f := range s.Fields {
			if f.Kind.Persistent() {
				c.field(f)
			}
		}
		for _, m := range s.Methods {
			c.method(m)
		}
	}
	for f := range c.rewritten {
		ast.Inspect(f.Decl.Body, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				c.library(f, call)
			}
			return true
		})
	}
}

type storableChecker struct {
	*checker
	types storable.Checker
}

func newStorable(c *checker) *storableChecker {
	return &storableChecker{checker: c, types: storable.Checker{
		Own: func(p *types.Package) bool {
			pkg := c.prog.PackageOf(p)
			return pkg != nil && pkg.OutPath != ""
		},
		Service: func(obj *types.TypeName) bool { return c.prog.ServiceOf(obj) != nil },
	}}
}

func (c *storableChecker) field(f *ir.Field) {
	what := "field " + f.Name
	if f.Kind == ir.Map {
		c.problem(c.types.Key(f.Key), f.Pos, what+": key")
	}
	c.problem(c.types.Stored(f.Elem), f.Pos, what)
}

// method checks what a request carries: params and results travel as JSON.
func (c *storableChecker) method(m *ir.Method) {
	sig := m.Func.Signature()
	for v := range sig.Params().Variables() {
		if c.carried(v.Type()) {
			c.crossing(m, v.Type(), v.Pos(), "method "+m.String()+": parameter "+v.Name())
		}
	}
	for i, p := range m.Results {
		if !c.carried(p.Type) {
			continue
		}
		what := "result " + p.Name
		if p.Name == "" {
			what = "result " + strconv.Itoa(i+1)
		}
		c.crossing(m, p.Type, sig.Results().At(i).Pos(), "method "+m.String()+": "+what)
	}
}

// crossing checks a parameter or result; what a log or message carries is stored as well.
func (c *storableChecker) crossing(m *ir.Method, t types.Type, pos token.Pos, what string) {
	p := c.types.JSON(t)
	if p == nil && (m.Kind == ir.Workflow || m.Step || m.Message) {
		p = c.types.Stored(t)
	}
	c.problem(p, pos, what)
}

// library checks what the functions of package onefold carry: results of effects are
// stored, and the values of signals also come as JSON.
func (c *storableChecker) library(f *ir.Function, call *ast.CallExpr) {
	info := f.File.Pkg.Info
	name := ir.LibraryFunc(callee(info, call))
	var t types.Type
	switch name {
	case "Do", "Await":
		if results, ok := info.TypeOf(call).(*types.Tuple); ok {
			t = results.At(0).Type()
		}
	case "Signal":
		t = info.TypeOf(call.Fun).(*types.Signature).Params().At(3).Type()
	}
	if t == nil {
		return
	}
	what := "onefold." + name
	if obj := localType(t, map[types.Type]bool{}); obj != nil {
		c.errorf(call.Pos(), diag.Unstorable, "declare it in the package", "%s: %s is declared in a function, where no generated code could name it", what, obj.Name())
		return
	}
	p := c.types.Stored(t)
	if p == nil && name != "Do" {
		p = c.types.JSON(t)
	}
	c.problem(p, call.Pos(), what)
}

// localType returns a type that t is made of and a function declares, or nil.
func localType(t types.Type, seen map[types.Type]bool) *types.TypeName {
	t = types.Unalias(t)
	if seen[t] {
		return nil
	}
	seen[t] = true
	switch t := t.(type) {
	case *types.Named:
		if pkg := t.Obj().Pkg(); pkg != nil && t.Obj().Parent() != nil && t.Obj().Parent() != pkg.Scope() {
			return t.Obj()
		}
		for arg := range t.TypeArgs().Types() {
			if obj := localType(arg, seen); obj != nil {
				return obj
			}
		}
	case *types.Pointer:
		return localType(t.Elem(), seen)
	case *types.Slice:
		return localType(t.Elem(), seen)
	case *types.Array:
		return localType(t.Elem(), seen)
	case *types.Map:
		return cmp.Or(localType(t.Key(), seen), localType(t.Elem(), seen))
	case *types.Struct:
		for f := range t.Fields() {
			if obj := localType(f.Type(), seen); obj != nil {
				return obj
			}
		}
	}
	return nil
}

// carried reports whether the frontend has not refused t already.
func (c *storableChecker) carried(t types.Type) bool {
	if named, ok := types.Unalias(t).(*types.Named); ok {
		obj := named.Obj()
		if obj.Pkg() == nil || obj.Pkg().Path() == "context" {
			return false
		}
	}
	return c.prog.Pointee(t) == nil && c.prog.ServiceType(t) == nil
}

func (c *storableChecker) problem(p *storable.Problem, pos token.Pos, what string) {
	if p == nil {
		return
	}
	var related []diag.Related
	if p.Pos.IsValid() && p.Pos != pos {
		related = []diag.Related{{Pos: c.prog.Position(p.Pos), Message: "the field " + p.Path}}
	}
	if p.Path != "" {
		what += ", at " + p.Path
	}
	c.report(pos, diag.Error, diag.Unstorable, related, p.Fix, "%s: %s: %s", what, typeName(p.Type), p.Reason)
}
