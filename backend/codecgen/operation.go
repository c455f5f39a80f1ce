package codecgen

import (
	"go/types"

	"github.com/dave/jennifer/jen"

	"github.com/onefold/onefold/compiler/storable"
)

// operation is one of the things a codec does. Each is a function of the
// runtime's for every kind of type, which generated functions call.
type operation struct {
	name   string // of the field of codec.Type, and the runtime's functions' prefix
	prefix string // of generated functions
	suffix string
	coder  string // the type of the first parameter; none where empty
	param  string // its name
	json   bool
	encode bool
}

var (
	encode     = &operation{name: "Encode", prefix: "encode", coder: "Encoder", param: "e", encode: true}
	decode     = &operation{name: "Decode", prefix: "decode", coder: "Decoder", param: "d"}
	encodeJSON = &operation{name: "EncodeJSON", prefix: "encode", suffix: "JSON", coder: "JSONEncoder", param: "e", json: true, encode: true}
	decodeJSON = &operation{name: "DecodeJSON", prefix: "decode", suffix: "JSON", coder: "JSONDecoder", param: "d", json: true}
	visit      = &operation{name: "Visit", prefix: "visit", param: "visit"}

	operations = []*operation{encode, decode, encodeJSON, decodeJSON, visit}
)

// place is a variable of the generated code that an operation works on.
type place struct {
	expr    func() *jen.Statement // fresh at each call: jennifer's statements grow
	pointer bool                  // expr points to the variable
}

func (x place) ptr() *jen.Statement {
	if x.pointer {
		return x.expr()
	}
	return jen.Op("&").Add(x.expr())
}

func (x place) slice() *jen.Statement { return x.expr().Index(jen.Op(":")) }

// params are the parameters of a function that does op on a *t.
func (p *Package) params(op *operation, t types.Type) []jen.Code {
	coder := jen.Id(p.local(op.param))
	v := jen.Id(p.local("v")).Op("*").Add(p.goType(t))
	if op == visit {
		return []jen.Code{v, coder.Qual(runtimePath, "Visit")}
	}
	return []jen.Code{coder.Op("*").Qual(runtimePath, op.coder), v}
}

// args are the arguments of such a function, called for x, and what else it takes.
func (p *Package) args(op *operation, x jen.Code, more ...jen.Code) []jen.Code {
	coder := jen.Id(p.local(op.param))
	if op == visit {
		return append([]jen.Code{x, coder}, more...)
	}
	return append([]jen.Code{coder, x}, more...)
}

// leaf returns the kind of t if a single function of the runtime does op for it.
func (p *Package) leaf(op *operation, t types.Type) (kind string, ok bool) {
	if op == visit {
		if s, ok := t.Underlying().(*types.Slice); ok && isByte(s.Elem()) {
			return "Slice", true
		}
		return "", false
	}
	if kind := p.marshaled(op, t); kind != "" {
		return kind, true
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return scalarKind(u), true
	case *types.Slice:
		if isByte(u.Elem()) && (!op.json || storable.ByteString(u.Elem())) {
			return "Bytes", true
		}
	}
	return "", false
}

// marshaled returns the kind of t if it marshals itself.
func (p *Package) marshaled(op *operation, t types.Type) string {
	if op.json {
		form := storable.EncodeForm(t)
		if !op.encode {
			form = storable.DecodeForm(t)
		}
		return map[storable.JSONForm]string{storable.JSONTime: "Time", storable.JSONMethod: "Method", storable.JSONText: "Text"}[form]
	}
	form := storable.FormOf(t, p.gen.checker.Own)
	return map[storable.Form]string{storable.Time: "Time", storable.Binary: "Binary", storable.Gob: "Gob", storable.Text: "Text"}[form]
}

// scalarKind returns how the runtime's functions for the type are called.
func scalarKind(b *types.Basic) string {
	switch info := b.Info(); {
	case info&types.IsBoolean != 0:
		return "Bool"
	case info&types.IsUnsigned != 0:
		return "Uint"
	case info&types.IsInteger != 0:
		return "Int"
	case info&types.IsFloat != 0:
		return "Float"
	case info&types.IsComplex != 0:
		return "Complex"
	case info&types.IsString != 0:
		return "String"
	}
	panic("codecgen: " + b.String() + " is not storable")
}

func isByte(t types.Type) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Kind() == types.Uint8
}

// nullable reports whether a stored t may be null.
func (p *Package) nullable(t types.Type) bool {
	switch t.Underlying().(type) {
	case *types.Slice, *types.Map, *types.Pointer:
		return true
	}
	return false
}

// declared reports whether generated functions do the operations for t.
func declared(t types.Type) bool {
	switch t.(type) {
	case *types.Named:
		_, basic := t.Underlying().(*types.Basic)
		return !basic
	case *types.Struct:
		return true
	}
	return false
}

// apply returns the statement that does op on x, a variable of type t.
func (p *Package) apply(op *operation, t types.Type, x place) jen.Code {
	t = types.Unalias(t)
	if _, ok := p.leaf(op, t); !ok && declared(t) {
		return p.element(op, t, false).Call(p.args(op, x.ptr())...)
	}
	return p.compose(op, t, x)
}

// compose returns the call of the runtime's function for the structure of t.
func (p *Package) compose(op *operation, t types.Type, x place) jen.Code {
	call := func(kind string, x jen.Code, more ...jen.Code) jen.Code {
		return jen.Qual(runtimePath, op.name+kind).Call(p.args(op, x, more...)...)
	}
	if kind, ok := p.leaf(op, t); ok && op == visit {
		return call(kind, x.ptr(), jen.Nil())
	} else if ok {
		return call(kind, x.ptr())
	}
	switch u := t.Underlying().(type) {
	case *types.Slice:
		return call("Slice", x.ptr(), p.part(op, u.Elem()))
	case *types.Array:
		if !op.json && op != visit && isByte(u.Elem()) {
			return call("ByteArray", x.slice())
		}
		return call("Array", x.slice(), p.part(op, u.Elem()))
	case *types.Map:
		if op == visit {
			return call("Map", x.ptr(), p.part(op, u.Elem()))
		}
		return call("Map", x.ptr(), p.Key(u.Key()), p.part(op, u.Elem()))
	case *types.Pointer:
		if !op.json && op != visit && p.nullable(u.Elem()) {
			return call("Box", x.ptr(), p.part(op, u.Elem()))
		}
		return call("Pointer", x.ptr(), p.part(op, u.Elem()))
	}
	panic("codecgen: " + t.String() + " is not storable")
}

// part is element for an argument, where Go infers type arguments.
func (p *Package) part(op *operation, t types.Type) jen.Code {
	return p.element(op, types.Unalias(t), false)
}

// element returns the function that does op on a *t, with its type arguments
// where Go does not infer them.
func (p *Package) element(op *operation, t types.Type, instantiate bool) *jen.Statement {
	if op == visit && !p.gen.checker.Objects(t) {
		return jen.Nil()
	}
	if kind, ok := p.leaf(op, t); ok && op != visit {
		f := jen.Qual(runtimePath, op.name+kind)
		if instantiate && kind != "Time" {
			f = f.Types(p.goType(t))
		}
		return f
	}
	if _, ok := p.leaf(op, t); !ok && declared(t) {
		return p.declaredElement(op, t)
	}
	return jen.Func().Params(p.params(op, t)...).Block(
		p.compose(op, t, place{expr: func() *jen.Statement { return jen.Id(p.local("v")) }, pointer: true}))
}

// declaredElement returns the generated function for t: one of the package's
// own, or what is in another package's codec.
func (p *Package) declaredElement(op *operation, t types.Type) *jen.Statement {
	d := p.home(t).declare(t)
	if d.pkg == p {
		return jen.Id(d.function(op))
	}
	name := op.name
	if op == visit {
		name = "Objects"
	}
	return d.refer(&d.typ, "Codec", p).Dot(name)
}

// body generates the function that does an operation for the type.
func (d *decl) body(f *function) jen.Code {
	p := d.pkg
	function := jen.Func().Id(f.name).Params(p.params(f.op, d.t)...)
	if s, ok := d.t.Underlying().(*types.Struct); ok {
		p.context = d.base
		return function.Block(p.structBody(f.op, s)...)
	}
	v := p.local("v")
	return function.Block(p.compose(f.op, d.t, place{expr: func() *jen.Statement { return jen.Id(v) }, pointer: true}))
}
