// Package gosource writes the Go files that stand beside the rewritten ones: for
// each package what its services are to the runtime, their clients and codecs;
// for the application its description and its command.
package gosource

import (
	"go/types"
	"path"

	"github.com/dave/jennifer/jen"

	"github.com/onefold/onefold/backend"
	"github.com/onefold/onefold/backend/codecgen"
	"github.com/onefold/onefold/compiler/ir"
	"github.com/onefold/onefold/compiler/names"
	"github.com/onefold/onefold/compiler/storable"
)

// Emit returns the new files of every package of prog.
func Emit(prog *ir.Program, table *names.Table) ([]backend.File, error) {
	g := &generator{prog: prog, names: table, codecs: codecgen.New(prog, table)}
	var pkgs []*packageFile
	for _, p := range prog.Packages { // all before any is rendered: packages need each other's codecs
		pkg := g.newPackage(p)
		pkg.declare()
		pkgs = append(pkgs, pkg)
	}
	var files []backend.File
	for _, pkg := range pkgs {
		file, err := pkg.render()
		if err != nil {
			return nil, err
		}
		if file.Data != nil {
			files = append(files, file)
		}
	}
	return files, nil
}

// generator is what the packages of one program share.
type generator struct {
	prog   *ir.Program
	names  *names.Table
	codecs *codecgen.Generator
}

// packageFile is the new file of one package.
type packageFile struct {
	*generator
	ir     *ir.Package
	types  *codecgen.Package
	out    *jen.File
	checks storable.Checker
	below  map[string]string // names of the packages that the package imports, directly or not, by the user's path

	importable map[string]bool // names of those and of the runtime's packages; see imports

	later     []jen.Code // statements of func init
	versioned bool       // the version is asserted
	used      bool       // there is something in the file
}

func (g *generator) newPackage(p *ir.Package) *packageFile {
	pkg := &packageFile{generator: g, ir: p, types: g.codecs.Package(p), out: jen.NewFilePathName(p.OutPath, p.Name)}
	pkg.checks.Own = func(t *types.Package) bool { return g.rewritten(t) != nil }
	pkg.below = map[string]string{}
	closure(p.Types, pkg.below)
	pkg.importNames()
	return pkg
}

// importNames tells out what packages are called, and renames the runtime's where
// the package declares their names itself.
func (p *packageFile) importNames() {
	known := map[string]string{}
	for importPath, name := range p.below {
		known[importPath] = name
	}
	for _, other := range p.prog.Packages {
		if _, ok := known[other.Path]; ok {
			delete(known, other.Path)
			known[other.OutPath] = other.Name
		}
	}
	for _, importPath := range runtimePackages {
		known[importPath] = path.Base(importPath)
	}
	for importPath, name := range known { // jennifer sorts imports
		if p.ir.Types.Scope().Lookup(name) == nil {
			p.out.ImportName(importPath, name)
			continue
		}
		alias := "onefold" + name
		for p.ir.Types.Scope().Lookup(alias) != nil {
			alias += "x"
		}
		p.out.ImportAlias(importPath, alias)
	}
}

// runtimePackages are what the file may import besides the user's packages.
var runtimePackages = []string{backend.Runtime, backend.Atomic, backend.State, backend.Codec, backend.Workflow}

// closure collects the names of all packages that p imports, directly or not.
func closure(p *types.Package, known map[string]string) {
	for _, imp := range p.Imports() {
		if _, ok := known[imp.Path()]; !ok {
			known[imp.Path()] = imp.Name()
			closure(imp, known)
		}
	}
}

// rewritten returns the package of the program that t is, or nil.
func (g *generator) rewritten(t *types.Package) *ir.Package {
	if p := g.prog.PackageOf(t); p != nil && p.OutPath != "" {
		return p
	}
	return nil
}

// declare adds what belongs to the package's services.
func (p *packageFile) declare() {
	for _, s := range p.prog.Services {
		if s.Pkg != p.ir {
			continue
		}
		p.used = true
		p.version()
		p.service(&service{Service: s, names: p.names.Service(s)})
	}
	p.initialize()
	p.values()
}

// render adds the codecs and returns the file; without data where there is nothing in it.
func (p *packageFile) render() (backend.File, error) {
	for _, code := range p.types.Emit() {
		p.used = true
		p.out.Line().Add(code)
	}
	if !p.used {
		return backend.File{}, nil
	}
	return backend.GoFile(path.Join(p.ir.OutDir, p.fileName()), p.out)
}

// fileName returns a name that no file of the package has.
func (p *packageFile) fileName() string {
	name := "onefold.go"
	for taken := true; taken; {
		taken = false
		for _, f := range p.ir.Files {
			if path.Base(f.Name) == name {
				name, taken = "z"+name, true
			}
		}
	}
	return name
}
