package check

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/onefold/onefold/compiler/deterministic"
	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/compiler/ir"
	"github.com/onefold/onefold/compiler/pass"
)

// branches refuses errgroups that are no parallel branches of one method: each
// branch gets an instance of the receiver of its own, so the compiler must see
// group, branches and Wait in one place. Whether branches race is the alias
// checker's question.
func branches(u *pass.Unit) {
	c := newChecker(u)
	for f := range c.rewritten {
		if f.Runs == ir.InEffect {
			continue // its branches are goroutines
		}
		v := &branchVisitor{checker: c, f: f, info: f.File.Pkg.Info, groups: map[*types.Var]bool{}, waited: map[*types.Var]bool{}}
		inspect(f.Decl.Body, v.find)
		inspect(f.Decl.Body, v.use)
		v.unwaited()
	}
	c.groupSignatures()
}

type branchVisitor struct {
	*checker
	f      *ir.Function
	info   *types.Info
	groups map[*types.Var]bool
	order  []*types.Var
	waited map[*types.Var]bool
}

const branchFix = "declare the group in the method that uses it, start branches with g.Go(func() error { … }), and call g.Wait() there"

func isGroup(t types.Type) bool {
	if ptr, ok := types.Unalias(t).(*types.Pointer); ok {
		t = ptr.Elem()
	}
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == errgroupPath && named.Obj().Name() == "Group"
}

// find gathers the local variables that hold groups.
func (v *branchVisitor) find(stack []ast.Node) bool {
	if doAround(v.info, stack) != nil {
		return false
	}
	id, ok := stack[len(stack)-1].(*ast.Ident)
	if !ok {
		return true
	}
	obj, ok := v.info.Defs[id].(*types.Var)
	if !ok || !isGroup(obj.Type()) {
		return true
	}
	switch p := above(stack, 1).(type) {
	case *ast.AssignStmt:
		if len(p.Rhs) != 1 || !v.newGroup(p.Rhs[0]) {
			v.refuse(id, "is not made where it is declared")
			return true
		}
	case *ast.ValueSpec:
		if len(p.Values) > 0 && !v.newGroup(p.Values[0]) {
			v.refuse(id, "is not made where it is declared")
			return true
		}
		if _, ok := types.Unalias(obj.Type()).(*types.Pointer); ok && len(p.Values) == 0 {
			v.refuse(id, "is not made where it is declared")
			return true
		}
	default:
		v.refuse(id, "is a parameter")
		return true
	}
	v.groups[obj] = true
	v.order = append(v.order, obj)
	if v.f.Method == nil || v.f.Method.Receiver() == nil {
		v.refuse(id, "is in a function that is no method of a service with a named receiver")
	}
	if several(v.f.Runs) {
		v.errorf(id.Pos(), diag.Branches, "write one for each", "group %s: %s runs in %s methods, and a group is another thing in each", id.Name, v.f, v.f.Runs)
	}
	return true
}

// several reports whether a function runs in more than one kind of place.
func several(r ir.Runs) bool { return r&(r-1) != 0 }

// newGroup reports whether e makes a group: errgroup.WithContext(ctx),
// new(errgroup.Group), errgroup.Group{} or the address of that.
func (v *branchVisitor) newGroup(e ast.Expr) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.CallExpr:
		fn := callee(v.info, e)
		return builtin(v.info, e) == "new" || fn != nil && fn.Pkg() != nil && fn.Pkg().Path() == errgroupPath && fn.Name() == "WithContext"
	case *ast.CompositeLit:
		return true
	case *ast.UnaryExpr:
		_, ok := ast.Unparen(e.X).(*ast.CompositeLit)
		return e.Op == token.AND && ok
	}
	return false
}

func (v *branchVisitor) refuse(at ast.Node, what string) {
	name := "group"
	if id, ok := at.(*ast.Ident); ok {
		name = "group " + id.Name
	}
	v.errorf(at.Pos(), diag.Branches, branchFix, "%s: %s", name, what)
}

// use checks every mention of a group.
func (v *branchVisitor) use(stack []ast.Node) bool {
	if doAround(v.info, stack) != nil {
		return false
	}
	id, ok := stack[len(stack)-1].(*ast.Ident)
	if !ok {
		return true
	}
	obj, ok := v.info.Uses[id].(*types.Var)
	if !ok || !isGroup(obj.Type()) {
		return true
	}
	if !v.groups[obj] {
		if obj.IsField() || obj.Parent() == obj.Pkg().Scope() {
			v.refuse(id, "is not a local variable")
		}
		return true
	}
	sel, ok := above(stack, 1).(*ast.SelectorExpr)
	call, called := above(stack, 2).(*ast.CallExpr)
	if !ok || !called || ast.Unparen(call.Fun) != sel {
		v.refuse(id, "is passed on or copied")
		return true
	}
	if lit := enclosing(stack); lit != nil && obj.Pos() < lit.Pos() {
		v.refuse(id, "is used in a function literal, not in the function that declares it")
		return true
	}
	switch sel.Sel.Name {
	case "Wait":
		v.waited[obj] = true
	case "Go", "TryGo":
		v.start(id, call)
	}
	return true
}

// enclosing returns the innermost function literal on the path, or nil.
func enclosing(stack []ast.Node) *ast.FuncLit {
	for i := len(stack) - 1; i >= 0; i-- {
		if lit, ok := stack[i].(*ast.FuncLit); ok {
			return lit
		}
	}
	return nil
}

// start checks one branch.
func (v *branchVisitor) start(id *ast.Ident, call *ast.CallExpr) {
	lit, ok := ast.Unparen(call.Args[0]).(*ast.FuncLit)
	if !ok {
		v.errorf(call.Args[0].Pos(), diag.Branches, "write g.Go(func() error { return … })", "branch of group %s: %s is no function literal; the branch must show what it uses", id.Name, types.ExprString(call.Args[0]))
		return
	}
	ast.Inspect(lit.Body, func(n ast.Node) bool {
		ref, ok := n.(*ast.Ident)
		if !ok {
			return true
		}
		obj, ok := v.info.Uses[ref].(*types.Var)
		if !ok || obj.IsField() || lit.Pos() <= obj.Pos() && obj.Pos() < lit.End() || obj.Parent() == nil || obj.Pkg() == nil || obj.Parent() == obj.Pkg().Scope() {
			return true
		}
		v.captured(ref, obj)
		return true
	})
}

// captured checks a variable that a branch takes from around it. The receiver is
// the branch's own; what was derived from the receiver outside is not.
func (v *branchVisitor) captured(ref *ast.Ident, obj *types.Var) {
	switch {
	case v.f.Method != nil && obj == v.f.Method.Receiver():
	case v.prog.Pointee(obj.Type()) != nil:
		v.errorf(ref.Pos(), diag.Branches, "use the receiver's field inside the branch", "branch captures service %s: it belongs to the request outside the branch", obj.Name())
	case holdsFunc(obj.Type()) && v.touches(obj):
		v.errorf(ref.Pos(), diag.Branches, "declare the function inside the branch, or make it a method", "branch captures function %s, which may use the receiver outside the branch", obj.Name())
	}
}

// holdsFunc reports whether values of type t hold functions.
func holdsFunc(t types.Type) bool {
	switch u := t.Underlying().(type) {
	case *types.Signature:
		return true
	case *types.Slice:
		return holdsFunc(u.Elem())
	case *types.Array:
		return holdsFunc(u.Elem())
	case *types.Map:
		return holdsFunc(u.Elem())
	}
	return false
}

// touches reports whether the function that obj holds may use the receiver or a
// service: it does unless it is only ever a literal that mentions neither.
func (v *branchVisitor) touches(obj *types.Var) bool {
	values := assigned(v.f.Decl.Body, v.info, obj)
	if len(values) == 0 {
		return true
	}
	for _, value := range values {
		if value == nil {
			return true
		}
		switch e := ast.Unparen(value).(type) {
		case *ast.FuncLit:
			if v.mentionsService(e) {
				return true
			}
		case *ast.Ident, *ast.SelectorExpr:
			if tv := v.info.Types[e]; v.mentionsService(e) || !isFunction(v.info, e) || !tv.IsValue() {
				return true
			}
		default:
			return true
		}
	}
	return false
}

// isFunction reports whether e names a declared function.
func isFunction(info *types.Info, e ast.Node) bool {
	id, ok := e.(*ast.Ident)
	if sel, isSel := e.(*ast.SelectorExpr); isSel {
		id, ok = sel.Sel, true
	}
	if !ok {
		return false
	}
	_, ok = info.Uses[id].(*types.Func)
	return ok
}

func (v *branchVisitor) mentionsService(n ast.Node) bool {
	found := false
	ast.Inspect(n, func(n ast.Node) bool {
		id, ok := n.(*ast.Ident)
		if !ok {
			return !found
		}
		if v.ofWorkflow(v.info.Uses[id]) {
			found = true
		}
		obj, ok := v.info.Uses[id].(*types.Var)
		if ok && (v.prog.Pointee(obj.Type()) != nil || holdsFunc(obj.Type()) && !obj.IsField()) {
			found = true
		}
		return !found
	})
	return found
}

// ofWorkflow reports whether obj is a function that goes by the workflow of the receiver.
func (v *branchVisitor) ofWorkflow(obj types.Object) bool {
	fn, ok := obj.(*types.Func)
	if !ok || v.f.Runs&ir.InWorkflow == 0 {
		return false
	}
	_, derived := deterministic.FormOf(fn)
	return derived || ir.LibraryFunc(fn) != ""
}

// unwaited reports groups whose branches nobody waits for.
func (v *branchVisitor) unwaited() {
	for _, obj := range v.order {
		if !v.waited[obj] {
			v.errorf(obj.Pos(), diag.Branches, "call "+obj.Name()+".Wait() and return its error", "group %s: nothing waits for its branches", obj.Name())
		}
	}
}

// groupSignatures refuses groups in the signatures of functions and in struct fields.
func (c *checker) groupSignatures() {
	for _, pkg := range c.prog.Packages {
		for _, file := range pkg.Files {
			ast.Inspect(file.Syntax, func(n ast.Node) bool {
				field, ok := n.(*ast.Field)
				if !ok || field.Type == nil {
					return true
				}
				if t := pkg.Info.TypeOf(field.Type); t != nil && isGroup(t) {
					c.errorf(field.Type.Pos(), diag.Branches, branchFix, "errgroup.Group as a parameter, result or field: a group belongs to one method")
				}
				return true
			})
		}
	}
}
