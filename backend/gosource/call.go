package gosource

import (
	"go/types"
	"maps"
	"path"
	"strconv"
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/onefold/onefold/backend"
	"github.com/onefold/onefold/compiler/ir"
)

// call adds the function through which the runtime calls an endpoint:
//
//	func callHotelReserve(ctx context.Context, tx *atomic.Tx, in *codec.Args, out []byte) ([]byte, error) {
//		hotelID := codec.Arg(in, "hotelID", codec.String)
//		if err := in.Err(); err != nil {
//			return nil, err
//		}
//		ok, err := bindHotel(tx).Reserve(ctx, hotelID)
//		if err != nil {
//			return nil, err
//		}
//		return codec.Bool.AppendJSON(out, &ok)
//	}
func (p *packageFile) call(s *service, m *ir.Method) {
	locals := p.locals()
	args := []jen.Code{jen.Id("ctx")}
	var decode []jen.Code
	for _, param := range m.Params {
		name := locals.take(param.Name)
		args = append(args, jen.Id(name))
		decode = append(decode, jen.Id(name).Op(":=").Qual(backend.Codec, "Arg").Call(jen.Id("in"), jen.Lit(param.Name), p.types.Type(param.Type)))
	}
	var results []string
	var targets []jen.Code
	for _, r := range m.Results {
		name := locals.take(resultName(r))
		results = append(results, name)
		targets = append(targets, jen.Id(name))
	}
	failed := jen.If(jen.Err().Op("!=").Nil()).Block(jen.Return(jen.Nil(), jen.Err()))
	body := append(decode, jen.If(jen.Err().Op(":=").Id("in").Dot("Err").Call(), jen.Err().Op("!=").Nil()).Block(jen.Return(jen.Nil(), jen.Err())))
	body = append(body, jen.List(append(targets, jen.Err())...).Op(":=").Id(s.names.Bind).Call(jen.Id("tx")).Dot(m.Name).Call(args...), failed)
	body = append(body, p.reply(m, results, locals)...)

	p.out.Line().Commentf("%s answers a request for %s.", s.names.Call(m), m.Name)
	p.out.Func().Id(s.names.Call(m)).Params(
		jen.Id("ctx").Qual("context", "Context"),
		jen.Id("tx").Op("*").Qual(backend.Atomic, "Tx"),
		jen.Id("in").Op("*").Qual(backend.Codec, "Args"),
		jen.Id("out").Index().Byte(),
	).Params(jen.Index().Byte(), jen.Error()).Block(body...)
}

// reply returns the statements that encode the results: one is its value,
// several are an object by name or an array, none is null.
func (p *packageFile) reply(m *ir.Method, results []string, locals *locals) []jen.Code {
	switch len(results) {
	case 0:
		return []jen.Code{jen.Return(jen.Append(jen.Id("out"), jen.Lit("null").Op("...")), jen.Nil())}
	case 1:
		return []jen.Code{jen.Return(p.types.Type(m.Results[0].Type).Dot("AppendJSON").Call(jen.Id("out"), jen.Op("&").Id(results[0])))}
	}
	named := Named(m.Results)
	begin, end := "Array", "EndArray"
	if named {
		begin, end = "Object", "EndObject"
	}
	e := locals.take("e")
	code := []jen.Code{jen.Id(e).Op(":=").Qual(backend.Codec, "NewJSONEncoder").Call(jen.Id("out")), jen.Id(e).Dot(begin).Call()}
	for i, r := range m.Results {
		if named {
			code = append(code, jen.Id(e).Dot("Name").Call(jen.Lit(r.Name)))
		} else {
			code = append(code, jen.Id(e).Dot("Element").Call())
		}
		code = append(code, p.types.Type(r.Type).Dot("EncodeJSON").Call(jen.Id(e), jen.Op("&").Id(results[i])))
	}
	return append(code, jen.Id(e).Dot(end).Call(), jen.Return(jen.Id(e).Dot("Finish").Call()))
}

// Named reports whether results are an object by name in a reply, which takes a
// name for each.
func Named(results []*ir.Param) bool {
	for _, r := range results {
		if r.Name == "" {
			return false
		}
	}
	return true
}

// locals gives out names of local variables that hide no import and nothing else
// that a call function needs.
type locals struct {
	pkg   *packageFile
	taken map[string]bool
}

func (p *packageFile) locals() *locals {
	return &locals{pkg: p, taken: map[string]bool{"ctx": true, "tx": true, "in": true, "out": true, "err": true}}
}

func (l *locals) take(name string) string {
	if l.pkg.imports(name) || types.Universe.Lookup(name) != nil {
		name += "Value"
	}
	free := name
	for n := 2; l.taken[free]; n++ {
		free = name + strconv.Itoa(n)
	}
	l.taken[free] = true
	return free
}

// inner returns the names of a block inside, whose own do not matter outside.
func (l *locals) inner() *locals { return &locals{pkg: l.pkg, taken: maps.Clone(l.taken)} }

// imports reports whether the file may import a package under name.
func (p *packageFile) imports(name string) bool {
	if p.importable == nil {
		p.importable = map[string]bool{"context": true, "errors": true}
		for _, known := range p.below {
			p.importable[known] = true
		}
		for _, importPath := range runtimePackages {
			p.importable[path.Base(importPath)] = true
			p.importable["onefold"+path.Base(importPath)] = true
		}
	}
	return p.importable[strings.TrimRight(name, "0123456789")] // jennifer numbers names that clash
}
