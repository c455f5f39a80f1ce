package frontend

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/compiler/ir"
)

// BuildOptions says where the rewritten packages are to live.
type BuildOptions struct {
	Out  string // import path of the output folder; Base + "/gen" where empty
	Base string // import path whose subfolders keep their places below Out; the common parent of the packages where empty
}

// Build finds the services of src, which must be free of build errors, and
// returns the program they make. The program is complete only where the list
// holds no errors; effects are left to a later pass.
func Build(src *Source, opts BuildOptions) (*ir.Program, *diag.List) {
	b := &builder{
		src:     src,
		prog:    &ir.Program{Fset: src.Fset},
		diags:   new(diag.List),
		byType:  map[*types.TypeName]*ir.Service{},
		irOf:    map[*Package]*ir.Package{},
		byPath:  map[string]*Package{},
		methods: map[*types.TypeName][]declared{},
		funcs:   map[*types.Func]declared{},
		marked:  map[*ast.Comment]bool{},
	}
	for _, pkg := range src.Packages {
		b.byPath[pkg.Path] = pkg
		b.irOf[pkg] = irPackage(pkg)
	}
	for _, pkg := range src.Packages {
		b.declarations(pkg)
	}
	b.findServices()
	for _, s := range b.prog.Services {
		b.fields(s)
		b.methodsOf(s)
	}
	b.constructors()
	b.strayMarks()
	b.selectPackages(opts)
	slices.SortStableFunc(b.prog.Services, ir.CompareServices)
	b.clashes()
	b.prog.Index()
	return b.prog, b.diags
}

// builder holds what the steps of Build share.
type builder struct {
	src     *Source
	prog    *ir.Program
	diags   *diag.List
	byType  map[*types.TypeName]*ir.Service
	irOf    map[*Package]*ir.Package
	byPath  map[string]*Package
	methods map[*types.TypeName][]declared // methods by receiver type, in source order
	funcs   map[*types.Func]declared       // functions that are no methods
	marked  map[*ast.Comment]bool          // //onefold: comments that stand where they may
}

// declared is a function or method with its syntax.
type declared struct {
	fn   *types.Func
	decl *ast.FuncDecl
	file *ir.File
}

func (b *builder) errorf(pos token.Pos, code diag.Code, fix, format string, args ...any) {
	b.diags.Errorf(b.src.Fset.Position(pos), code, fix, format, args...)
}

func irPackage(pkg *Package) *ir.Package {
	p := &ir.Package{Path: pkg.Path, Name: pkg.Types.Name(), Dir: pkg.Dir, Other: pkg.Other, Types: pkg.Types, Info: pkg.Info}
	for _, f := range pkg.Files {
		p.Files = append(p.Files, &ir.File{Pkg: p, Name: f.Name, Syntax: f.Syntax, Source: f.Source})
	}
	return p
}

// declarations files the functions and methods of pkg.
func (b *builder) declarations(pkg *Package) {
	for _, f := range b.irOf[pkg].Files {
		for _, d := range f.Syntax.Decls {
			decl, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			fn, ok := pkg.Info.Defs[decl.Name].(*types.Func)
			if !ok {
				continue // func _ and the like
			}
			if obj := receiverType(fn); obj != nil {
				b.methods[obj] = append(b.methods[obj], declared{fn, decl, f})
			} else {
				b.funcs[fn] = declared{fn, decl, f}
			}
		}
	}
}

// receiverType returns the type that fn is a method of, or nil.
func receiverType(fn *types.Func) *types.TypeName {
	recv := fn.Signature().Recv()
	if recv == nil {
		return nil
	}
	t := types.Unalias(recv.Type())
	if ptr, ok := t.(*types.Pointer); ok {
		t = types.Unalias(ptr.Elem())
	}
	if named, ok := t.(*types.Named); ok {
		return named.Obj()
	}
	return nil
}

// qualifier prints packages by name, as the user writes them.
func qualifier(p *types.Package) string { return p.Name() }

func typeString(t types.Type) string { return types.TypeString(t, qualifier) }
