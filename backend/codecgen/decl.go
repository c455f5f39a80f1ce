package codecgen

import (
	"go/token"
	"go/types"

	"github.com/dave/jennifer/jen"

	"github.com/onefold/onefold/compiler/names"
)

// decl is what the generated code declares for one type: as much of it as is
// asked for.
type decl struct {
	pkg  *Package
	t    types.Type
	base string // what names are made of

	typ   variable // the codec.Type
	key   variable // the codec.Key
	funcs map[*operation]*function
	order []*function
	keys  *keyFuncs // nil where they are not needed
}

// variable is a package-level variable that holds a codec.
type variable struct {
	name    string // "" as long as it is not asked for
	foreign string // exported name for other packages, where name is not exported
	code    jen.Code
}

// function is the function that does one operation for the type.
type function struct {
	op   *operation
	name string
	code jen.Code
}

// declare returns the declaration for t, which lives in p.
func (p *Package) declare(t types.Type) *decl {
	if d, ok := p.byType.At(t).(*decl); ok {
		return d
	}
	p.open(t)
	d := &decl{pkg: p, t: t, base: p.baseName(t), funcs: map[*operation]*function{}}
	p.decls = append(p.decls, d)
	p.byType.Set(t, d)
	return d
}

func (p *Package) open(t types.Type) {
	if p.gen.closed {
		panic("codecgen: codec of " + t.String() + " asked for after Emit")
	}
}

// varName returns a name for a variable of the declaration: exported if the
// type is an exported one of the package.
func (d *decl) varName(suffix string) string {
	d.pkg.open(d.t)
	name := names.Lower(d.base)
	if named, ok := d.t.(*types.Named); ok && named.Obj().Exported() && named.TypeArgs().Len() == 0 && d.pkg.declares(named) {
		name = named.Obj().Name()
	}
	return d.pkg.scope.Take(name + suffix)
}

func (p *Package) declares(t *types.Named) bool {
	return t.Obj().Pkg() != nil && t.Obj().Pkg().Path() == p.ir.Path
}

// refer returns an expression for v as package from sees it.
func (d *decl) refer(v *variable, suffix string, from *Package) *jen.Statement {
	if v.name == "" {
		v.name = d.varName(suffix)
	}
	if from == d.pkg {
		return jen.Id(v.name)
	}
	name := v.name
	if !token.IsExported(name) {
		if v.foreign == "" {
			d.pkg.open(d.t)
			v.foreign = d.pkg.scope.Take(names.Upper(name))
		}
		name = v.foreign
	}
	return jen.Qual(d.pkg.ir.OutPath, name)
}

// function returns the name of the function that does op.
func (d *decl) function(op *operation) string {
	f := d.funcs[op]
	if f == nil {
		d.pkg.open(d.t)
		f = &function{op: op, name: d.pkg.scope.Take(op.prefix + names.Upper(d.base) + op.suffix)}
		d.funcs[op] = f
		d.order = append(d.order, f)
	}
	return f.name
}

// generate generates what was asked for meanwhile, and reports whether there
// was anything.
func (d *decl) generate() (progress bool) {
	if d.typ.name != "" && d.typ.code == nil {
		d.typ.code = d.typeVar()
		progress = true
	}
	if d.key.name != "" && d.key.code == nil {
		d.key.code = d.keyVar()
		progress = true
	}
	for i := 0; i < len(d.order); i++ {
		if f := d.order[i]; f.code == nil {
			f.code = d.body(f)
			progress = true
		}
	}
	if d.keys != nil && d.keys.code == nil {
		d.keys.code = d.keyBodies()
		progress = true
	}
	return progress
}

// emit returns all code of the declaration, variables first, operations in
// their order.
func (d *decl) emit() []jen.Code {
	var code []jen.Code
	for _, v := range []variable{d.typ, d.key} {
		if v.code != nil {
			code = append(code, v.code)
		}
		if v.foreign != "" {
			code = append(code, jen.Comment(v.foreign+" is "+v.name+" for other packages.").Line().Var().Id(v.foreign).Op("=").Id(v.name))
		}
	}
	for _, op := range operations {
		if f := d.funcs[op]; f != nil {
			code = append(code, f.code)
		}
	}
	if d.keys != nil {
		code = append(code, d.keys.code...)
	}
	return code
}

// typeVar declares the variable of the type's codec.
func (d *decl) typeVar() jen.Code {
	comment := d.typ.name + " stores and transports " + types.TypeString(d.t, d.pkg.qualifier) + "."
	return jen.Comment(comment).Line().Var().Id(d.typ.name).Op("=").Add(d.typeValue())
}

func (d *decl) typeValue() *jen.Statement {
	p, t := d.pkg, d.t
	if value := d.scalarValue(); value != nil {
		return value
	}
	if value := d.combined(); value != nil {
		return value
	}
	fields := jen.Dict{}
	for _, op := range operations[:4] {
		fields[jen.Id(op.name)] = p.element(op, t, true)
	}
	checker := p.gen.checker
	if checker.Objects(t) {
		fields[jen.Id("Objects")] = p.element(visit, t, true)
	}
	for _, flag := range []struct {
		name string
		set  bool
	}{{"Refs", checker.Refs(t)}, {"Pointers", checker.Pointers(t)}, {"Nullable", p.nullable(t)}} {
		if flag.set {
			fields[jen.Id(flag.name)] = jen.True()
		}
	}
	return jen.Qual(runtimePath, "Type").Types(p.goType(t)).Values(fields)
}

// scalarValue returns the codec of a named basic type, nil for others.
func (d *decl) scalarValue() *jen.Statement {
	b, ok := d.t.Underlying().(*types.Basic)
	if !ok {
		return nil
	}
	value := jen.Qual(runtimePath, scalarKind(b)+"s").Types(d.pkg.goType(d.t)).Call()
	encode, _ := d.pkg.leaf(encodeJSON, d.t)
	decode, _ := d.pkg.leaf(decodeJSON, d.t)
	if encode != scalarKind(b) || decode != scalarKind(b) {
		value = value.Dot("WithJSON").Call(d.pkg.element(encodeJSON, d.t, false), d.pkg.element(decodeJSON, d.t, false))
	}
	return value
}

// combined returns the codec of an unnamed slice, array, map or pointer, made of
// the codecs of its parts; nil for others.
func (d *decl) combined() *jen.Statement {
	p := d.pkg
	call := func(name string, args ...jen.Code) *jen.Statement {
		return jen.Qual(runtimePath, name).Call(args...)
	}
	switch t := d.t.(type) {
	case *types.Slice:
		if !isByte(t.Elem()) {
			return call("Slice", p.Type(t.Elem()))
		}
	case *types.Array:
		if !isByte(t.Elem()) {
			v := p.local("v")
			slice := jen.Func().Params(jen.Id(v).Op("*").Add(p.goType(t))).Index().Add(p.goType(t.Elem())).
				Block(jen.Return(jen.Id(v).Index(jen.Op(":"))))
			return call("Array", slice, p.Type(t.Elem()))
		}
	case *types.Map:
		return call("MapOf", p.Key(t.Key()), p.Type(t.Elem()))
	case *types.Pointer:
		return call("Pointer", p.Type(t.Elem()))
	}
	return nil
}
