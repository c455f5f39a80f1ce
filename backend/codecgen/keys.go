package codecgen

import (
	"go/types"

	"github.com/dave/jennifer/jen"

	"github.com/onefold/onefold/compiler/names"
	"github.com/onefold/onefold/compiler/storable"
)

// keyFuncs are the functions of a key that has parts.
type keyFuncs struct {
	append, decode string
	code           []jen.Code
}

// keyFunctions returns the names of the key's functions.
func (d *decl) keyFunctions() *keyFuncs {
	if d.keys == nil {
		d.pkg.open(d.t)
		base := names.Upper(d.base)
		d.keys = &keyFuncs{append: d.pkg.scope.Take("append" + base + "Key"), decode: d.pkg.scope.Take("decode" + base + "Key")}
	}
	return d.keys
}

// keyVar declares the variable of the type's key.
func (d *decl) keyVar() jen.Code {
	comment := d.key.name + " encodes " + types.TypeString(d.t, d.pkg.qualifier) + " as a key."
	return jen.Comment(comment).Line().Var().Id(d.key.name).Op("=").Add(d.keyValue())
}

func (d *decl) keyValue() *jen.Statement {
	p := d.pkg
	var value *jen.Statement
	if b, ok := d.t.Underlying().(*types.Basic); ok {
		value = jen.Qual(runtimePath, scalarKind(b)+"Keys").Types(p.goType(d.t)).Call()
	} else {
		d.refer(&d.typ, "Codec", p)
		f := d.keyFunctions()
		value = jen.Qual(runtimePath, "Key").Types(p.goType(d.t)).Values(jen.Dict{
			jen.Id("Append"): jen.Id(f.append),
			jen.Id("Decode"): jen.Id(f.decode),
			jen.Id("Value"):  jen.Op("&").Id(d.typ.name),
		})
	}
	text, parse := jen.Nil(), jen.Nil()
	if storable.KeyEncodeForm(d.t) == storable.TextKey {
		text = jen.Qual(runtimePath, "KeyText").Types(p.goType(d.t))
	}
	if storable.KeyDecodeForm(d.t) == storable.TextKey {
		parse = jen.Qual(runtimePath, "ParseKeyText").Types(p.goType(d.t))
	}
	if storable.KeyEncodeForm(d.t) == storable.TextKey || storable.KeyDecodeForm(d.t) == storable.TextKey {
		value = value.Dot("WithText").Call(text, parse)
	}
	return value
}

// keyBodies generates the functions of the key.
//
//	func appendCityKey(b []byte, k City) []byte
//	func decodeCityKey(b []byte) (k City, rest []byte, err error)
func (d *decl) keyBodies() []jen.Code {
	p := d.pkg
	b, k := p.local("b"), p.local("k")
	t := p.goType(d.t)
	bytes := func() *jen.Statement { return jen.Index().Byte() }
	return []jen.Code{
		jen.Func().Id(d.keys.append).Params(jen.Id(b).Add(bytes()), jen.Id(k).Add(t)).Add(bytes()).
			Block(p.appendKeyBody(d.t)...),
		jen.Func().Id(d.keys.decode).Params(jen.Id(b).Add(bytes())).
			Params(jen.Id(k).Add(p.goType(d.t)), jen.Id(p.local("rest")).Add(bytes()), jen.Err().Error()).
			Block(p.decodeKeyBody(d.t)...),
	}
}

// parts calls each for what a struct or array key consists of: fields, or the
// one element type.
func keyParts(t types.Type, field func(*types.Var), elem func(types.Type)) {
	switch u := t.Underlying().(type) {
	case *types.Struct:
		for f := range u.Fields() {
			if f.Name() != "_" {
				field(f)
			}
		}
	case *types.Array:
		elem(u.Elem())
	default:
		panic("codecgen: " + t.String() + " is not usable as a key")
	}
}

// appendKeyBody gives
//
//	b = codec.BeginKey(b)
//	b = codec.AppendStringKey(b, k.Name)
//	return codec.EndKey(b)
func (p *Package) appendKeyBody(t types.Type) []jen.Code {
	b, k := p.local("b"), p.local("k")
	if isByteArray(t) {
		return []jen.Code{jen.Return(jen.Qual(runtimePath, "AppendBytesKey").Call(jen.Id(b), jen.Id(k).Index(jen.Op(":"))))}
	}
	code := []jen.Code{jen.Id(b).Op("=").Qual(runtimePath, "BeginKey").Call(jen.Id(b))}
	keyParts(t, func(f *types.Var) {
		code = append(code, jen.Id(b).Op("=").Add(p.keyFunction(f.Type(), "Append")).Call(jen.Id(b), jen.Id(k).Dot(f.Name())))
	}, func(elem types.Type) {
		part := p.local("part")
		code = append(code, jen.For(jen.List(jen.Id("_"), jen.Id(part)).Op(":=").Range().Id(k)).Block(
			jen.Id(b).Op("=").Add(p.keyFunction(elem, "Append")).Call(jen.Id(b), jen.Id(part))))
	})
	return append(code, jen.Return(jen.Qual(runtimePath, "EndKey").Call(jen.Id(b))))
}

// decodeKeyBody gives
//
//	d := codec.OpenKey(b)
//	codec.DecodePart(&d, &k.Name, codec.DecodeStringKey)
//	rest, err = d.Close()
//	return k, rest, err
func (p *Package) decodeKeyBody(t types.Type) []jen.Code {
	b, k, d, rest := p.local("b"), p.local("k"), p.local("d"), p.local("rest")
	result := []jen.Code{
		jen.List(jen.Id(rest), jen.Err()).Op("=").Id(d).Dot("Close").Call(),
		jen.Return(jen.Id(k), jen.Id(rest), jen.Err()),
	}
	if isByteArray(t) {
		result[0] = jen.List(jen.Id(rest), jen.Err()).Op("=").Qual(runtimePath, "DecodeBytesKey").Call(jen.Id(b), jen.Id(k).Index(jen.Op(":")))
		return result
	}
	part := func(x *jen.Statement, t types.Type) jen.Code {
		return jen.Qual(runtimePath, "DecodePart").Call(jen.Op("&").Id(d), jen.Op("&").Add(x), p.keyFunction(t, "Decode"))
	}
	code := []jen.Code{jen.Id(d).Op(":=").Qual(runtimePath, "OpenKey").Call(jen.Id(b))}
	keyParts(t, func(f *types.Var) {
		code = append(code, part(jen.Id(k).Dot(f.Name()), f.Type()))
	}, func(elem types.Type) {
		i := p.local("i")
		code = append(code, jen.For(jen.Id(i).Op(":=").Range().Id(k)).Block(part(jen.Id(k).Index(jen.Id(i)), elem)))
	})
	return append(code, result...)
}

// keyFunction returns the function that appends or decodes a part of a key.
func (p *Package) keyFunction(t types.Type, verb string) *jen.Statement {
	t = types.Unalias(t)
	if b, ok := t.Underlying().(*types.Basic); ok {
		return jen.Qual(runtimePath, verb+scalarKind(b)+"Key")
	}
	d := p.home(t).declare(t)
	if d.pkg != p {
		return d.refer(&d.key, "Key", p).Dot(verb)
	}
	f := d.keyFunctions()
	if verb == "Append" {
		return jen.Id(f.append)
	}
	return jen.Id(f.decode)
}

func isByteArray(t types.Type) bool {
	a, ok := t.Underlying().(*types.Array)
	return ok && isByte(a.Elem())
}
