package alias

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/ssa"

	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/compiler/ir"
)

// analysis is what is known of one program.
type analysis struct {
	spec  *ir.Program
	prog  *ssa.Program
	diags *diag.List

	layouts     layouts
	services    map[*types.TypeName]*ir.Service
	fields      map[*types.Var]*ir.Field
	structs     map[*ir.Service]*object
	occurrences map[token.Pos]mention

	objects   []*object
	sites     map[siteKey]*object
	rebases   map[placeKey]*object
	regions   map[fieldSlot]*region
	contexts  []*context
	endpoints map[*ssa.Function]*context
	localsOf  map[*ssa.Function]*locals
	recursive map[*ssa.Function]bool
	insides   map[*context]map[*context]bool
	passedAt  map[caller]map[*object]bool
	defs      map[string]ssa.Instruction // instructions by the key of their value
	unsteady  *unsteady                  // once asked for
	backingOf map[*object][]*object      // once solved
	solved    bool
	work      int              // references copied
	coarse    bool             // all calls of a function are one: the program is too large for more
	cyclic    bool             // services call each other in a circle
	naming    map[*object]bool // guards names for shared backing
	changed   bool

	numbered   map[*ssa.BasicBlock]bool
	positions  map[ssa.Instruction]int
	accessesOf map[*context][]access
	locksOf    map[*context]map[ssa.Instruction]locks
	again      bool // a function turned out to be recursive: what is described of its parameters is wrong
}

// maxWork bounds the references that are copied before the analysis begins
// anew in its coarse form, and is given up in that.
const maxWork = 20_000_000

// analyse returns the solved analysis of a program, or nil where it would take
// too long: services that call each other in a circle with much memory in them.
func analyse(spec *ir.Program, diags *diag.List) *analysis {
	prog := buildSSA(spec)
	recursive := map[*ssa.Function]bool{}
	coarse := false
	for {
		a := newAnalysis(spec, prog, diags, recursive)
		a.coarse = coarse
		a.solve()
		switch {
		case !a.again:
			return a
		case a.work > maxWork && coarse:
			return nil
		case a.work > maxWork:
			coarse = true
		}
	}
}

func newAnalysis(spec *ir.Program, prog *ssa.Program, diags *diag.List, recursive map[*ssa.Function]bool) *analysis {
	a := &analysis{
		spec:        spec,
		prog:        prog,
		diags:       diags,
		services:    map[*types.TypeName]*ir.Service{},
		fields:      map[*types.Var]*ir.Field{},
		structs:     map[*ir.Service]*object{},
		occurrences: map[token.Pos]mention{},
		sites:       map[siteKey]*object{},
		rebases:     map[placeKey]*object{},
		regions:     map[fieldSlot]*region{},
		endpoints:   map[*ssa.Function]*context{},
		localsOf:    map[*ssa.Function]*locals{},
		recursive:   recursive,
		insides:     map[*context]map[*context]bool{},
		passedAt:    map[caller]map[*object]bool{},
		defs:        map[string]ssa.Instruction{},
		numbered:    map[*ssa.BasicBlock]bool{},
		positions:   map[ssa.Instruction]int{},
		accessesOf:  map[*context][]access{},
		locksOf:     map[*context]map[ssa.Instruction]locks{},
		backingOf:   map[*object][]*object{},
		naming:      map[*object]bool{},
	}
	a.layouts.own = map[*types.Package]bool{}
	for pkg := range spec.Sources() {
		a.layouts.own[pkg.Types] = true
	}
	for _, s := range spec.Services {
		a.services[s.Obj] = s
		for _, f := range s.Fields {
			a.fields[f.Var] = f
		}
	}
	for _, s := range spec.Services {
		o := a.newObject(service, a.layouts.slots(s.Obj.Type()))
		o.service = s
		a.structs[s] = o
	}
	for pkg := range spec.Sources() {
		for _, f := range pkg.Files {
			a.findOccurrences(pkg.Info, f.Syntax)
		}
	}
	a.enterAll()
	return a
}

// buildSSA returns the SSA form of the program's packages; what they import is declared only.
func buildSSA(spec *ir.Program) *ssa.Program {
	prog := ssa.NewProgram(spec.Fset, ssa.InstantiateGenerics)
	own := map[*types.Package]*ir.Package{}
	for pkg := range spec.Sources() {
		own[pkg.Types] = pkg
	}
	seen := map[*types.Package]bool{}
	var create func(p *types.Package)
	create = func(p *types.Package) {
		if seen[p] {
			return
		}
		seen[p] = true
		for _, imp := range p.Imports() {
			create(imp)
		}
		pkg := own[p]
		if pkg == nil {
			prog.CreatePackage(p, nil, nil, true)
			return
		}
		var files []*ast.File
		for _, f := range pkg.Files {
			files = append(files, f.Syntax)
		}
		prog.CreatePackage(p, files, pkg.Info, true)
	}
	for pkg := range spec.Sources() {
		create(pkg.Types)
	}
	prog.Build()
	return prog
}

// enterAll makes the contexts of all endpoints and constructors. What a
// request brings is fresh memory.
func (a *analysis) enterAll() {
	for _, s := range a.spec.Services {
		for _, m := range s.Methods {
			fn := a.prog.FuncValue(m.Func)
			if fn == nil || fn.Blocks == nil {
				continue
			}
			c := a.endpoint(fn, s)
			if m.Kind == ir.Workflow {
				c.service, c.flow = &ir.Service{Name: s.Name, Pkg: s.Pkg}, s
			}
			for i, p := range fn.Params {
				if i == 0 {
					a.put(c, p, a.structRefs(s, p))
					continue
				}
				a.put(c, p, a.unknown(c, p, 0, p.Type()))
			}
		}
		if s.Constructor != nil {
			if fn := a.prog.FuncValue(s.Constructor.Func); fn != nil && fn.Blocks != nil {
				c := a.endpoint(fn, s)
				c.setup = true
				for _, p := range fn.Params {
					a.put(c, p, a.structRefs(a.serviceOf(p.Type()), p))
				}
			}
		}
	}
}

// structRefs returns the references of a parameter that is a service.
func (a *analysis) structRefs(s *ir.Service, p *ssa.Parameter) []set {
	if o := a.structs[s]; o != nil && isPointer(p.Type()) {
		return []set{{newRef(o, 0)}}
	}
	return nil
}

// findOccurrences notes which mentions of a persistent map or slice use it as a value.
func (a *analysis) findOccurrences(info *types.Info, file *ast.File) {
	var stack []ast.Node
	ast.Inspect(file, func(n ast.Node) bool {
		if n == nil {
			stack = stack[:len(stack)-1]
			return true
		}
		stack = append(stack, n)
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if v, ok := info.Uses[sel.Sel].(*types.Var); ok && a.fields[v] != nil {
				a.occurrences[sel.Sel.Pos()] = occurrence(info, v, stack)
			}
		}
		return true
	})
}

// occurrence classifies the selector at the top of the stack.
func occurrence(info *types.Info, v *types.Var, stack []ast.Node) mention {
	i := len(stack) - 1
	node := stack[i]
	for i--; i > 0; i-- {
		if _, ok := stack[i].(*ast.ParenExpr); !ok {
			break
		}
		node = stack[i]
	}
	switch parent := stack[i].(type) {
	case *ast.IndexExpr:
		if parent.X == node {
			return direct
		}
	case *ast.RangeStmt:
		if parent.X == node {
			return ranging
		}
	case *ast.BinaryExpr, *ast.UnaryExpr:
		return direct
	case *ast.AssignStmt:
		for _, l := range parent.Lhs {
			if l == node {
				return direct
			}
		}
	case *ast.CallExpr:
		if fn, ok := parent.Fun.(*ast.Ident); ok && len(parent.Args) > 0 && parent.Args[0] == node {
			if b, ok := info.Uses[fn].(*types.Builtin); ok {
				return builtinOccurrence(info, b.Name(), v, parent, stack[:i])
			}
		}
	case *ast.SliceExpr:
		if parent.X == node && parent.Low == nil && parent.Max == nil && assignedBack(info, v, parent, stack[:i]) {
			return direct
		}
	}
	return copied
}

func builtinOccurrence(info *types.Info, name string, v *types.Var, call ast.Expr, above []ast.Node) mention {
	switch name {
	case "len", "cap", "delete", "clear":
		return direct
	case "append":
		if assignedBack(info, v, call, above) {
			return direct
		}
	}
	return copied
}

// assignedBack reports whether the expression below the stack is assigned to the field v.
func assignedBack(info *types.Info, v *types.Var, expr ast.Expr, above []ast.Node) bool {
	assign, ok := above[len(above)-1].(*ast.AssignStmt)
	if !ok || len(assign.Lhs) != len(assign.Rhs) {
		return false
	}
	for i, r := range assign.Rhs {
		if r == expr {
			sel, ok := ast.Unparen(assign.Lhs[i]).(*ast.SelectorExpr)
			return ok && info.Uses[sel.Sel] == v
		}
	}
	return false
}
