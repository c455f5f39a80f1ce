package frontend

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/compiler/ir"
)

// methodsOf fills in the methods of s: endpoints and helpers.
func (b *builder) methodsOf(s *ir.Service) {
	for _, d := range b.methods[s.Obj] {
		m := &ir.Method{Service: s, Name: d.fn.Name(), Func: d.fn, Decl: d.decl, File: d.file, Doc: d.decl.Doc.Text(), Kind: ir.Atomic}
		b.receiver(m)
		b.methodMarks(m)
		if m.Endpoint() {
			b.signature(m)
			s.Methods = append(s.Methods, m)
		} else {
			s.Helpers = append(s.Helpers, m)
		}
	}
}

// receiver refuses value receivers: such a method would work on a copy of the state.
func (b *builder) receiver(m *ir.Method) {
	recv := m.Func.Signature().Recv()
	if _, ok := types.Unalias(recv.Type()).(*types.Pointer); !ok {
		b.errorf(m.Decl.Recv.List[0].Type.Pos(), diag.Signature, "make the receiver *"+m.Service.Name,
			"method %s: a value receiver, which copies the service; want a pointer", m)
	}
}

// methodMarks handles the //onefold: comments above m.
func (b *builder) methodMarks(m *ir.Method) {
	if !m.Endpoint() {
		return // strayMarks reports them
	}
	if c := b.mark(m.Decl.Doc, "workflow"); c != nil {
		b.marked[c] = true
		m.Kind = ir.Workflow
		if _, rest := splitDirective(c); rest != "" {
			b.errorf(c.Pos(), diag.Mark, "write //onefold:workflow", "mark //onefold:workflow of method %s: takes no arguments, found %q", m, rest)
		}
	}
	if c := b.mark(m.Decl.Doc, "every"); c != nil {
		b.marked[c] = true
		b.schedule(m, c)
	}
}

// schedule sets when m starts by itself.
func (b *builder) schedule(m *ir.Method, c *ast.Comment) {
	_, text := splitDirective(c)
	schedule, err := parseSchedule(text)
	switch {
	case m.Kind != ir.Workflow:
		b.errorf(c.Pos(), diag.Schedule, "mark it //onefold:workflow as well", "method %s: scheduled, but no workflow", m)
	case m.Func.Signature().Params().Len() > 1:
		b.errorf(c.Pos(), diag.Schedule, "take them from the service's state, by a step", "method %s: scheduled, but it has parameters, which nobody would give", m)
	case err != nil:
		b.errorf(c.Pos(), diag.Schedule, "write a duration, as //onefold:every 5m, or the fields minute, hour, day, month and weekday, as //onefold:every 0 3 * * *",
			"schedule of method %s: %v", m, err)
	}
	m.Schedule = schedule
}

// signature checks the parameters and results of an endpoint and fills them in.
func (b *builder) signature(m *ir.Method) {
	sig := m.Func.Signature()
	if sig.Params().Len() == 0 || !isContext(sig.Params().At(0).Type()) {
		b.errorf(m.Decl.Name.Pos(), diag.Signature, "add ctx context.Context as the first parameter, or unexport the method",
			"method %s: the first parameter is no context.Context; every endpoint takes one", m)
	}
	if n := sig.Results().Len(); n == 0 || !isError(sig.Results().At(n-1).Type()) {
		b.errorf(m.Decl.Name.Pos(), diag.Signature, "add error as the last result, or unexport the method",
			"method %s: the last result is no error; every endpoint returns one", m)
	}
	if sig.Variadic() {
		b.errorf(m.Decl.Type.Params.List[len(m.Decl.Type.Params.List)-1].Pos(), diag.Signature, "take a slice instead",
			"method %s: variadic; a request names its parameters", m)
	}
	for i := range sig.Params().Len() {
		v := sig.Params().At(i)
		if i == 0 && isContext(v.Type()) {
			continue
		}
		b.param(m, i, v)
		m.Params = append(m.Params, &ir.Param{Name: v.Name(), Type: v.Type()})
	}
	for i := range sig.Results().Len() {
		v := sig.Results().At(i)
		if i == sig.Results().Len()-1 && isError(v.Type()) {
			break
		}
		b.crossing(m, v, "result")
		name := v.Name()
		if name == "_" {
			name = ""
		}
		m.Results = append(m.Results, &ir.Param{Name: name, Type: v.Type()})
	}
}

// param checks one parameter that a request carries.
func (b *builder) param(m *ir.Method, i int, v *types.Var) {
	if v.Name() == "" || v.Name() == "_" {
		b.errorf(position(v.Pos(), m.Decl.Name), diag.Signature, "give it a name",
			"method %s: parameter %d has no name; a request carries parameters by name", m, i)
	}
	b.crossing(m, v, "parameter")
}

// crossing refuses types that cannot cross a service call whatever they hold.
// Whether the rest can be stored and transported is checked later.
func (b *builder) crossing(m *ir.Method, v *types.Var, what string) {
	t := v.Type()
	pos := position(v.Pos(), m.Decl.Name)
	switch {
	case isContext(t):
		b.errorf(pos, diag.Signature, "take one context, as the first parameter", "method %s: %s %s is a second context.Context", m, what, v.Name())
	case isError(t):
		b.errorf(pos, diag.Signature, "return one error, as the last result, or pass its text", "method %s: %s %s is an error", m, what, v.Name())
	case b.pointee(t) != nil || b.serviceType(t) != nil:
		b.errorf(pos, diag.Signature, "keep the service in a field and pass what it is asked for", "method %s: %s %s is a service; a service is no value that crosses a call", m, what, typeString(t))
	}
}

func position(pos token.Pos, fallback *ast.Ident) token.Pos {
	if pos.IsValid() {
		return pos
	}
	return fallback.Pos()
}

func isContext(t types.Type) bool {
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Name() == "Context" && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == "context"
}

func isError(t types.Type) bool {
	return types.Identical(t, types.Universe.Lookup("error").Type())
}
