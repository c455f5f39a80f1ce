package effects

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/types/typeutil"

	"github.com/onefold/onefold/compiler/ir"
)

// mutations is the set of types whose values a function may change through a
// reference that is no path from a persistent field: a pointer, map or slice in
// a variable. A field that was read and holds such a type may then change too.
type mutations struct {
	types typeutil.Map // of pointer, map and slice types, to true
}

func (m *mutations) add(t types.Type) {
	if t != nil {
		m.types.Set(types.Unalias(t), true)
	}
}

func (m *mutations) addAll(other *mutations) {
	other.types.Iterate(func(t types.Type, _ any) { m.types.Set(t, true) })
}

// hits reports whether a value of type t leads to memory of a mutated type: it
// holds such a reference, or the memory that a mutated pointer may point into.
func (m *mutations) hits(t types.Type) bool {
	found := false
	hit := func(ref types.Type) {
		m.types.Iterate(func(mutated types.Type, _ any) { found = found || alike(mutated, ref) })
	}
	if m.types.Len() == 0 {
		return false
	}
	if references(t, hit); found {
		return true
	}
	addressable(t, func(part types.Type) { hit(types.NewPointer(part)) })
	return found
}

// references calls visit with every pointer, map and slice type in t.
func references(t types.Type, visit func(types.Type)) {
	walk(t, func(t types.Type, _ bool) {
		switch core(t).(type) {
		case *types.Pointer, *types.Slice, *types.Map:
			visit(t)
		}
	})
}

// addressable calls visit with the type of every part of t behind a pointer or
// slice, whose address a function may take.
func addressable(t types.Type, visit func(types.Type)) {
	walk(t, func(t types.Type, behind bool) {
		if behind {
			visit(t)
		}
	})
}

// walk calls visit with t and the types of its parts, and whether they lie
// behind a pointer or slice.
func walk(t types.Type, visit func(t types.Type, behind bool)) {
	type part struct {
		t      types.Type
		behind bool
	}
	seen := map[part]bool{}
	var step func(p part)
	step = func(p part) {
		p.t = types.Unalias(p.t)
		if seen[p] {
			return
		}
		seen[p] = true
		visit(p.t, p.behind)
		switch u := core(p.t).(type) {
		case *types.Pointer:
			step(part{u.Elem(), true})
		case *types.Slice:
			step(part{u.Elem(), true})
		case *types.Map:
			step(part{u.Key(), false})
			step(part{u.Elem(), false})
		case *types.Array:
			step(part{u.Elem(), p.behind})
		case *types.Struct:
			for f := range u.Fields() {
				step(part{f.Type(), p.behind})
			}
		}
	}
	step(part{t, false})
}

func holdsReferences(t types.Type) bool {
	found := false
	references(t, func(types.Type) { found = true })
	return found
}

// mutationsOf returns what body changes through references, and what functions
// without known body may change that it calls.
func mutationsOf(prog *ir.Program, body *ast.BlockStmt, info *types.Info) *mutations {
	m := &mutations{}
	fresh := freshVariables(body, info)
	target := func(e ast.Expr) { m.target(e, info, fresh) }
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if n.Tok != token.DEFINE {
				for _, lhs := range n.Lhs {
					target(lhs)
				}
			}
		case *ast.IncDecStmt:
			target(n.X)
		case *ast.RangeStmt:
			if n.Tok == token.ASSIGN {
				target(n.Key)
				target(n.Value)
			}
		case *ast.CallExpr:
			m.call(prog, n, info, fresh)
		}
		return true
	})
	return m
}

// target notes the references that an assignment to e goes through.
func (m *mutations) target(e ast.Expr, info *types.Info, fresh map[types.Object]bool) {
	for e != nil {
		var base ast.Expr
		switch n := e.(type) {
		case *ast.ParenExpr:
			e = n.X
			continue
		case *ast.SelectorExpr:
			base = n.X
		case *ast.IndexExpr:
			base = n.X
		case *ast.StarExpr:
			base = n.X
		default:
			return
		}
		m.through(base, info, fresh)
		e = base
	}
}

// through notes that what base refers to changes.
func (m *mutations) through(base ast.Expr, info *types.Info, fresh map[types.Object]bool) {
	if id, ok := ast.Unparen(base).(*ast.Ident); ok && fresh[info.Uses[id]] {
		return
	}
	t := info.TypeOf(base)
	if t == nil {
		return
	}
	switch core(t).(type) {
	case *types.Pointer, *types.Map, *types.Slice:
		m.add(t)
	}
}

// readers are packages whose functions leave their arguments alone.
var readers = map[string]bool{
	"bytes": true, "cmp": true, "context": true, "errors": true, "fmt": true, "log": true, "log/slog": true,
	"math": true, "strconv": true, "strings": true, "time": true, "unicode": true, "unicode/utf8": true,
	"github.com/onefold/onefold": true, "golang.org/x/sync/errgroup": true,
}

// looks are functions of other packages that leave their arguments alone.
var looks = map[string]bool{
	"maps.All": true, "maps.Clone": true, "maps.Collect": true, "maps.Equal": true, "maps.EqualFunc": true,
	"maps.Keys": true, "maps.Values": true,
	"slices.All": true, "slices.Backward": true, "slices.BinarySearch": true, "slices.BinarySearchFunc": true,
	"slices.Chunk": true, "slices.Clone": true, "slices.Collect": true, "slices.Compare": true, "slices.Concat": true,
	"slices.Contains": true, "slices.ContainsFunc": true, "slices.Equal": true, "slices.EqualFunc": true,
	"slices.Index": true, "slices.IndexFunc": true, "slices.IsSorted": true, "slices.IsSortedFunc": true,
	"slices.Max": true, "slices.MaxFunc": true, "slices.Min": true, "slices.MinFunc": true, "slices.Sorted": true,
	"slices.SortedFunc": true, "slices.Values": true,
	"encoding/json.Marshal": true, "encoding/json.MarshalIndent": true, "sort.Search": true, "sort.SearchInts": true,
	"sort.SearchStrings": true,
}

// arranges are functions that change the container they are given first, but nothing
// that its elements refer to.
var arranges = map[string]bool{
	"maps.Copy": true, "maps.DeleteFunc": true, "maps.Insert": true,
	"slices.Clip": true, "slices.Compact": true, "slices.CompactFunc": true, "slices.Delete": true, "slices.DeleteFunc": true,
	"slices.Grow": true, "slices.Insert": true, "slices.Replace": true, "slices.Reverse": true, "slices.Sort": true,
	"slices.SortFunc": true, "slices.SortStableFunc": true,
	"sort.Float64s": true, "sort.Ints": true, "sort.Slice": true, "sort.SliceStable": true, "sort.Strings": true,
}

// call notes what a call of a function without known body may change.
func (m *mutations) call(prog *ir.Program, call *ast.CallExpr, info *types.Info, fresh map[types.Object]bool) {
	if info.Types[call.Fun].IsType() {
		return
	}
	switch fn := typeutil.Callee(info, call).(type) {
	case *types.Builtin:
		if (fn.Name() == "clear" || fn.Name() == "copy" || fn.Name() == "delete") && len(call.Args) > 0 {
			m.through(call.Args[0], info, fresh)
		}
	case *types.Func:
		pkg := fn.Pkg()
		if pkg == nil || prog.FunctionOf(fn) != nil || readers[pkg.Path()] || looks[pkg.Path()+"."+fn.Name()] {
			return
		}
		if arranges[pkg.Path()+"."+fn.Name()] && len(call.Args) > 0 {
			m.through(call.Args[0], info, fresh)
			return
		}
		for _, arg := range call.Args {
			m.argument(arg, info, fresh)
		}
	}
}

// argument notes that a function may change what arg refers to.
func (m *mutations) argument(arg ast.Expr, info *types.Info, fresh map[types.Object]bool) {
	t := info.TypeOf(arg)
	if t == nil || types.IsInterface(t) && !isParameter(types.Unalias(t)) {
		return
	}
	if id, ok := ast.Unparen(arg).(*ast.Ident); ok && fresh[info.Uses[id]] {
		t = inner(t)
	}
	references(t, m.add)
}

// freshVariables returns the variables of body that only ever hold what was made there.
func freshVariables(body *ast.BlockStmt, info *types.Info) map[types.Object]bool {
	fresh := map[types.Object]bool{}
	stale := map[types.Object]bool{}
	assign := func(lhs ast.Expr, rhs ast.Expr) {
		id, ok := ast.Unparen(lhs).(*ast.Ident)
		if !ok {
			return
		}
		obj := info.ObjectOf(id)
		if rhs != nil && makes(rhs, obj, info) {
			fresh[obj] = true
		} else {
			stale[obj] = true
		}
	}
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for i, lhs := range n.Lhs {
				if len(n.Lhs) == len(n.Rhs) {
					assign(lhs, n.Rhs[i])
				} else {
					assign(lhs, nil)
				}
			}
		case *ast.ValueSpec:
			for i, name := range n.Names {
				if len(n.Values) == 0 {
					fresh[info.Defs[name]] = true
				} else if len(n.Values) == len(n.Names) {
					assign(name, n.Values[i])
				}
			}
		}
		return true
	})
	for obj := range stale {
		delete(fresh, obj)
	}
	return fresh
}

// makes reports whether e is a new container or object: a literal, make, new, or
// an append to obj itself. What it holds may be shared all the same.
func makes(e ast.Expr, obj types.Object, info *types.Info) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.CompositeLit:
		return true
	case *ast.UnaryExpr:
		_, ok := ast.Unparen(e.X).(*ast.CompositeLit)
		return e.Op == token.AND && ok
	case *ast.CallExpr:
		id, ok := ast.Unparen(e.Fun).(*ast.Ident)
		if !ok {
			return false
		}
		b, ok := info.Uses[id].(*types.Builtin)
		if !ok {
			return false
		}
		if b.Name() == "append" && len(e.Args) > 0 {
			first, ok := ast.Unparen(e.Args[0]).(*ast.Ident)
			return ok && info.Uses[first] == obj
		}
		return b.Name() == "make" || b.Name() == "new"
	}
	return false
}

// inner returns what the container or pointer type t holds, or t.
func inner(t types.Type) types.Type {
	switch u := core(t).(type) {
	case *types.Slice:
		return u.Elem()
	case *types.Map:
		return u.Elem()
	case *types.Pointer:
		return u.Elem()
	}
	return t
}
