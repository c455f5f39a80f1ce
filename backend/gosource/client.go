package gosource

import (
	"go/types"
	"strings"

	"github.com/dave/jennifer/jen"

	"github.com/onefold/onefold/backend"
	"github.com/onefold/onefold/compiler/ir"
)

// client adds what other services hold instead of the service:
//
//	type HotelClient struct{ tx *atomic.Tx }
//
//	func (c *HotelClient) Reserve(ctx context.Context, id string) (bool, error) {
//		if c.tx.Elsewhere(hotelKey) {
//			…
//		}
//		return bindHotel(c.tx).Reserve(ctx, id)
//	}
//
// The client of a service that workflows call, or messages are sent to, also tells
// which workflow it is used in:
//
//	func HotelSteps(run *workflow.Run) *HotelClient { return &HotelClient{run: run} }
func (p *packageFile) client(s *service) {
	tx := jen.Id("tx").Op("*").Qual(backend.Atomic, "Tx")
	run := jen.Id("run").Op("*").Qual(backend.Workflow, "Run")
	where, fields := "inside the caller's request", []jen.Code{tx}
	if s.Durable() {
		where += ", or as a step of a workflow"
		fields = append(fields, run)
	}
	p.out.Line().Commentf("%s calls %s from another service, %s.", s.names.Client, s.Name, where)
	p.out.Type().Id(s.names.Client).Struct(fields...)
	p.out.Line().Commentf("%s returns a client that calls inside tx.", s.names.NewClient)
	p.out.Func().Id(s.names.NewClient).Params(tx.Clone()).Op("*").Id(s.names.Client).Block(
		jen.Return(jen.Op("&").Id(s.names.Client).Add(oneLine(entry{"tx", jen.Id("tx")}))),
	)
	if s.Durable() {
		p.out.Line().Commentf("%s returns a client whose calls are steps of run.", s.names.Steps)
		p.out.Func().Id(s.names.Steps).Params(run.Clone()).Op("*").Id(s.names.Client).Block(
			jen.Return(jen.Op("&").Id(s.names.Client).Add(oneLine(entry{"run", jen.Id("run")}))),
		)
	}
	for _, m := range s.Methods {
		if m.Kind != ir.Workflow || m.Step {
			p.method(s, m)
		}
		if m.Message {
			p.laterMethod(s, m)
		}
	}
}

func (p *packageFile) method(s *service, m *ir.Method) {
	sig := m.Func.Signature()
	c := p.clientMethod(sig)
	params, args := p.params(sig.Params(), c.params)
	direct := []jen.Code{p.remoteCall(s, m, c), jen.Return(jen.Id(s.names.Bind).Call(jen.Id(c.receiver).Dot("tx")).Dot(m.Name).Call(args...))}
	var body []jen.Code
	switch {
	case m.Kind == ir.Workflow:
		body = p.step(s, m, "Child", c, args)
	case m.Step:
		body = append([]jen.Code{jen.If(jen.Id(c.receiver).Dot("run").Op("!=").Nil()).Block(p.step(s, m, "Step", c, args)...)}, direct...)
	default:
		body = direct
	}
	p.out.Line()
	p.doc(m.Doc)
	p.out.Func().Params(jen.Id(c.receiver).Op("*").Id(s.names.Client)).Id(m.Name).Params(params...).Add(p.results(sig.Results(), c.results)).Block(body...)
}

// step returns the statements that call m as a step of the client's workflow:
//
//	return workflow.Step(ctx, c.run, hotelReserveMethod, hotelReserveArgs{id})
func (p *packageFile) step(s *service, m *ir.Method, function string, c *clientMethod, args []jen.Code) []jen.Code {
	call := jen.Qual(backend.Workflow, function).Call(args[0], jen.Id(c.receiver).Dot("run"), jen.Id(s.names.Durable(m).Method), s.payloadOf(m, args[1:]))
	locals := c.locals.inner()
	r, failed := jen.Id(locals.take("r")), jen.Id(locals.take("err"))
	switch len(m.Results) {
	case 0:
		return []jen.Code{jen.List(jen.Id("_"), failed.Clone()).Op(":=").Add(call), jen.Return(failed)}
	case 1:
		return []jen.Code{jen.Return(call)}
	}
	var results []jen.Code
	taken := map[string]bool{}
	for _, result := range m.Results {
		results = append(results, r.Clone().Dot(fieldName(result, taken)))
	}
	return []jen.Code{jen.List(r.Clone(), failed.Clone()).Op(":=").Add(call), jen.Return(append(results, failed)...)}
}

// payloadOf returns the value that holds the arguments of m.
func (s *service) payloadOf(m *ir.Method, args []jen.Code) *jen.Statement {
	if len(m.Params) == 0 {
		return jen.Struct().Values()
	}
	return jen.Id(s.names.Durable(m).Args).Values(args...)
}

// laterMethod adds the method of the client that sends m a message:
//
//	func (c *MailClient) SendLater(ctx context.Context, to string) {
//		if c.run != nil {
//			workflow.Go(ctx, c.run, mailSendMethod, mailSendArgs{to})
//			return
//		}
//		workflow.GoTx(c.tx, mailSendMethod, mailSendArgs{to})
//	}
func (p *packageFile) laterMethod(s *service, m *ir.Method) {
	sig := m.Func.Signature()
	c, n, function := p.clientMethod(sig), s.names.Durable(m), "Go"
	params, args := p.params(sig.Params(), c.params)
	if m.Kind == ir.Workflow {
		function = "GoWorkflow"
	}
	p.out.Line().Commentf("%s calls %s later, apart from the request or workflow that asks for it.", n.Later, m.Name)
	p.out.Func().Params(jen.Id(c.receiver).Op("*").Id(s.names.Client)).Id(n.Later).Params(params...).Block(
		jen.If(jen.Id(c.receiver).Dot("run").Op("!=").Nil()).Block(
			jen.Qual(backend.Workflow, function).Call(args[0], jen.Id(c.receiver).Dot("run"), jen.Id(n.Method), s.payloadOf(m, args[1:])),
			jen.Return(),
		),
		jen.Qual(backend.Workflow, function+"Tx").Call(jen.Id(c.receiver).Dot("tx"), jen.Id(n.Method), s.payloadOf(m, args[1:])),
	)
}

// doc adds the user's comment.
func (p *packageFile) doc(text string) {
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" {
			p.out.Comment("//")
			continue
		}
		p.out.Comment("// " + line)
	}
}

// params returns parameters of the given names, and the arguments that pass them on.
func (p *packageFile) params(tuple *types.Tuple, names []string) (params, args []jen.Code) {
	for i, name := range names {
		params = append(params, jen.Id(name).Add(p.goType(tuple.At(i).Type())))
		args = append(args, jen.Id(name))
	}
	return params, args
}

// results returns the results of a signature, which have names or none.
func (p *packageFile) results(tuple *types.Tuple, names []string) *jen.Statement {
	var list []jen.Code
	for i, name := range names {
		result := p.goType(tuple.At(i).Type())
		if name != "" {
			result = jen.Id(name).Add(result)
		}
		list = append(list, result)
	}
	if len(list) == 1 && names[0] == "" {
		return jen.Add(list...)
	}
	return jen.Params(list...)
}
