package lower

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ast/edge"
	"golang.org/x/tools/go/ast/inspector"
	"golang.org/x/tools/go/types/typeutil"

	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/compiler/ir"
	"github.com/onefold/onefold/compiler/rewrite"
)

const errgroupPath = "golang.org/x/sync/errgroup"

// branches turns an errgroup into a group of parallel branches. Each branch gets
// the receiver as its own part of the transaction sees it, under the same name:
//
//	g, ctx := errgroup.WithContext(ctx)
//	g.Go(func() error { return f.hotel.Reserve(ctx, id) })
//
//	g, ctx := atomic.WithContext(ctx, f.tx, bindFrontend)
//	g.Go(func(f *Frontend) error { return f.hotel.Reserve(ctx, id) })
//
// In a workflow it is a group of branches of that:
//
//	g, ctx := workflow.WithContext(ctx, f.run, runFrontend)
func (f *file) branches() {
	for m, c := range f.methods {
		if m.Receiver() == nil {
			continue // reaches no service
		}
		b := &brancher{file: f, method: m, flow: f.inFlow(m)}
		if fn := f.prog.FunctionOf(m.Func); fn != nil && fn.Runs == ir.InEffect {
			continue // its branches are goroutines
		}
		for n := range c.Preorder((*ast.CallExpr)(nil), (*ast.CompositeLit)(nil), (*ast.UnaryExpr)(nil), (*ast.DeclStmt)(nil), (*ast.StarExpr)(nil)) {
			if !f.inEffect(n) {
				b.node(n)
			}
		}
	}
}

// brancher rewrites the groups of one method.
type brancher struct {
	*file
	method *ir.Method
	flow   bool // the method runs in a workflow
}

// holes fills in what all templates say: of a transaction, or of a workflow.
func (b *brancher) holes() rewrite.Holes {
	n := b.names.Service(b.method.Service)
	if b.flow {
		return rewrite.Holes{"atomic": b.Import(workflowPath, "workflow"), "tx": n.Run, "bind": n.BindRun, "service": b.method.Service.Name}
	}
	return rewrite.Holes{"atomic": b.Import(atomicPath, "atomic"), "tx": n.Tx, "bind": n.Bind, "service": b.method.Service.Name}
}

func (b *brancher) node(c inspector.Cursor) {
	switch n := c.Node().(type) {
	case *ast.CallExpr:
		b.call(c, n)
	case *ast.CompositeLit:
		// g := errgroup.Group{} becomes a pointer, which has the same methods.
		if isGroup(b.info.TypeOf(n)) && c.ParentEdgeKind() != edge.UnaryExpr_X {
			b.replace(n, "$atomic.NewGroup($h.$tx, $bind)", nil)
		}
	case *ast.UnaryExpr:
		b.address(n)
	case *ast.DeclStmt:
		b.declaration(n)
	case *ast.StarExpr:
		// func (f *Frontend) start(g *errgroup.Group): the type of a parameter.
		if tv := b.info.Types[n]; tv.IsType() && isGroup(b.info.TypeOf(n.X)) {
			b.Replace("branches", n, "*$atomic.Group[*$service]", b.holes())
		}
	}
}

// replace makes n the template, in which the group's transaction and bind
// function are known.
func (b *brancher) replace(n ast.Node, text string, holes rewrite.Holes) {
	if !b.visible(b.method.Receiver(), n.Pos()) {
		b.errorf(n, diag.Branches, "rename the variable", "errgroup: a variable hides the receiver %s here", b.method.Receiver().Name())
		return
	}
	all := b.holes()
	all["h"] = b.method.Receiver().Name()
	for name, hole := range holes {
		all[name] = hole
	}
	b.Replace("branches", n, text, all)
}

func (b *brancher) call(c inspector.Cursor, call *ast.CallExpr) {
	fn := typeutil.Callee(b.info, call)
	switch {
	case isFunc(fn, errgroupPath, "WithContext"):
		b.replace(call, "$atomic.WithContext($ctx, $h.$tx, $bind)", rewrite.Holes{"ctx": call.Args[0]})
	case isNew(b.info, call) && isGroup(b.info.TypeOf(call.Args[0])):
		b.replace(call, "$atomic.NewGroup($h.$tx, $bind)", nil)
	case fn != nil && (fn.Name() == "Go" || fn.Name() == "TryGo") && isGroup(receiverOf(fn)):
		b.branch(call.Args[0])
	}
}

// branch gives the function of a branch the receiver as its parameter.
func (b *brancher) branch(arg ast.Expr) {
	recv := b.method.Receiver()
	switch fn := ast.Unparen(arg).(type) {
	case *ast.FuncLit:
		name := recv.Name()
		if scope := b.info.Scopes[fn.Type]; scope != nil && scope.Lookup(name) != nil {
			b.errorf(fn, diag.Branches, "rename the variable", "branch: declares %s, which is the receiver's name", name)
			return
		}
		b.Replace("branches", fn.Type.Params, "($h *$service)", rewrite.Holes{"h": name, "service": b.method.Service.Name})
		return
	case *ast.SelectorExpr:
		// g.Go(f.reserve): the method without its receiver is the branch.
		if id, ok := ast.Unparen(fn.X).(*ast.Ident); ok && b.info.Uses[id] == recv && b.info.Selections[fn].Kind() == types.MethodVal {
			b.Replace("branches", arg, "(*$service).$name", rewrite.Holes{"service": b.method.Service.Name, "name": fn.Sel.Name})
			return
		}
	}
	b.errorf(arg, diag.Branches, "pass a function literal", "branch %s: not a function literal, so its part of the transaction cannot be told", b.Original(arg))
}

// address rewrites &errgroup.Group{} and &g, where g is a group.
func (b *brancher) address(n *ast.UnaryExpr) {
	if n.Op != token.AND || !isGroup(b.info.TypeOf(n.X)) {
		return
	}
	switch x := ast.Unparen(n.X).(type) {
	case *ast.CompositeLit:
		b.replace(n, "$atomic.NewGroup($h.$tx, $bind)", nil)
	case *ast.Ident:
		b.Replace("branches", n, x.Name, nil)
	}
}

// declaration rewrites
//
//	var g errgroup.Group
//	g := atomic.NewGroup(f.tx, bindFrontend)
func (b *brancher) declaration(n *ast.DeclStmt) {
	decl := n.Decl.(*ast.GenDecl)
	if decl.Tok != token.VAR || len(decl.Specs) != 1 {
		return
	}
	spec := decl.Specs[0].(*ast.ValueSpec)
	if spec.Type == nil || !isGroup(b.info.TypeOf(spec.Type)) || len(spec.Values) > 0 || len(spec.Names) != 1 {
		return
	}
	b.replace(n, "$g := $atomic.NewGroup($h.$tx, $bind)", rewrite.Holes{"g": spec.Names[0]})
}

func isGroup(t types.Type) bool {
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Name() == "Group" && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == errgroupPath
}

// receiverOf returns the type that fn is a method of, pointers left out, or nil.
func receiverOf(fn types.Object) types.Type {
	f, ok := fn.(*types.Func)
	if !ok || f.Signature().Recv() == nil {
		return nil
	}
	t := f.Signature().Recv().Type()
	if ptr, ok := t.(*types.Pointer); ok {
		t = ptr.Elem()
	}
	return t
}

func isNew(info *types.Info, call *ast.CallExpr) bool {
	return isBuiltin(info, call, "new")
}

// isBuiltin reports whether call calls the predeclared function name.
func isBuiltin(info *types.Info, call *ast.CallExpr, name string) bool {
	id, ok := ast.Unparen(call.Fun).(*ast.Ident)
	if !ok || id.Name != name {
		return false
	}
	_, ok = info.Uses[id].(*types.Builtin)
	return ok
}
