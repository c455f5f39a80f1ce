package inject

import (
	"go/ast"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/ast/inspector"
	"golang.org/x/tools/go/packages"

	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/compiler/rewrite"
)

// file is one file and what is put into it.
type file struct {
	*rewrite.File
	m      *module
	pkg    *packages.Package
	syntax *ast.File
	name   string
	// wraps is what goes around nodes, the inner one first.
	wraps map[ast.Node][]wrap
	order []ast.Node                    // of wraps
	cores map[ast.Node]rewrite.Fragment // what stands in the place of a node inside of them
	skips skipping
}

// wrap is text before and after a node.
type wrap struct{ before, after string }

func (m *module) open(pkg *packages.Package, syntax *ast.File, name string) (*file, error) {
	source, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return &file{
		File: rewrite.New(pkg.Fset, syntax, source, pkg.TypesInfo), m: m, pkg: pkg, syntax: syntax, name: name,
		wraps: map[ast.Node][]wrap{}, cores: map[ast.Node]rewrite.Fragment{}, skips: newSkipping(pkg.Fset, syntax),
	}, nil
}

// bytes returns the new content, nil for the old one.
func (f *file) bytes() ([]byte, error) {
	if len(f.order) == 0 {
		return nil, nil
	}
	if !slices.Contains(f.pkg.GoFiles, f.name) {
		for _, n := range f.order {
			f.m.result.Diagnostics.Errorf(f.position(n), diag.Instrument, "move this to a file without cgo", "a file that uses cgo cannot be instrumented")
		}
		return nil, nil
	}
	for _, n := range f.order {
		var inner any = rewrite.Inside{Node: n}
		if core, ok := f.cores[n]; ok {
			inner = core
		}
		before, after := "", ""
		for _, w := range f.wraps[n] {
			before, after = w.before+before, after+w.after
		}
		f.Replace("instrument", n, "$before$node$after", rewrite.Holes{"before": before, "node": inner, "after": after})
	}
	return f.Bytes("", f.lineName())
}

// lineName returns what line directives call the source, "" for no directives.
func (f *file) lineName() string {
	if f.m.out == "" {
		return f.name // the go command takes the folder of what is in an overlay away
	}
	rel, err := filepath.Rel(f.m.Dir, f.name)
	if err != nil || f.m.out == f.m.Dir {
		return ""
	}
	name, err := filepath.Rel(filepath.Dir(filepath.Join(f.m.out, rel)), f.name)
	if err != nil {
		return f.name
	}
	return filepath.ToSlash(name)
}

// around puts text around a node, outside of what is there already.
func (f *file) around(n ast.Node, before, after string) {
	if f.wraps[n] == nil {
		f.order = append(f.order, n)
	}
	f.wraps[n] = append(f.wraps[n], wrap{before, after})
}

// call puts a call of a runtime function around a node.
func (f *file) call(n ast.Node, pkg, fn string) { f.around(n, f.runtimeFunction(pkg, fn)+"(", ")") }

// runtimeFunction returns a function of the runtime as the file calls it.
func (f *file) runtimeFunction(pkg, fn string) string {
	path := f.m.runtime
	switch {
	case sample[pkg] != "":
		path = f.m.Path + "/" + copied + "/" + pkg
	case pkg != "slowpoke":
		path += "/" + pkg
	}
	if f.m.used[pkg] == "" {
		f.m.used[pkg] = path
	}
	return f.Import(path, pkg) + "." + fn
}

func (f *file) position(n ast.Node) token.Position { return f.pkg.Fset.Position(n.Pos()) }

// refuse reports a place that cannot be instrumented. A request that is silently not
// counted would make a profile wrong, so it is an error, unless it is to be skipped.
func (f *file) refuse(n ast.Node, fix, format string, args ...any) {
	f.m.result.Diagnostics.Errorf(f.position(n), diag.Instrument, fix+", or leave it out with //onefold:skip", format, args...)
}

func (f *file) site(n ast.Node, kind Kind, what, name, skipped string) {
	f.m.result.Sites = append(f.m.result.Sites, Site{f.position(n), kind, what, name, skipped})
}

// find looks for all that is measured.
func (f *file) find() {
	for c := range inspector.New([]*ast.File{f.syntax}).Root().Preorder() {
		switch n := c.Node().(type) {
		case *ast.SelectorExpr:
			f.selector(c, n)
		case *ast.Ident:
			f.ident(c, n)
		case *ast.CallExpr:
			f.madeByCall(c, n)
		case *ast.CompositeLit:
			f.literal(c, n)
		case *ast.ValueSpec:
			f.variables(n)
		case *ast.StructType:
			f.structFields(n)
		case *ast.FuncDecl:
			f.point(n)
		}
	}
}

func (f *file) selector(c inspector.Cursor, n *ast.SelectorExpr) {
	switch obj := f.pkg.TypesInfo.Uses[n.Sel].(type) {
	case *types.Func:
		f.reference(c, n, obj)
	case *types.Var:
		if fd, name, ok := fieldOf(obj); ok {
			f.fieldUse(c, n, fd, name)
		}
	}
}

func (f *file) ident(c inspector.Cursor, n *ast.Ident) {
	switch parent := c.Parent().Node().(type) {
	case *ast.SelectorExpr:
		if parent.Sel == n {
			return
		}
	case *ast.KeyValueExpr:
		if obj, ok := f.pkg.TypesInfo.Uses[n].(*types.Var); ok && parent.Key == n && obj.IsField() {
			if fd, name, ok := fieldOf(obj); ok {
				f.set(parent.Value, fd, name)
			}
			return
		}
	}
	if obj, ok := f.pkg.TypesInfo.Uses[n].(*types.Func); ok { // of a package imported with a dot
		f.reference(c, n, obj)
	}
}

// isRuntimeCall reports whether n is a call of the runtime.
func (f *file) isRuntimeCall(n ast.Node) bool {
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return false
	}
	fn := f.callee(call)
	return fn != nil && fn.Pkg() != nil && f.m.isRuntime(fn.Pkg().Path())
}

// callee returns the function that a call names, or nil.
func (f *file) callee(call *ast.CallExpr) *types.Func {
	switch fun := ast.Unparen(call.Fun).(type) {
	case *ast.Ident:
		fn, _ := f.pkg.TypesInfo.Uses[fun].(*types.Func)
		return fn
	case *ast.SelectorExpr:
		fn, _ := f.pkg.TypesInfo.Uses[fun.Sel].(*types.Func)
		return fn
	}
	return nil
}

// wrapped reports whether the node at c is the argument of a runtime function already.
func (f *file) wrapped(c inspector.Cursor) bool {
	call, ok := c.Parent().Node().(*ast.CallExpr)
	return ok && call.Fun != c.Node() && f.isRuntimeCall(call)
}

// called returns the call whose function the node at c is, with its cursor.
func called(c inspector.Cursor) (inspector.Cursor, *ast.CallExpr) {
	p := c.Parent()
	for {
		if _, ok := p.Node().(*ast.ParenExpr); !ok {
			break
		}
		c, p = p, p.Parent()
	}
	if call, ok := p.Node().(*ast.CallExpr); ok && call.Fun == c.Node() {
		return p, call
	}
	return p, nil
}

// typeName returns the full name of a type, without the version of its module.
func typeName(t types.Type) string {
	return unversioned(strings.TrimPrefix(types.TypeString(t, nil), "*"))
}
