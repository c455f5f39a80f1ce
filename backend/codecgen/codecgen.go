// Package codecgen generates the codecs of the user's types: functions without
// reflection that runtime/codec's building blocks make up, and for each type that
// is needed a codec.Type or codec.Key that holds them.
//
// A named type's codec is declared in the package that declares the type, where
// its unexported fields can be reached; codecs of foreign and of unnamed types are
// declared where they are used. Functions refer to functions, never to
// variables of their own package that hold codecs, so that recursive types cause no
// initialisation cycle.
package codecgen

import (
	"go/types"

	"github.com/dave/jennifer/jen"
	"golang.org/x/tools/go/types/typeutil"

	"github.com/onefold/onefold/compiler/ir"
	"github.com/onefold/onefold/compiler/names"
	"github.com/onefold/onefold/compiler/storable"
)

// runtimePath is the package that generated codecs are made of.
const runtimePath = "github.com/onefold/onefold/runtime/codec"

// Generator generates the codecs of one program.
type Generator struct {
	checker  storable.Checker
	packages []*Package // in the program's order
	byPath   map[string]*Package
	taken    map[string]bool // package names, which local variables must not hide
	closed   bool
}

// Package collects and generates the codecs that live in one rewritten package.
type Package struct {
	gen     *Generator
	ir      *ir.Package
	scope   *names.Scope
	decls   []*decl      // in the order they were first needed
	byType  typeutil.Map // types.Type → *decl
	context string       // what a struct without a name is called, while its owner is generated
}

// New returns a generator for prog. Names are taken from table.
func New(prog *ir.Program, table *names.Table) *Generator {
	g := &Generator{byPath: map[string]*Package{}, taken: map[string]bool{"codec": true}}
	g.checker.Own = func(pkg *types.Package) bool { return g.byPath[pkg.Path()] != nil }
	for _, p := range prog.Packages {
		pkg := &Package{gen: g, ir: p, scope: table.Package(p)}
		g.packages = append(g.packages, pkg)
		g.byPath[p.Path] = pkg
		g.taken[p.Name] = true
	}
	return g
}

// Package returns the generator's view of p, which is one of the program's.
func (g *Generator) Package(p *ir.Package) *Package { return g.byPath[p.Path] }

// Type returns an expression for the codec.Type of t, which must be storable,
// for use in the package's generated files. It is a variable: evaluating it
// costs nothing.
func (p *Package) Type(t types.Type) *jen.Statement {
	t = types.Unalias(t)
	if name := predeclared(t); name != "" {
		return jen.Qual(runtimePath, name)
	}
	d := p.home(t).declare(t)
	return d.refer(&d.typ, "Codec", p)
}

// Stored returns an expression for a codec.Type of t, a struct that the package declares,
// that only stores it: it has no JSON form.
func (p *Package) Stored(t types.Type) *jen.Statement {
	return jen.Qual(runtimePath, "Type").Types(p.goType(t)).Values(
		jen.Id(encode.name).Op(":").Add(p.element(encode, t, true)), jen.Id(decode.name).Op(":").Add(p.element(decode, t, true)),
	)
}

// Key returns an expression for the codec.Key of t, which must be usable as a key.
func (p *Package) Key(t types.Type) *jen.Statement {
	t = types.Unalias(t)
	if b, ok := t.(*types.Basic); ok {
		return jen.Qual(runtimePath, basicName(b)+"Key")
	}
	d := p.home(t).declare(t)
	return d.refer(&d.key, "Key", p)
}

// Emit returns the package's codecs. No codec may be asked for any more, in
// any package.
func (p *Package) Emit() []jen.Code {
	p.gen.close()
	var code []jen.Code
	for _, d := range p.decls {
		code = append(code, d.emit()...)
	}
	return code
}

// close generates every codec, those that others turn out to need included.
func (g *Generator) close() {
	if g.closed {
		return
	}
	for again := true; again; {
		again = false
		for _, p := range g.packages {
			for i := 0; i < len(p.decls); i++ {
				again = p.decls[i].generate() || again
			}
		}
	}
	g.closed = true
}

// home returns the package that declares the codec of t: the one that declares
// the type where that is possible.
func (p *Package) home(t types.Type) *Package {
	named, ok := t.(*types.Named)
	if !ok || named.Obj().Pkg() == nil {
		return p
	}
	declaring := named.Obj().Pkg()
	if named.TypeArgs().Len() > 0 {
		declaring = storable.InstanceHome(named)
	}
	if declaring == nil {
		return p
	}
	if home := p.gen.byPath[declaring.Path()]; home != nil {
		return home
	}
	return p
}

// predeclared returns the name of the codec in the runtime, "" if it has none.
func predeclared(t types.Type) string {
	switch t := t.(type) {
	case *types.Basic:
		return basicName(t)
	case *types.Named:
		if pkg := t.Obj().Pkg(); pkg != nil && pkg.Path() == "time" && (t.Obj().Name() == "Time" || t.Obj().Name() == "Duration") {
			return t.Obj().Name()
		}
	case *types.Slice:
		if types.Identical(t.Elem(), types.Typ[types.Byte]) {
			return "Bytes"
		}
	}
	return ""
}

// basicName returns what the runtime calls the codec of a predeclared type.
func basicName(b *types.Basic) string {
	return names.Upper(types.Typ[b.Kind()].Name()) // byte is uint8, rune is int32
}
