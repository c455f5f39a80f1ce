package gosource

import (
	"go/types"

	"github.com/dave/jennifer/jen"

	"github.com/onefold/onefold/backend"
	"github.com/onefold/onefold/compiler/ir"
)

// remoteCall returns the part of a client's method that calls a service which
// another process hosts:
//
//	if c.tx.Elsewhere(hotelKey) {
//		var result bool
//		err := runtime.Call(ctx, c.tx, hotelKey, "Reserve", func(e *codec.Encoder) {
//			codec.String.Encode(e, &hotelID)
//		}, func(d *codec.Decoder) {
//			codec.Bool.Decode(d, &result)
//		})
//		return result, err
//	}
func (p *packageFile) remoteCall(s *service, m *ir.Method, c *clientMethod) *jen.Statement {
	locals := c.locals.inner()
	encoder, decoder := locals.take("e"), locals.take("d")
	var declare, encode, decode, returned []jen.Code
	for i, param := range m.Params {
		encode = append(encode, p.types.Type(param.Type).Dot("Encode").Call(jen.Id(encoder), jen.Op("&").Id(c.params[i+1])))
	}
	for i, r := range m.Results {
		name := c.results[i]
		if name == "" {
			name = locals.take("result")
			declare = append(declare, jen.Var().Id(name).Add(p.goType(r.Type)))
		}
		decode = append(decode, p.types.Type(r.Type).Dot("Decode").Call(jen.Id(decoder), jen.Op("&").Id(name)))
		returned = append(returned, jen.Id(name))
	}
	call := jen.Qual(backend.Runtime, "Call").Call(
		jen.Id(c.params[0]), jen.Id(c.receiver).Dot("tx"), jen.Id(s.names.Key), jen.Lit(m.Name),
		coding(encoder, "Encoder", encode), coding(decoder, "Decoder", decode),
	)
	failure, assign := c.results[len(m.Results)], "="
	if failure == "" {
		failure, assign = locals.take("err"), ":="
	}
	body := append(declare, jen.Id(failure).Op(assign).Add(call), jen.Return(append(returned, jen.Id(failure))...))
	if len(returned) == 0 {
		body = []jen.Code{jen.Return(call)}
	}
	return jen.If(jen.Id(c.receiver).Dot("tx").Dot("Elsewhere").Call(jen.Id(s.names.Key))).Block(body...)
}

// coding returns the function that encodes or decodes something, nil for nothing.
func coding(name, kind string, body []jen.Code) *jen.Statement {
	if len(body) == 0 {
		return jen.Nil()
	}
	return jen.Func().Params(jen.Id(name).Op("*").Qual(backend.Codec, kind)).Block(body...)
}

// serve adds the function through which other processes call an endpoint:
//
//	func serveHotelReserve(ctx context.Context, tx *atomic.Tx, in *codec.Decoder, out *codec.Encoder) error {
//		var hotelID string
//		codec.String.Decode(in, &hotelID)
//		runtime.EndArgs(tx, in)
//		result, err := bindHotel(tx).Reserve(ctx, hotelID)
//		codec.Bool.Encode(out, &result)
//		return err
//	}
func (p *packageFile) serve(s *service, m *ir.Method) {
	locals := p.locals()
	args := []jen.Code{jen.Id("ctx")}
	var body, encode, targets []jen.Code
	for _, param := range m.Params {
		name := locals.take(param.Name)
		args = append(args, jen.Id(name))
		body = append(body,
			jen.Var().Id(name).Add(p.goType(param.Type)),
			p.types.Type(param.Type).Dot("Decode").Call(jen.Id("in"), jen.Op("&").Id(name)))
	}
	body = append(body, jen.Qual(backend.Runtime, "EndArgs").Call(jen.Id("tx"), jen.Id("in")))
	for _, r := range m.Results {
		name := locals.take(resultName(r))
		targets = append(targets, jen.Id(name))
		encode = append(encode, p.types.Type(r.Type).Dot("Encode").Call(jen.Id("out"), jen.Op("&").Id(name)))
	}
	call := jen.Id(s.names.Bind).Call(jen.Id("tx")).Dot(m.Name).Call(args...)
	if len(targets) == 0 {
		body = append(body, jen.Return(call))
	} else {
		body = append(body, jen.List(append(targets, jen.Err())...).Op(":=").Add(call))
		body = append(append(body, encode...), jen.Return(jen.Err()))
	}
	p.out.Line().Commentf("%s answers a call of %s from another process.", s.names.Serve(m), m.Name)
	p.out.Func().Id(s.names.Serve(m)).Params(
		jen.Id("ctx").Qual("context", "Context"),
		jen.Id("tx").Op("*").Qual(backend.Atomic, "Tx"),
		jen.Id("in").Op("*").Qual(backend.Codec, "Decoder"),
		jen.Id("out").Op("*").Qual(backend.Codec, "Encoder"),
	).Error().Block(body...)
}

// resultName returns the name of a result's variable.
func resultName(r *ir.Param) string {
	if r.Name == "" || r.Name == "_" {
		return "result"
	}
	return r.Name
}

// clientMethod is the names in a method of a client.
type clientMethod struct {
	locals   *locals
	receiver string
	params   []string // the context first
	results  []string // the error last; "" where they have none
}

// clientMethod chooses the names, the user's where they hide nothing.
func (p *packageFile) clientMethod(sig *types.Signature) *clientMethod {
	c := &clientMethod{locals: &locals{pkg: p, taken: map[string]bool{}}}
	for v := range sig.Params().Variables() {
		name := v.Name()
		if name == "" || name == "_" {
			name = "ctx" // endpoints name every other parameter
		}
		c.params = append(c.params, c.locals.take(name))
	}
	named := true
	for v := range sig.Results().Variables() {
		named = named && v.Name() != "" && v.Name() != "_"
	}
	for v := range sig.Results().Variables() {
		name := ""
		if named {
			name = c.locals.take(v.Name())
		}
		c.results = append(c.results, name)
	}
	c.receiver = c.locals.take("c")
	return c
}
