package codecgen

import (
	"cmp"
	"encoding/json"
	"go/types"
	"slices"
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/onefold/onefold/compiler/names"
	"github.com/onefold/onefold/compiler/storable"
)

// structBody returns the statements that do op on the struct that v points to.
func (p *Package) structBody(op *operation, s *types.Struct) []jen.Code {
	switch op {
	case encode:
		return p.encodeFields(s)
	case decode:
		return p.decodeFields(s)
	case encodeJSON:
		return p.encodeMembers(storable.JSONFields(s))
	case decodeJSON:
		return p.decodeMembers(storable.JSONFields(s))
	}
	return p.visitFields(s)
}

// storedFields returns the fields that are stored, in the order they are encoded:
// by the bytes of their encoded names.
func storedFields(s *types.Struct) []*types.Var {
	var fields []*types.Var
	for f := range s.Fields() {
		if f.Name() != "_" {
			fields = append(fields, f)
		}
	}
	slices.SortFunc(fields, func(a, b *types.Var) int {
		return cmp.Or(cmp.Compare(len(a.Name()), len(b.Name())), strings.Compare(a.Name(), b.Name()))
	})
	return fields
}

// at returns the place that the path of fields leads to from v.
func (p *Package) at(path ...*types.Var) place {
	return place{expr: func() *jen.Statement {
		x := jen.Id(p.local("v"))
		for _, f := range path {
			x = x.Dot(f.Name())
		}
		return x
	}}
}

// inField sets what a struct without a name is called in a field of the struct
// that is generated.
func (p *Package) inField(f *types.Var) (restore func()) {
	outer := p.context
	p.context += names.Upper(f.Name())
	return func() { p.context = outer }
}

func (p *Package) applyField(op *operation, f *types.Var) jen.Code {
	defer p.inField(f)()
	return p.apply(op, f.Type(), p.at(f))
}

// encodeFields gives
//
//	s := e.Struct(1)
//	s.Field("Capacity")
//	codec.EncodeInt(e, &v.Capacity)
//	s.End()
func (p *Package) encodeFields(st *types.Struct) []jen.Code {
	s := p.local("s")
	fields := storedFields(st)
	code := []jen.Code{jen.Id(s).Op(":=").Id(p.local("e")).Dot("Struct").Call(jen.Lit(len(fields)))}
	for _, f := range fields {
		code = append(code, jen.Id(s).Dot("Field").Call(jen.Lit(f.Name())), p.applyField(encode, f))
	}
	return append(code, jen.Id(s).Dot("End").Call())
}

// decodeFields gives
//
//	for s := d.Struct(1); s.Next(); {
//		switch string(s.Name) {
//		case "Capacity":
//			codec.DecodeInt(d, &v.Capacity)
//		default:
//			s.Unknown()
//		}
//	}
func (p *Package) decodeFields(st *types.Struct) []jen.Code {
	fields := storedFields(st)
	var cases []jen.Code
	for _, f := range fields {
		cases = append(cases, jen.Case(jen.Lit(f.Name())).Block(p.applyField(decode, f)))
	}
	return p.decodeLoop("s", jen.Dot("Struct").Call(jen.Lit(len(fields))), cases)
}

// decodeLoop gives the loop over the fields of a struct in either format.
func (p *Package) decodeLoop(iterator string, begin *jen.Statement, cases []jen.Code) []jen.Code {
	s := p.local(iterator)
	body := jen.Code(jen.Id(s).Dot("Unknown").Call())
	if len(cases) > 0 {
		body = jen.Switch(jen.String().Parens(jen.Id(s).Dot("Name"))).Block(append(cases, jen.Default().Block(body))...)
	}
	return []jen.Code{
		jen.For(jen.Id(s).Op(":=").Id(p.local("d")).Add(begin), jen.Id(s).Dot("Next").Call(), jen.Empty()).Block(body),
	}
}

func (p *Package) visitFields(s *types.Struct) []jen.Code {
	var code []jen.Code
	for f := range s.Fields() {
		if f.Name() != "_" && p.gen.checker.Objects(f.Type()) {
			code = append(code, p.applyField(visit, f))
		}
	}
	return code
}

// encodeMembers gives
//
//	e.Object()
//	e.Name("capacity")
//	codec.EncodeJSONInt(e, &v.Capacity)
//	e.EndObject()
func (p *Package) encodeMembers(fields []storable.JSONField) []jen.Code {
	e := p.local("e")
	code := []jen.Code{jen.Id(e).Dot("Object").Call()}
	for _, f := range fields {
		member := []jen.Code{jen.Id(e).Dot("Name").Call(jen.Lit(escaped(f.Name))), p.applyMember(encodeJSON, f)}
		if conditions := p.conditions(f); len(conditions) > 0 {
			member = []jen.Code{jen.If(join(conditions, "&&")).Block(member...)}
		}
		code = append(code, member...)
	}
	return append(code, jen.Id(e).Dot("EndObject").Call())
}

// escaped returns a member's name as it stands in JSON, without the quotes.
func escaped(name string) string {
	b, err := json.Marshal(name)
	if err != nil {
		panic("codecgen: " + err.Error()) // a string always has a JSON form
	}
	return string(b[1 : len(b)-1])
}

// conditions returns on what it depends that a member is written.
func (p *Package) conditions(f storable.JSONField) []*jen.Statement {
	var conditions []*jen.Statement
	for i, embedded := range f.Path[:len(f.Path)-1] {
		if isPointer(embedded.Type()) {
			conditions = append(conditions, p.at(f.Path[:i+1]...).expr().Op("!=").Nil())
		}
	}
	x := p.at(f.Path...)
	if f.OmitEmpty {
		if c := p.notEmpty(f.Var.Type(), x); c != nil {
			conditions = append(conditions, c)
		}
	}
	if f.OmitZero {
		conditions = append(conditions, p.notZero(f.Var.Type(), x))
	}
	return conditions
}

func isPointer(t types.Type) bool {
	_, ok := t.Underlying().(*types.Pointer)
	return ok
}

func join(operands []*jen.Statement, op string) *jen.Statement {
	all := operands[0]
	for _, o := range operands[1:] {
		all = all.Op(op).Add(o)
	}
	return all
}

// notEmpty returns the condition that x is not empty in the sense of omitempty,
// nil where it never is.
func (p *Package) notEmpty(t types.Type, x place) *jen.Statement {
	switch u := t.Underlying().(type) {
	case *types.Slice, *types.Map:
		return jen.Len(x.expr()).Op(">").Lit(0)
	case *types.Array:
		if u.Len() == 0 {
			return jen.False()
		}
		return nil
	case *types.Struct:
		return nil
	}
	return p.notZero(t, x)
}

// notZero returns the condition that x is not zero in the sense of omitzero.
func (p *Package) notZero(t types.Type, x place) *jen.Statement {
	hasMethod := storable.HasIsZero(t)
	switch u := t.Underlying().(type) {
	case *types.Slice, *types.Map:
		if !hasMethod {
			return x.expr().Op("!=").Nil()
		}
	case *types.Pointer:
		c := x.expr().Op("!=").Nil()
		if hasMethod {
			c = c.Op("&&").Op("!").Add(x.expr()).Dot("IsZero").Call()
		}
		return c
	case *types.Basic:
		if !hasMethod {
			return basicNotZero(u, x)
		}
	}
	switch {
	case hasMethod:
		return jen.Op("!").Add(x.expr()).Dot("IsZero").Call()
	case types.Comparable(t):
		return x.expr().Op("!=").Parens(p.goType(t).Values())
	}
	return jen.Op("!").Qual(runtimePath, "IsZero").Call(x.ptr())
}

func basicNotZero(b *types.Basic, x place) *jen.Statement {
	switch {
	case b.Info()&types.IsBoolean != 0:
		return jen.Bool().Parens(x.expr())
	case b.Info()&types.IsString != 0:
		return x.expr().Op("!=").Lit("")
	}
	return x.expr().Op("!=").Lit(0)
}

// decodeMembers gives
//
//	for o := d.Object(); o.Next(); {
//		switch string(o.Name) {
//		case "capacity":
//			codec.DecodeJSONInt(d, &v.Capacity)
//		default:
//			o.Unknown()
//		}
//	}
func (p *Package) decodeMembers(fields []storable.JSONField) []jen.Code {
	var cases []jen.Code
	for _, f := range fields {
		cases = append(cases, jen.Case(jen.Lit(f.Name)).Block(append(p.makeEmbedded(f), p.applyMember(decodeJSON, f))...))
	}
	return p.decodeLoop("o", jen.Dot("Object").Call(), cases)
}

// makeEmbedded gives what a member in an embedded pointer needs before it is read:
//
//	if v.Base == nil {
//		v.Base = new(Base)
//	}
func (p *Package) makeEmbedded(f storable.JSONField) []jen.Code {
	var code []jen.Code
	for i, embedded := range f.Path[:len(f.Path)-1] {
		if !isPointer(embedded.Type()) {
			continue
		}
		x := p.at(f.Path[:i+1]...)
		elem := embedded.Type().Underlying().(*types.Pointer).Elem()
		code = append(code, jen.If(x.expr().Op("==").Nil()).Block(x.expr().Op("=").New(p.goType(elem))))
	}
	return code
}

func (p *Package) applyMember(op *operation, f storable.JSONField) jen.Code {
	defer p.inField(f.Var)()
	x := p.at(f.Path...)
	t := types.Unalias(f.Var.Type())
	if !f.String {
		return p.apply(op, t, x)
	}
	quoted := func(t types.Type, x jen.Code) jen.Code {
		return jen.Qual(runtimePath, op.name+"Quoted").Call(p.args(op, x, p.part(op, t))...)
	}
	pointer, ok := t.(*types.Pointer)
	if !ok {
		return quoted(t, x.ptr())
	}
	value := jen.Func().Params(p.params(op, pointer.Elem())...).Block(quoted(pointer.Elem(), jen.Id(p.local("v"))))
	return jen.Qual(runtimePath, op.name+"Pointer").Call(p.args(op, x.ptr(), value)...)
}
