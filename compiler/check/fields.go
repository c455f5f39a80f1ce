package check

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/compiler/ir"
	"github.com/onefold/onefold/compiler/pass"
)

// fields refuses what cannot be done with a field of its kind.
func fields(u *pass.Unit) {
	c := newChecker(u)
	for f := range c.rewritten {
		if f.Method != nil {
			c.persistent(f)
		}
		constructed := u.Prog.ConstructorOf(f.Func)
		inspect(f.Decl.Body, func(stack []ast.Node) bool {
			if sel, ok := stack[len(stack)-1].(*ast.SelectorExpr); ok {
				c.field(f, constructed, sel, stack)
			}
			return true
		})
	}
}

// persistent checks how f accesses persistent fields.
func (c *checker) persistent(f *ir.Function) {
	for _, acc := range f.Accesses {
		field := acc.Field
		if acc.Kind&ir.Address != 0 {
			c.errorf(acc.Sel.Pos(), diag.Address, "copy the value to a variable, change that, and store it back",
				"address of field %s or a part of it: state is not kept in memory", field.Name)
		}
		if field.Kind != ir.Map || field.Made {
			continue
		}
		index, ok := ast.Unparen(acc.Place).(*ast.IndexExpr)
		entry := ok && ast.Unparen(index.X) == acc.Sel && acc.Kind&(ir.Write|ir.Add) != 0
		if entry || acc.Kind&ir.Whole != 0 {
			c.errorf(acc.Sel.Pos(), diag.Unmade, "make it in New"+field.Service.Name+": "+field.Name+": "+typeName(field.Var.Type())+"{}",
				"map %s of service %s: no constructor makes it, so it is nil and cannot be written", field.Name, field.Service.Name)
		}
	}
}

// field checks one mention of a field of any kind in f.
func (c *checker) field(f *ir.Function, constructed *ir.Service, sel *ast.SelectorExpr, stack []ast.Node) {
	info := f.File.Pkg.Info
	field := c.prog.Selected(info, sel)
	if field == nil {
		return
	}
	if field.Kind == ir.Mutex {
		c.mutex(field, sel, stack)
		return
	}
	if constructed == field.Service {
		return
	}
	switch field.Kind {
	case ir.Dependency:
		if changed(sel, above(stack, 1)) {
			c.errorf(sel.Pos(), diag.Dependency, "set it in the constructor; choose between two dependencies in the method", "dependency %s of service %s: assigned after construction", field.Name, field.Service.Name)
		}
	case ir.Config:
		if changed(sel, above(stack, 1)) {
			c.errorf(sel.Pos(), diag.Config, "remove the onefold:\"config\" tag to make it state", "config field %s of service %s: assigned in a method; it is set once at start", field.Name, field.Service.Name)
		}
	case ir.Map:
		c.nilMap(f, field, sel, stack)
	}
}

// changed reports whether parent assigns sel or takes its address.
func changed(sel *ast.SelectorExpr, parent ast.Node) bool {
	switch p := parent.(type) {
	case *ast.AssignStmt:
		for _, lhs := range p.Lhs {
			if ast.Unparen(lhs) == sel {
				return true
			}
		}
	case *ast.IncDecStmt:
		return true
	case *ast.UnaryExpr:
		return p.Op == token.AND
	case *ast.RangeStmt:
		return p.X != sel
	}
	return false
}

// mutex checks one mention of a mutex field: a statement that locks or unlocks it.
func (c *checker) mutex(field *ir.Field, sel *ast.SelectorExpr, stack []ast.Node) {
	method, rest := sel, stack // an embedded mutex: h.Lock
	if m, ok := above(stack, 1).(*ast.SelectorExpr); ok && sel.Sel.Name == field.Name {
		method, rest = m, trim(stack, m)
	}
	call, ok := above(rest, 1).(*ast.CallExpr)
	if ok && ast.Unparen(call.Fun) == method {
		switch method.Sel.Name {
		case "Lock", "Unlock", "RLock", "RUnlock":
			switch above(trim(rest, call), 1).(type) {
			case *ast.ExprStmt, *ast.DeferStmt:
				return
			}
		}
	}
	c.errorf(sel.Sel.Pos(), diag.Mutex, "lock and unlock it in statements of its own: "+field.Name+".Lock(), defer "+field.Name+".Unlock()",
		"mutex %s of service %s: the transaction does its work, so it can be locked and unlocked; nothing else", field.Name, field.Service.Name)
}

// nilMap refuses to tell a nil map field from an empty one.
func (c *checker) nilMap(f *ir.Function, field *ir.Field, sel *ast.SelectorExpr, stack []ast.Node) {
	switch p := above(stack, 1).(type) {
	case *ast.BinaryExpr:
		if p.Op == token.EQL || p.Op == token.NEQ {
			c.errorf(p.Pos(), diag.NilMap, "compare len("+types.ExprString(sel)+") with 0", "map %s compared with nil: a stored map is never nil", field.Name)
		}
	case *ast.SwitchStmt:
		c.errorf(p.Pos(), diag.NilMap, "compare len("+types.ExprString(sel)+") with 0", "map %s compared with nil: a stored map is never nil", field.Name)
	case *ast.AssignStmt:
		for i, lhs := range p.Lhs {
			if ast.Unparen(lhs) != sel || !field.Made {
				continue
			}
			if len(p.Rhs) != len(p.Lhs) || !madeMap(f, p.Rhs[i], map[*types.Var]bool{}) {
				c.errorf(p.Pos(), diag.NilMap, "clear("+types.ExprString(sel)+"), or assign a map that is made here: make(…) or a literal",
					"map %s assigned a map that may be nil: a stored map is never nil", field.Name)
			}
		}
	}
}

// madeMap reports whether e is certainly no nil map: made here, or a local
// variable that is only ever assigned such maps.
func madeMap(f *ir.Function, e ast.Expr, seen map[*types.Var]bool) bool {
	info := f.File.Pkg.Info
	switch e := ast.Unparen(e).(type) {
	case *ast.CompositeLit:
		return true
	case *ast.CallExpr:
		fn := callee(info, e)
		return builtin(info, e) == "make" || fn != nil && fn.FullName() == "maps.Collect"
	case *ast.Ident:
		v, ok := info.Uses[e].(*types.Var)
		if !ok || seen[v] {
			return false
		}
		seen[v] = true
		values := assigned(f.Decl.Body, info, v)
		for _, value := range values {
			if value == nil || !madeMap(f, value, seen) {
				return false
			}
		}
		return len(values) > 0
	}
	return false
}

// assigned returns what body assigns to v; nil stands for what is no expression
// of its own, such as one of several results, or an address taken.
func assigned(body ast.Node, info *types.Info, v *types.Var) []ast.Expr {
	var values []ast.Expr
	is := func(e ast.Expr) bool {
		id, ok := ast.Unparen(e).(*ast.Ident)
		return ok && info.ObjectOf(id) == v
	}
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for i, lhs := range n.Lhs {
				if is(lhs) {
					values = append(values, nil)
					if len(n.Lhs) == len(n.Rhs) {
						values[len(values)-1] = n.Rhs[i]
					}
				}
			}
		case *ast.ValueSpec:
			for i, name := range n.Names {
				if is(name) {
					values = append(values, nil)
					if len(n.Values) == len(n.Names) {
						values[len(values)-1] = n.Values[i]
					}
				}
			}
		case *ast.UnaryExpr:
			if n.Op == token.AND && is(n.X) {
				values = append(values, nil)
			}
		case *ast.RangeStmt:
			if n.Key != nil && is(n.Key) || n.Value != nil && is(n.Value) {
				values = append(values, nil)
			}
		}
		return true
	})
	return values
}
