package codecgen

import (
	"go/types"
	"strconv"

	"github.com/dave/jennifer/jen"

	"github.com/onefold/onefold/compiler/names"
)

// goType returns t as the generated code of the package writes it: types of
// rewritten packages are those of the output.
func (p *Package) goType(t types.Type) *jen.Statement {
	switch t := types.Unalias(t).(type) {
	case *types.Basic:
		return jen.Id(t.Name())
	case *types.Named:
		return p.namedType(t)
	case *types.Pointer:
		return jen.Op("*").Add(p.goType(t.Elem()))
	case *types.Slice:
		return jen.Index().Add(p.goType(t.Elem()))
	case *types.Array:
		return jen.Index(jen.Lit(int(t.Len()))).Add(p.goType(t.Elem()))
	case *types.Map:
		return jen.Map(p.goType(t.Key())).Add(p.goType(t.Elem()))
	case *types.Struct:
		return p.structType(t)
	}
	panic("codecgen: " + t.String() + " is not storable")
}

func (p *Package) namedType(t *types.Named) *jen.Statement {
	obj := t.Obj()
	name := jen.Id(obj.Name())
	if pkg := obj.Pkg(); pkg != nil && pkg.Path() != p.ir.Path {
		path := pkg.Path()
		if out := p.gen.byPath[path]; out != nil {
			path = out.ir.OutPath
		}
		name = jen.Qual(path, obj.Name())
	}
	var args []jen.Code
	for arg := range t.TypeArgs().Types() {
		args = append(args, p.goType(arg))
	}
	if len(args) > 0 {
		name = name.Types(args...)
	}
	return name
}

func (p *Package) structType(t *types.Struct) *jen.Statement {
	var fields []jen.Code
	for i := range t.NumFields() {
		f := t.Field(i)
		field := p.goType(f.Type())
		if !f.Embedded() {
			field = jen.Id(f.Name()).Add(field)
		}
		if tag := t.Tag(i); tag != "" {
			field = field.Op(strconv.Quote(tag))
		}
		fields = append(fields, field)
	}
	return jen.Struct(fields...)
}

// baseName returns a name that tells t, for the names of what is declared for it.
func (p *Package) baseName(t types.Type) string {
	switch t := types.Unalias(t).(type) {
	case *types.Basic:
		return names.Upper(t.Name())
	case *types.Named:
		name := names.Upper(t.Obj().Name())
		if pkg := t.Obj().Pkg(); pkg != nil && pkg.Path() != p.ir.Path {
			name = names.Upper(pkg.Name()) + name
		}
		for arg := range t.TypeArgs().Types() {
			name += p.baseName(arg)
		}
		return name
	case *types.Pointer:
		return p.baseName(t.Elem()) + "Pointer"
	case *types.Slice:
		return p.baseName(t.Elem()) + "Slice"
	case *types.Array:
		return p.baseName(t.Elem()) + "Array" + strconv.FormatInt(t.Len(), 10)
	case *types.Map:
		return p.baseName(t.Key()) + p.baseName(t.Elem()) + "Map"
	}
	if p.context != "" {
		return p.context
	}
	return "Struct"
}

func (p *Package) qualifier(pkg *types.Package) string {
	if pkg.Path() == p.ir.Path {
		return ""
	}
	return pkg.Name()
}

// local returns the name of a local variable that hides nothing the generated
// code needs.
func (p *Package) local(name string) string {
	for p.ir.Types.Scope().Lookup(name) != nil || p.gen.taken[name] {
		name += "x"
	}
	return name
}
