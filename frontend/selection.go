package frontend

import (
	"go/types"
	"path"
	"strconv"
	"strings"

	"github.com/onefold/onefold/compiler/ir"
)

// selectPackages decides which packages are rewritten: those that declare
// services; those in the services' import closure that declare a type that is
// stored or crosses a call, or that the output could not import because they are
// internal; and those in the closure that import a rewritten one.
func (b *builder) selectPackages(opts BuildOptions) {
	rewritten := map[*Package]bool{}
	for _, pkg := range b.src.Packages {
		for _, s := range b.prog.Services {
			rewritten[pkg] = rewritten[pkg] || s.Pkg == b.irOf[pkg]
		}
	}
	closure := b.closure(rewritten)
	opts = b.defaults(opts, rewritten)
	carried := b.carriedTypes()
	for _, pkg := range b.src.Packages { // dependencies first, so one pass reaches the dependents
		if !closure[pkg] {
			continue
		}
		rewritten[pkg] = rewritten[pkg] || carried[pkg.Types] || !importable(pkg.Path, opts.Out)
		for _, imp := range pkg.Types.Imports() {
			if dep := b.byPath[imp.Path()]; dep != nil && rewritten[dep] {
				rewritten[pkg] = true
			}
		}
	}
	places := newPlaces(opts)
	for _, pkg := range b.src.Packages {
		p := b.irOf[pkg]
		switch {
		case rewritten[pkg]:
			p.OutDir = places.take(pkg)
			p.OutPath = path.Join(opts.Out, p.OutDir)
			b.prog.Packages = append(b.prog.Packages, p)
		case closure[pkg]:
			b.prog.Imported = append(b.prog.Imported, p)
		}
	}
}

// closure returns roots and the user's packages that they import, directly or not.
func (b *builder) closure(roots map[*Package]bool) map[*Package]bool {
	all := map[*Package]bool{}
	var visit func(pkg *Package)
	visit = func(pkg *Package) {
		if pkg == nil || all[pkg] {
			return
		}
		all[pkg] = true
		for _, imp := range pkg.Types.Imports() {
			visit(b.byPath[imp.Path()])
		}
	}
	for _, pkg := range b.src.Packages {
		if roots[pkg] {
			visit(pkg)
		}
	}
	return all
}

// carriedTypes returns the packages of the named types that are stored or cross a call.
func (b *builder) carriedTypes() map[*types.Package]bool {
	w := carrier{pkgs: map[*types.Package]bool{}, seen: map[types.Type]bool{}}
	for _, s := range b.prog.Services {
		for _, f := range s.Fields {
			if f.Kind.Persistent() {
				w.visit(f.Var.Type())
			}
		}
		for _, m := range s.Methods {
			for _, p := range m.Params {
				w.visit(p.Type)
			}
			for _, p := range m.Results {
				w.visit(p.Type)
			}
		}
	}
	for _, pkg := range b.src.Packages {
		for id, instance := range pkg.Info.Instances {
			switch ir.LibraryFunc(pkg.Info.Uses[id]) {
			case "Do", "Await", "Signal":
				w.visit(instance.TypeArgs.At(0))
			}
		}
	}
	return w.pkgs
}

// carrier walks types and collects the packages of the named ones.
type carrier struct {
	pkgs map[*types.Package]bool
	seen map[types.Type]bool
}

func (w *carrier) visit(t types.Type) {
	t = types.Unalias(t)
	if w.seen[t] {
		return
	}
	w.seen[t] = true
	switch t := t.(type) {
	case *types.Named:
		w.pkgs[t.Obj().Pkg()] = true
		for arg := range t.TypeArgs().Types() {
			w.visit(arg)
		}
		w.visit(t.Underlying())
	case *types.Pointer:
		w.visit(t.Elem())
	case *types.Slice:
		w.visit(t.Elem())
	case *types.Array:
		w.visit(t.Elem())
	case *types.Map:
		w.visit(t.Key())
		w.visit(t.Elem())
	case *types.Struct:
		for f := range t.Fields() {
			w.visit(f.Type())
		}
	}
}

// importable reports whether code below the folder out may import pkg.
func importable(pkg, out string) bool {
	i := strings.LastIndex("/"+pkg+"/", "/internal/")
	if i < 0 {
		return true
	}
	parent := strings.TrimSuffix(pkg[:max(0, i)], "/")
	return parent == "" || out == parent || strings.HasPrefix(out, parent+"/")
}

// defaults completes opts where fields are empty.
func (b *builder) defaults(opts BuildOptions, rewritten map[*Package]bool) BuildOptions {
	if opts.Base == "" {
		opts.Base = b.commonParent(rewritten)
	}
	if opts.Out == "" {
		opts.Out = path.Join(opts.Base, "gen")
	}
	return opts
}

// commonParent returns the deepest import path that holds every package of set,
// and is none of them.
func (b *builder) commonParent(set map[*Package]bool) string {
	parent, first := "", true
	for _, pkg := range b.src.Packages {
		if !set[pkg] {
			continue
		}
		if dir := path.Dir(pkg.Path); first {
			parent, first = dir, false
		}
		for parent != "." && !strings.HasPrefix(pkg.Path, parent+"/") {
			parent = path.Dir(parent)
		}
	}
	if parent == "." {
		return ""
	}
	return parent
}

// places gives each rewritten package its own folder in the output.
type places struct {
	opts  BuildOptions
	taken map[string]bool
}

func newPlaces(opts BuildOptions) *places {
	return &places{opts: opts, taken: map[string]bool{".": true, "cmd": true}}
}

// take returns the folder of pkg: its path below the base, or else the end of
// its import path. The output's own folders (the root and cmd) stay free.
func (p *places) take(pkg *Package) string {
	dir, ok := strings.CutPrefix(pkg.Path, p.opts.Base+"/")
	if !ok {
		dir = pkg.Types.Name()
		if i := strings.Index(pkg.Path+"/", "/internal/"); i >= 0 {
			dir = strings.TrimPrefix(pkg.Path[i:], "/")
		}
	}
	if dir == "cmd" || strings.HasPrefix(dir, "cmd/") {
		dir = "spec/" + dir
	}
	free := dir
	for n := 2; p.taken[free]; n++ {
		free = dir + strconv.Itoa(n)
	}
	p.taken[free] = true
	return free
}
