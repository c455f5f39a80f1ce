package check

import (
	"go/ast"
	"go/types"

	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/compiler/ir"
	"github.com/onefold/onefold/compiler/pass"
)

// serviceValues refuses services as values, other than pointers that are passed
// on to be called: compiled, a dependency is a client and a receiver carries the
// request's transaction, so neither can be copied, compared, stored or converted.
func serviceValues(u *pass.Unit) {
	c := newChecker(u)
	for _, pkg := range u.Prog.Packages {
		for _, file := range pkg.Files {
			for _, d := range file.Syntax.Decls {
				v := &serviceVisitor{checker: c, info: pkg.Info, pkg: pkg}
				if decl, ok := d.(*ast.FuncDecl); ok {
					fn, _ := pkg.Info.Defs[decl.Name].(*types.Func)
					v.method, v.constructs = u.Prog.MethodOf(fn), u.Prog.ConstructorOf(fn)
				}
				inspect(d, v.visit)
			}
		}
	}
}

// serviceVisitor looks at one top-level declaration.
type serviceVisitor struct {
	*checker
	info       *types.Info
	pkg        *ir.Package
	method     *ir.Method  // that the declaration declares, or nil
	constructs *ir.Service // that the declaration constructs, or nil
}

func (v *serviceVisitor) visit(stack []ast.Node) bool {
	n := stack[len(stack)-1]
	if id, ok := n.(*ast.Ident); ok {
		v.ident(id, stack)
	}
	e, ok := n.(ast.Expr)
	if !ok {
		return true
	}
	if _, ok := e.(*ast.ParenExpr); ok {
		return true
	}
	if tv := v.info.Types[e]; tv.IsValue() {
		if s := v.prog.Pointee(tv.Type); s != nil {
			v.value(e, s, stack)
		}
	}
	return true
}

// ident checks mentions of service types and constructors, and instances of
// generic functions with services.
func (v *serviceVisitor) ident(id *ast.Ident, stack []ast.Node) {
	switch obj := v.info.Uses[id].(type) {
	case *types.TypeName:
		if s := v.prog.ServiceOf(obj); s != nil {
			v.mention(id, s, stack)
		}
	case *types.Func:
		if s := v.prog.ConstructorOf(obj); s != nil {
			v.errorf(id.Pos(), diag.ServiceValue, "take the service as a constructor's parameter; build the graph for tests in a package that no service imports",
				"call of %s: services are made and wired by the generated program", obj.Name())
		}
	}
	for arg := range v.info.Instances[id].TypeArgs.Types() {
		if s := v.serviceIn(arg); s != nil {
			v.errorf(id.Pos(), diag.ServiceValue, "write it out for "+s.Name, "type argument %s: a service cannot be a type argument", typeName(arg))
		}
	}
}

func (v *serviceVisitor) serviceIn(t types.Type) *ir.Service {
	if s := v.prog.Pointee(t); s != nil {
		return s
	}
	switch t := types.Unalias(t).(type) {
	case *types.Slice:
		return v.serviceIn(t.Elem())
	case *types.Map:
		return v.serviceIn(t.Elem())
	case *types.Pointer:
		return v.serviceIn(t.Elem())
	}
	return v.prog.ServiceType(t)
}

// mention checks where the type of service s is named. It may be named as *S, as
// a receiver, field of a service, parameter, result or local variable.
func (v *serviceVisitor) mention(id *ast.Ident, s *ir.Service, stack []ast.Node) {
	if v.constructs == s {
		return
	}
	if sel, ok := above(stack, 1).(*ast.SelectorExpr); ok && sel.Sel == id {
		stack = stack[:len(stack)-1] // the package's name
	}
	star, ok := above(stack, 1).(*ast.StarExpr)
	if !ok {
		if spec, ok := above(stack, 1).(*ast.TypeSpec); ok && spec.Assign.IsValid() {
			v.errorf(id.Pos(), diag.ServiceValue, "use *"+s.Name+" itself", "type %s: another name for service %s", spec.Name.Name, s.Name)
			return
		}
		if !v.isReceiver(stack) { // a value receiver is refused as a signature
			v.errorf(id.Pos(), diag.ServiceValue, "use *"+s.Name+", and let the constructor's parameter provide it", "service %s as a value: there is one of it, made by the generated program", s.Name)
		}
		return
	}
	v.pointer(star, s, trim(stack, star))
}

// trim cuts the path so that it ends with n.
func trim(stack []ast.Node, n ast.Node) []ast.Node {
	for i := len(stack) - 1; i >= 0; i-- {
		if stack[i] == n {
			return stack[:i+1]
		}
	}
	return stack
}

func (v *serviceVisitor) isReceiver(stack []ast.Node) bool {
	decl, ok := stack[0].(*ast.FuncDecl)
	return ok && len(stack) > 2 && decl.Recv != nil && stack[1] == decl.Recv
}

// pointer checks where the type *S stands.
func (v *serviceVisitor) pointer(star *ast.StarExpr, s *ir.Service, stack []ast.Node) {
	switch parent := above(stack, 1).(type) {
	case *ast.Field:
		if _, ok := above(stack, 3).(*ast.FuncType); ok || v.isReceiver(stack) {
			return
		}
		if spec, ok := above(stack, 4).(*ast.TypeSpec); ok && v.prog.ServiceOf(v.typeName(spec)) != nil {
			return
		}
	case *ast.ValueSpec:
		if _, ok := stack[0].(*ast.FuncDecl); ok {
			return
		}
	case *ast.SelectorExpr:
		v.errorf(star.Pos(), diag.MethodValue, "write a function literal that calls the method", "method expression (*%s).%s: compiled, the method needs the request's receiver", s.Name, parent.Sel.Name)
		return
	}
	v.errorf(star.Pos(), diag.ServiceValue, "keep services in fields of services only, one field each",
		"type *%s: a service may be a field of a service, a parameter, a result or a local variable; nothing else", s.Name)
}

func (v *serviceVisitor) typeName(spec *ast.TypeSpec) *types.TypeName {
	obj, _ := v.info.Defs[spec.Name].(*types.TypeName)
	return obj
}
