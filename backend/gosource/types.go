package gosource

import (
	"go/types"
	"strconv"

	"github.com/dave/jennifer/jen"
)

// goType returns t as the package's generated code writes it: pointers to services are
// pointers to their clients, types of rewritten packages those of the output.
func (p *packageFile) goType(t types.Type) *jen.Statement {
	if s := p.prog.Pointee(t); s != nil {
		return jen.Op("*").Add(p.qualified(s.Obj.Pkg(), p.names.Service(s).Client))
	}
	switch t := types.Unalias(t).(type) {
	case *types.Basic:
		return jen.Id(t.Name())
	case *types.Named:
		name := p.qualified(t.Obj().Pkg(), t.Obj().Name())
		var args []jen.Code
		for arg := range t.TypeArgs().Types() {
			args = append(args, p.goType(arg))
		}
		if len(args) > 0 {
			name = name.Types(args...)
		}
		return name
	case *types.Pointer:
		return jen.Op("*").Add(p.goType(t.Elem()))
	case *types.Slice:
		return jen.Index().Add(p.goType(t.Elem()))
	case *types.Array:
		return jen.Index(jen.Op(strconv.FormatInt(t.Len(), 10))).Add(p.goType(t.Elem()))
	case *types.Map:
		return jen.Map(p.goType(t.Key())).Add(p.goType(t.Elem()))
	case *types.Struct:
		return p.structType(t)
	case *types.Interface:
		if t.Empty() {
			return jen.Any()
		}
	}
	panic("gosource: a field or parameter of type " + t.String())
}

func (p *packageFile) structType(t *types.Struct) *jen.Statement {
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

// qualified returns name, declared in pkg, as this package says it.
func (p *packageFile) qualified(pkg *types.Package, name string) *jen.Statement {
	if pkg == nil || pkg == p.ir.Types {
		return jen.Id(name)
	}
	importPath := pkg.Path()
	if out := p.rewritten(pkg); out != nil {
		importPath = out.OutPath
	}
	return jen.Qual(importPath, name)
}

// entry is one entry of a composite literal of a struct.
type entry struct {
	name  string
	value jen.Code
}

// oneLine returns {name: value, …} on one line.
func oneLine(entries ...entry) *jen.Statement {
	var list []jen.Code
	for _, e := range entries {
		list = append(list, jen.Id(e.name).Op(":").Add(e.value))
	}
	return jen.Values(list...)
}

// lines returns {name: value, …}, each entry on a line of its own.
func lines(entries ...entry) *jen.Statement {
	var list []jen.Code
	for _, e := range entries {
		list = append(list, jen.Line().Id(e.name).Op(":").Add(e.value))
	}
	return jen.Values(append(list, jen.Line())...)
}
