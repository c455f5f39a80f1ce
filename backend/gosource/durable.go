package gosource

import (
	"go/token"
	"go/types"
	"strconv"

	"github.com/dave/jennifer/jen"

	"github.com/onefold/onefold/backend"
	"github.com/onefold/onefold/compiler/ir"
	"github.com/onefold/onefold/compiler/names"
)

// payload is a type of generated code that logs and messages carry: the parameters or
// the results of a method.
type payload struct {
	typ    types.Type   // nil for none
	fields []*types.Var // of a struct made for them, in the method's order
	array  bool         // as JSON it is an array, since the results have no names
}

// durable adds what logs and messages need of the methods of s:
//
//	type hotelReserveArgs struct {
//		HotelID string
//	}
//
//	var hotelReserveMethod = &workflow.Target[hotelReserveArgs, bool]{
//		Name: "Hotel.Reserve",
//		…
//	}
//
// What runs the method is set by init: it may lead back to the variable.
func (p *packageFile) durable(s *service) {
	for _, m := range s.Methods {
		if m.Kind != ir.Workflow && !m.Step && !m.Message {
			continue
		}
		n := s.names.Durable(m)
		args := p.payload(n.Args, m.Params, m.Name+"'s parameters", false)
		result := p.resultPayload(n.Result, m)
		if m.Kind == ir.Workflow {
			p.definition(s, m, n, args, result)
		} else {
			p.target(s, m, n, args, result)
		}
	}
}

// resultPayload is payload for results: a single one is its own type.
func (p *packageFile) resultPayload(name string, m *ir.Method) payload {
	if len(m.Results) == 1 {
		return payload{typ: m.Results[0].Type}
	}
	return p.payload(name, m.Results, m.Name+"'s results", m.Kind == ir.Workflow)
}

// payload declares the type that holds params, called name; none is struct{}. It may have a JSON form.
func (p *packageFile) payload(name string, params []*ir.Param, what string, json bool) payload {
	if len(params) == 0 {
		return payload{}
	}
	var x payload
	var tags []string
	taken := map[string]bool{}
	var code []jen.Code
	for _, param := range params {
		x.array = x.array || param.Name == ""
		field := fieldName(param, taken)
		x.fields = append(x.fields, types.NewField(token.NoPos, p.ir.Types, field, param.Type, false))
		declared, tag := jen.Id(field).Add(p.goType(param.Type)), ""
		if json && param.Name != "" {
			tag = `json:"` + param.Name + `"`
			declared = declared.Op("`" + tag + "`")
		}
		tags = append(tags, tag)
		code = append(code, declared)
	}
	obj := types.NewTypeName(token.NoPos, p.ir.Types, name, nil)
	x.typ = types.NewNamed(obj, types.NewStruct(x.fields, tags), nil)
	p.out.Line().Commentf("%s holds %s, as logs and messages keep them.", name, what)
	p.out.Type().Id(name).Struct(code...)
	return x
}

// fieldName returns the name of the field that holds a parameter or result.
func fieldName(param *ir.Param, taken map[string]bool) string {
	name := "Result"
	if param.Name != "" {
		name = names.Upper(param.Name)
	}
	free := name
	for n := 2; taken[free]; n++ {
		free = name + strconv.Itoa(n)
	}
	taken[free] = true
	return free
}

// goPayload is the Go type of x.
func (p *packageFile) goPayload(x payload) *jen.Statement {
	if x.typ == nil {
		return jen.Struct()
	}
	return p.goType(x.typ)
}

// stored is the codec of x in logs and messages.
func (p *packageFile) stored(x payload) *jen.Statement {
	switch {
	case x.typ == nil:
		return jen.Qual(backend.Workflow, "Nothing")
	case x.fields != nil:
		return p.types.Stored(x.typ)
	}
	return p.types.Type(x.typ)
}

// replied is the codec of x, whose JSON form is that of a reply.
func (p *packageFile) replied(x payload) *jen.Statement {
	if x.typ == nil {
		return jen.Qual(backend.Workflow, "Nothing")
	}
	c := p.types.Type(x.typ)
	if !x.array {
		return c
	}
	return p.types.Type(x.typ).Dot("WithJSON").Call(p.arrayEncoder(x), c.Dot("DecodeJSON"))
}

// arrayEncoder is the function that writes results without names as a JSON array.
func (p *packageFile) arrayEncoder(x payload) *jen.Statement {
	code := []jen.Code{jen.Id("e").Dot("Array").Call()}
	for _, f := range x.fields {
		code = append(code, jen.Id("e").Dot("Element").Call(),
			p.types.Type(f.Type()).Dot("EncodeJSON").Call(jen.Id("e"), jen.Op("&").Id("v").Dot(f.Name())))
	}
	return jen.Func().Params(jen.Id("e").Op("*").Qual(backend.Codec, "JSONEncoder"), jen.Id("v").Op("*").Add(p.goPayload(x))).
		Block(append(code, jen.Id("e").Dot("EndArray").Call())...)
}

// target declares an atomic method as workflows and messages call it.
func (p *packageFile) target(s *service, m *ir.Method, n names.Durable, args, result payload) {
	p.out.Line().Commentf("%s is %s as workflows call it and messages do.", n.Method, m)
	p.out.Var().Id(n.Method).Op("=").Op("&").Qual(backend.Workflow, "Target").Types(p.goPayload(args), p.goPayload(result)).Add(lines(
		entry{"Name", jen.Lit(m.String())},
		entry{"Args", p.stored(args)},
		entry{"Result", p.stored(result)},
	))
	p.later = append(p.later, jen.Id(n.Method).Dot("Call").Op("=").Func().
		Params(jen.Id("ctx").Qual("context", "Context"), jen.Id("tx").Op("*").Qual(backend.Atomic, "Tx"), jen.Id("a").Add(p.goPayload(args))).
		Params(p.goPayload(result), jen.Error()).
		Block(p.invoke(jen.Id(s.names.NewClient).Call(jen.Id("tx")), m, args, result)...))
}

// definition declares a workflow.
func (p *packageFile) definition(s *service, m *ir.Method, n names.Durable, args, result payload) {
	entries := []entry{{"Name", jen.Lit(m.String())}, {"Code", jen.Lit(CodeHash(p.prog, m))}}
	if m.Schedule != "" {
		entries = append(entries, entry{"Schedule", jen.Lit(m.Schedule)})
	}
	entries = append(entries, entry{"Args", p.stored(args)}, entry{"Result", p.replied(result)}, entry{"Parse", p.parseArgs(m, args)})
	if signals := m.Signals(p.prog); len(signals) > 0 {
		entries = append(entries, entry{"Signals", jen.Index().Qual(backend.Workflow, "SignalType").ValuesFunc(func(g *jen.Group) {
			for _, signal := range signals {
				g.Line().Qual(backend.Workflow, "SignalOf").Call(jen.Lit(signal.Name), p.types.Type(signal.Type))
			}
			g.Line()
		})})
	}
	p.out.Line().Commentf("%s is the workflow %s.", n.Method, m)
	p.out.Var().Id(n.Method).Op("=").Op("&").Qual(backend.Workflow, "Definition").Types(p.goPayload(args), p.goPayload(result)).Add(lines(entries...))
	p.later = append(p.later, jen.Id(n.Method).Dot("Body").Op("=").Func().
		Params(jen.Id("ctx").Qual("context", "Context"), jen.Id("run").Op("*").Qual(backend.Workflow, "Run"), jen.Id("a").Add(p.goPayload(args))).
		Params(p.goPayload(result), jen.Error()).
		Block(p.invoke(jen.Id(s.names.BindRun).Call(jen.Id("run")), m, args, result)...))
}

// parseArgs is the function that takes the arguments out of a request.
func (p *packageFile) parseArgs(m *ir.Method, args payload) *jen.Statement {
	var values []entry
	for i, f := range args.fields {
		values = append(values, entry{f.Name(), jen.Qual(backend.Codec, "Arg").Call(jen.Id("in"), jen.Lit(m.Params[i].Name), p.types.Type(f.Type()))})
	}
	literal := lines(values...)
	if len(values) < 2 {
		literal = oneLine(values...)
	}
	return jen.Func().Params(jen.Id("in").Op("*").Qual(backend.Codec, "Args")).Add(p.goPayload(args)).
		Block(jen.Return(p.goPayload(args).Add(literal)))
}

// invoke returns the statements that call m on recv with what a holds.
func (p *packageFile) invoke(recv *jen.Statement, m *ir.Method, args, result payload) []jen.Code {
	list := []jen.Code{jen.Id("ctx")}
	for _, f := range args.fields {
		list = append(list, jen.Id("a").Dot(f.Name()))
	}
	call := recv.Dot(m.Name).Call(list...)
	switch {
	case result.typ == nil:
		return []jen.Code{jen.Return(jen.Struct().Values(), call)}
	case result.fields == nil:
		return []jen.Code{jen.Return(call)}
	}
	var targets []jen.Code
	for _, f := range result.fields {
		targets = append(targets, jen.Id("r").Dot(f.Name()))
	}
	return []jen.Code{
		jen.Var().Id("r").Add(p.goPayload(result)),
		jen.Var().Err().Error(),
		jen.List(append(targets, jen.Err())...).Op("=").Add(call),
		jen.Return(jen.Id("r"), jen.Err()),
	}
}

// initialize adds the function that completes the declarations.
func (p *packageFile) initialize() {
	if len(p.later) == 0 {
		return
	}
	p.out.Line().Func().Id("init").Params().Block(p.later...)
}

// values declares the codecs that the rewritten files name.
func (p *packageFile) values() {
	list := p.names.Values(p.ir)
	if len(list) == 0 {
		return
	}
	p.used = true
	p.out.Line().Comment("What workflows of the package carry by effects and signals.")
	p.out.Var().DefsFunc(func(g *jen.Group) {
		for _, v := range list {
			g.Id(v.Name).Op("=").Add(p.types.Type(v.Type))
		}
	})
}

// bindRun adds the function that gives a workflow its instance:
//
//	func runShop(run *workflow.Run) *Shop {
//		return &Shop{run: run, ledger: ledger.LedgerSteps(run)}
//	}
//
// and the service's client of itself, whose calls are steps in a workflow.
func (p *packageFile) bindRun(s *service) {
	if !s.Flows() {
		return
	}
	run := jen.Id("run").Op("*").Qual(backend.Workflow, "Run")
	fields := []entry{{s.names.Run, jen.Id("run")}}
	for _, f := range s.Fields {
		switch {
		case f.Kind == ir.Config:
			fields = append(fields, entry{f.Name, jen.Id(s.names.Config).Dot(f.Name)})
		case f.Kind == ir.Dependency && f.Target.Durable():
			fields = append(fields, entry{f.Name, p.qualified(f.Target.Obj.Pkg(), p.names.Service(f.Target).Steps).Call(jen.Id("run"))})
		}
	}
	literal := lines(fields...)
	if len(fields) < 4 {
		literal = oneLine(fields...)
	}
	p.out.Line().Commentf("%s returns %s as a workflow sees it.", s.names.BindRun, s.Name)
	p.out.Func().Id(s.names.BindRun).Params(run).Op("*").Id(s.Name).Block(jen.Return(jen.Op("&").Id(s.Name).Add(literal)))
}

// self adds the service's client of itself, whose calls are steps in a workflow.
func (p *packageFile) self(s *service) {
	if !s.CallsItself(p.prog) {
		return
	}
	entries := []entry{{"tx", jen.Id("s").Dot(s.names.Tx)}}
	if s.Flows() {
		entries = append(entries, entry{"run", jen.Id("s").Dot(s.names.Run)})
	}
	p.out.Line().Commentf("%s returns a client of %s where it is used: calls of it in a workflow are steps.", s.names.Self, s.Name)
	p.out.Func().Params(jen.Id("s").Op("*").Id(s.Name)).Id(s.names.Self).Params().Op("*").Id(s.names.Client).Block(
		jen.Return(jen.Op("&").Id(s.names.Client).Add(oneLine(entries...))))
}
