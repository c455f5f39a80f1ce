package inject

import (
	"go/ast"
	"go/constant"
	"go/types"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/tools/go/ast/inspector"

	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/compiler/rewrite"
	"github.com/onefold/onefold/instrument/slowpoke"
)

// reference deals with a mention of a function.
func (f *file) reference(c inspector.Cursor, n ast.Expr, fn *types.Func) {
	name := unversioned(fn.Origin().FullName())
	at, call := called(c)
	r, ok := functions[name]
	switch {
	case name == "(*net/http.Request).Clone":
		f.clone(n)
	case !ok:
		f.registration(call, n, fn)
	case f.isMethodExpr(n) && f.skips.has(n):
		f.site(n, r.kind, name, "", skippedByMark)
	case f.isMethodExpr(n):
		f.refuse(n, "call it on its mux", "%s as a method expression cannot be instrumented", name)
	case r.result:
		f.result(at, call, n, name, r, fn.Pkg().Path())
	default:
		f.wrapFunction(c, call, n, name, r)
	}
}

// wrapFunction puts the runtime around a function:
//
//	mux.HandleFunc("/rooms", rooms) → slowpoke.HandleFunc(mux.HandleFunc)("/rooms", rooms)
func (f *file) wrapFunction(c inspector.Cursor, call *ast.CallExpr, n ast.Expr, name string, r rule) {
	route := ""
	if r.kind == Route {
		route = f.routeName("", call)
		if call == nil && f.wrapped(c) { // by an earlier run
			_, call = called(c.Parent())
			route = f.routeName("", call)
		}
	}
	switch {
	case f.skips.has(n):
		f.site(n, r.kind, name, route, skippedByMark)
		if r.kind == Route {
			f.skipHandler(n, call)
		}
		return
	case !f.wrapped(c):
		f.call(n, r.pkg, r.fn)
	}
	f.site(n, r.kind, name, route, unmeasured(route))
}

// result puts the runtime around the result of a call: gin.New() → slowgin.Engine(gin.New())
func (f *file) result(at inspector.Cursor, call *ast.CallExpr, n ast.Expr, name string, r rule, path string) {
	switch {
	case f.skips.has(n):
		f.site(n, r.kind, name, "", skippedByMark)
		return
	case call == nil:
		f.refuse(n, "call it where it is mentioned", "%s as a value cannot be instrumented", name)
		return
	case !f.wrapped(at):
		f.call(call, r.pkg, r.fn)
		f.uses(r.pkg, path)
	}
	f.site(n, r.kind, name, "", "")
}

// clone keeps the clone of a request the same request: r.Clone(ctx) → slowpoke.Clone(r)(ctx)
func (f *file) clone(n ast.Expr) {
	sel, ok := n.(*ast.SelectorExpr)
	if ok && types.TypeString(f.pkg.TypesInfo.TypeOf(sel.X), nil) == "*net/http.Request" && !f.isMethodExpr(n) {
		f.around(n, "", "")
		f.cores[n] = rewrite.Compose("$clone($request)", rewrite.Holes{"clone": f.runtimeFunction("slowpoke", "Clone"), "request": sel.X})
	}
}

// uses notes by which import path the module knows a router.
func (f *file) uses(pkg, path string) {
	if sample[pkg] != "" {
		f.m.used[pkg] = path
	}
}

func (f *file) isMethodExpr(n ast.Expr) bool {
	sel, ok := n.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	s := f.pkg.TypesInfo.Selections[sel]
	return s != nil && s.Kind() == types.MethodExpr
}

const skippedByMark = "//onefold:skip"

// unmeasured returns why requests of a route do not count, "" if they do.
func unmeasured(route string) string {
	path := route
	if _, rest, ok := strings.Cut(route, " "); ok {
		path = rest
	}
	if route == "" || slowpoke.Measured(path) {
		return ""
	}
	return "watches the service"
}

// registration lists the registration of a handler with a router that is measured as
// a whole.
func (f *file) registration(call *ast.CallExpr, n ast.Expr, fn *types.Func) {
	if fn.Pkg() == nil || call == nil || fn.Signature().Recv() == nil {
		return
	}
	path := strings.TrimSuffix(unversioned(fn.Pkg().Path()+"."), ".")
	if !slices.Contains(registrations[path], fn.Name()) {
		return
	}
	what := unversioned(fn.Origin().FullName())
	route := f.routeName(verb(fn.Name()), call)
	if f.skips.has(n) {
		f.site(n, Route, what, route, skippedByMark)
		f.skipHandler(n, call)
		return
	}
	f.site(n, Route, what, route, unmeasured(route))
}

var verbs = []string{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "CONNECT", "TRACE"}

// verb returns the HTTP method that a router's method is named after, or "".
func verb(name string) string {
	if name = strings.ToUpper(name); slices.Contains(verbs, name) {
		return name
	}
	return ""
}

// routeName returns the route that a call registers, as far as the source says it: a
// method and a path, in one constant or in two.
func (f *file) routeName(method string, call *ast.CallExpr) string {
	var parts []string
	if method != "" {
		parts = append(parts, method)
	}
	if call == nil {
		return ""
	}
	for _, arg := range call.Args[:min(2, len(call.Args))] {
		v := f.pkg.TypesInfo.Types[arg].Value
		if v == nil || v.Kind() != constant.String {
			break
		}
		parts = append(parts, constant.StringVal(v))
	}
	return strings.Join(parts, " ")
}

// skipHandler makes the runtime leave out the handler of a call. What is left out has to
// be so for wrappers around it, too.
func (f *file) skipHandler(n ast.Node, call *ast.CallExpr) {
	if call != nil && !call.Ellipsis.IsValid() {
		sig, _ := f.pkg.TypesInfo.TypeOf(call.Fun).(*types.Signature)
		for i := len(call.Args) - 1; i >= 0 && sig != nil; i-- {
			if s, ok := skips[typeName(parameter(sig, i))]; ok {
				if !f.isRuntimeCall(call.Args[i]) {
					f.call(call.Args[i], s.pkg, s.fn)
					f.uses(s.pkg, packagePath(parameter(sig, i)))
				}
				return
			}
		}
	}
	f.m.result.Diagnostics.Errorf(f.position(n), diag.Instrument, "name the handler in the call, or do not skip it", "a handler that is not in the call cannot be left out")
}

// parameter returns the type of the i-th argument.
func parameter(sig *types.Signature, i int) types.Type {
	if last := sig.Params().Len() - 1; sig.Variadic() && i >= last {
		return sig.Params().At(last).Type().(*types.Slice).Elem()
	}
	if i >= sig.Params().Len() {
		return types.Typ[types.Invalid] // f(g()) with several results
	}
	return sig.Params().At(i).Type()
}

func packagePath(t types.Type) string {
	if named, ok := types.Unalias(t).(*types.Named); ok && named.Obj().Pkg() != nil {
		return named.Obj().Pkg().Path()
	}
	return ""
}

var newHandler = regexp.MustCompile(`^New\w*Handler$`)

// madeByCall deals with calls that are known by their types alone: new(T), and the
// functions that generators such as Connect's make for each service, whose paths hold the
// methods:
//
//	mux.Handle(pingv1connect.NewPingServiceHandler(s)) → mux.Handle(slowpoke.Service(pingv1connect.NewPingServiceHandler(s)))
func (f *file) madeByCall(c inspector.Cursor, call *ast.CallExpr) {
	if id, ok := call.Fun.(*ast.Ident); ok && len(call.Args) == 1 {
		if b, ok := f.pkg.TypesInfo.Uses[id].(*types.Builtin); ok && b.Name() == "new" && f.pkg.TypesInfo.Types[call.Args[0]].IsType() {
			f.made(c, call, f.pkg.TypesInfo.TypeOf(call.Args[0]))
			return
		}
	}
	fn := f.callee(call)
	if fn == nil || !newHandler.MatchString(fn.Name()) || !returnsPathAndHandler(fn.Signature()) {
		return
	}
	switch {
	case f.skips.has(call):
		f.site(call, Server, fn.FullName(), "", skippedByMark)
		return
	case !f.wrapped(c):
		f.call(call, "slowpoke", "Service")
	}
	f.site(call, Server, fn.FullName(), "", "")
}

func returnsPathAndHandler(sig *types.Signature) bool {
	res := sig.Results()
	return res.Len() == 2 && types.Identical(res.At(0).Type(), types.Typ[types.String]) && typeName(res.At(1).Type()) == "net/http.Handler"
}
