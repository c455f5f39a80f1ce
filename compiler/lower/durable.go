package lower

import (
	"go/ast"
	"go/types"
	"strings"

	"golang.org/x/tools/go/ast/inspector"
	"golang.org/x/tools/go/types/typeutil"

	"github.com/onefold/onefold/compiler/deterministic"
	"github.com/onefold/onefold/compiler/ir"
	"github.com/onefold/onefold/compiler/rewrite"
)

// durable turns the functions of package onefold, and in workflows those of the
// clock and of chance, into those of the workflow or transaction that the receiver holds:
//
//	onefold.Do(ctx, "charge", fn)             workflow.Do(ctx, s.run, "charge", codec.String, fn)
//	onefold.Await[string](ctx, "paid", day)   workflow.Await(ctx, s.run, "paid", day, codec.String)
//	onefold.Signal(ctx, id, "paid", v)        workflow.Signal(ctx, s.run, id, "paid", codec.String, v),
//	                                          workflow.SignalTx(s.tx, …) in an atomic method
//	onefold.ID(ctx)                           s.run.ID()
//	onefold.Version(ctx, "new")               s.run.Version("new")
//	time.Now()                                s.run.Now()
func (f *file) durable() {
	for m, c := range f.methods {
		if m.Receiver() == nil {
			continue // reaches nothing
		}
		for n := range c.Preorder((*ast.CallExpr)(nil)) {
			f.durableCall(m, n)
		}
	}
}

func (f *file) durableCall(m *ir.Method, c inspector.Cursor) {
	call := c.Node().(*ast.CallExpr)
	fn := typeutil.Callee(f.info, call)
	name := ir.LibraryFunc(fn)
	switch name {
	case "Tx":
	case "Go":
		f.later(m, call)
	case "":
		if f.inFlow(m) && !f.inEffect(c) {
			f.derived(m, call, fn)
		}
	default:
		f.library(m, call, name)
	}
}

// inEffect reports whether c is inside the function of an onefold.Do.
func (f *file) inEffect(c inspector.Cursor) bool {
	for up := range c.Enclosing((*ast.CallExpr)(nil)) {
		call := up.Node().(*ast.CallExpr)
		if ir.LibraryFunc(typeutil.Callee(f.info, call)) == "Do" && len(call.Args) == 3 && call.Args[2].Pos() <= c.Node().Pos() && c.Node().End() <= call.Args[2].End() {
			return true
		}
	}
	return false
}

// library rewrites one call of a function of package onefold.
func (f *file) library(m *ir.Method, call *ast.CallExpr, name string) {
	h := f.receiver(m, call, "onefold."+name)
	if h == "" {
		return
	}
	n := f.names.Service(m.Service)
	holes := rewrite.Holes{"h": h, "run": n.Run, "tx": n.Tx, "ctx": call.Args[0]}
	for i, arg := range call.Args[1:] {
		holes[[]string{"a", "b", "c"}[i]] = arg
	}
	text := ""
	switch name {
	case "ID":
		text = "$h.$run.ID()"
	case "Version":
		text = "$h.$run.Version($a)"
	case "Do":
		text = "$workflow.Do($ctx, $h.$run, $a, $codec, $b)"
		holes["codec"] = f.valueCodec(resultOf(f.info, call))
	case "Await":
		text = "$workflow.Await($ctx, $h.$run, $a, $b, $codec)"
		holes["codec"] = f.valueCodec(resultOf(f.info, call))
	case "Signal":
		text = "$workflow.SignalTx($h.$tx, $a, $b, $codec, $c)"
		if f.inFlow(m) {
			text = "$workflow.Signal($ctx, $h.$run, $a, $b, $codec, $c)"
		}
		holes["codec"] = f.valueCodec(f.signalType(call))
	}
	if strings.Contains(text, "$workflow") {
		holes["workflow"] = f.Import(workflowPath, "workflow")
	}
	f.Replace("durable", call, text, holes)
}

// resultOf returns the type of the first result of call.
func resultOf(info *types.Info, call *ast.CallExpr) types.Type {
	return info.TypeOf(call).(*types.Tuple).At(0).Type()
}

// signalType returns the type of the value that a call of onefold.Signal sends.
func (f *file) signalType(call *ast.CallExpr) types.Type {
	return f.info.TypeOf(call.Fun).(*types.Signature).Params().At(3).Type()
}

// valueCodec returns an expression for the codec of t.
func (f *file) valueCodec(t types.Type) string {
	if name := runtimeCodec(t); name != "" {
		return f.Import(codecPath, "codec") + "." + name
	}
	return f.names.Value(f.ir.Pkg, t)
}

// runtimeCodec returns the codec of package codec for t, "" if it has none.
func runtimeCodec(t types.Type) string {
	switch t := types.Unalias(t).(type) {
	case *types.Basic:
		name := types.Typ[t.Kind()].Name() // byte is uint8, rune is int32
		return strings.ToUpper(name[:1]) + name[1:]
	case *types.Named:
		if pkg := t.Obj().Pkg(); pkg != nil && pkg.Path() == "time" && (t.Obj().Name() == "Time" || t.Obj().Name() == "Duration") {
			return t.Obj().Name()
		}
	}
	return ""
}

// later turns
//
//	onefold.Go(ctx, func(ctx context.Context) error { return s.mail.Send(ctx, to) })
//
// into a message, whose arguments are taken at once:
//
//	s.mail.SendLater(ctx, to)
func (f *file) later(m *ir.Method, call *ast.CallExpr) {
	sent := ir.SentCall(call)
	if sent == nil {
		return // refused
	}
	sel := ast.Unparen(sent.Fun).(*ast.SelectorExpr)
	target := f.prog.MethodOf(f.info.Uses[sel.Sel].(*types.Func))
	text, holes := "$x.$later($ctx$args)", rewrite.Holes{"x": sel.X, "ctx": call.Args[0], "args": "", "later": f.names.Service(target.Service).Durable(target).Later}
	if f.isReceiver(m, sel.X) {
		h := f.receiver(m, call, "onefold.Go")
		if h == "" {
			return
		}
		holes["x"] = h + "." + f.names.Service(m.Service).Self + "()"
	}
	if len(sent.Args) > 1 {
		holes["args"] = rewrite.Compose(", $list", rewrite.Holes{"list": rewrite.Span{From: sent.Args[1].Pos(), To: sent.Args[len(sent.Args)-1].End()}})
	}
	f.Replace("durable", call, text, holes)
}

// derived gives a call of the clock or of chance the form that a workflow can replay.
func (f *file) derived(m *ir.Method, call *ast.CallExpr, callee types.Object) {
	fn, _ := callee.(*types.Func)
	form, ok := deterministic.FormOf(fn)
	if !ok {
		return
	}
	h := f.receiver(m, call, types.ExprString(call.Fun))
	if h == "" {
		return
	}
	holes := rewrite.Holes{"h": h, "run": f.names.Service(m.Service).Run, "args": "", "pkg": ""}
	if len(call.Args) > 0 {
		holes["args"] = rewrite.Span{From: call.Args[0].Pos(), To: call.Args[len(call.Args)-1].End()}
	}
	if form.Import != "" {
		holes["pkg"] = f.Import(form.Import, form.Name)
	}
	f.Replace("durable", call, form.Text, holes)
}
