package ir

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"golang.org/x/tools/go/types/typeutil"
)

// Library is the package whose functions specs call.
const Library = "github.com/onefold/onefold"

// LibraryFunc returns the name of the function of package onefold that fn is, or "".
func LibraryFunc(fn types.Object) string {
	f, ok := fn.(*types.Func)
	if !ok || f == nil || f.Pkg() == nil || f.Pkg().Path() != Library || f.Signature().Recv() != nil {
		return ""
	}
	return f.Name()
}

// SentCall returns the one call that the function of an onefold.Go makes, or nil
// where it is not written so:
//
//	func(ctx context.Context) error { return s.mail.Send(ctx, to) }
//	func(ctx context.Context) error { _, err := s.mail.Send(ctx, to); return err }
func SentCall(call *ast.CallExpr) *ast.CallExpr {
	if len(call.Args) != 2 {
		return nil
	}
	lit, ok := ast.Unparen(call.Args[1]).(*ast.FuncLit)
	if !ok || len(lit.Body.List) == 0 {
		return nil
	}
	ret, ok := lit.Body.List[len(lit.Body.List)-1].(*ast.ReturnStmt)
	if !ok || len(ret.Results) != 1 {
		return nil
	}
	from := ret.Results[0]
	switch len(lit.Body.List) {
	case 1:
	case 2:
		assign, ok := lit.Body.List[0].(*ast.AssignStmt)
		if !ok || len(assign.Rhs) != 1 || !returnsLast(assign, from) {
			return nil
		}
		from = assign.Rhs[0]
	default:
		return nil
	}
	sent, _ := ast.Unparen(from).(*ast.CallExpr)
	return sent
}

// returnsLast reports whether an assignment only names the last of several results, which e is.
func returnsLast(assign *ast.AssignStmt, e ast.Expr) bool {
	for i, lhs := range assign.Lhs {
		id, ok := lhs.(*ast.Ident)
		if !ok {
			return false
		}
		if last := i == len(assign.Lhs)-1; !last && id.Name != "_" {
			return false
		} else if err, ok := ast.Unparen(e).(*ast.Ident); last && (!ok || err.Name != id.Name) {
			return false
		}
	}
	return assign.Tok == token.DEFINE
}

// Runs says where a function runs. The bits combine.
type Runs uint8

// The bits of Runs.
const (
	InAtomic   Runs = 1 << iota // inside an atomic method
	InWorkflow                  // inside a workflow, between its steps
	InEffect                    // inside the function of an onefold.Do
)

// Within says what a call stands in.
type Within uint8

// The values of Within.
const (
	Body Within = iota // it is made where it is written
	InDo               // inside the function of an onefold.Do
	InGo               // it is what an onefold.Go sends
)

// Flow returns the functions that the workflow m runs itself, m's own first: what it
// calls without a step, in the order in which they are found.
func (p *Program) Flow(m *Method) []*Function {
	start := p.FunctionOf(m.Func)
	if start == nil {
		return nil
	}
	list := []*Function{start}
	seen := map[*Function]bool{start: true}
	for i := 0; i < len(list); i++ {
		for _, c := range list[i].Calls {
			if c.Within == Body && !c.Callee.Endpoint() && !seen[c.Callee] {
				seen[c.Callee] = true
				list = append(list, c.Callee)
			}
		}
	}
	return list
}

// Signal is a signal that a workflow waits for.
type Signal struct {
	Name string
	Type types.Type
}

// Signals returns what the workflow m waits for, by name.
func (m *Method) Signals(p *Program) []Signal {
	var list []Signal
	for _, f := range p.Flow(m) {
		info := f.File.Pkg.Info
		ast.Inspect(f.Decl.Body, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || LibraryFunc(typeutil.Callee(info, call)) != "Await" || len(call.Args) < 2 {
				return true
			}
			results, _ := info.TypeOf(call).(*types.Tuple)
			if name := info.Types[call.Args[1]].Value; name != nil && results != nil {
				list = append(list, Signal{Name: constant.StringVal(name), Type: results.At(0).Type()})
			}
			return true
		})
	}
	slices.SortStableFunc(list, func(a, b Signal) int { return strings.Compare(a.Name, b.Name) })
	return slices.CompactFunc(list, func(a, b Signal) bool { return a.Name == b.Name })
}

// Endpoint reports whether the function is an endpoint of a service.
func (f *Function) Endpoint() bool { return f.Method != nil && f.Method.Endpoint() }

// Durable reports whether the service has methods that workflows call or messages go
// to, so that its client must tell where it is used.
func (s *Service) Durable() bool {
	for _, m := range s.Methods {
		if m.Step || m.Message {
			return true
		}
	}
	return false
}

// CallsItself reports whether methods of the service call its endpoints as steps, or
// send them messages.
func (s *Service) CallsItself(p *Program) bool {
	for _, f := range p.Functions {
		if f.Method == nil || f.Method.Service != s {
			continue
		}
		for _, c := range f.Calls {
			own := c.Callee.Endpoint() && c.Callee.Method.Service == s
			if own && (c.Within == InGo || c.Within == Body && f.Runs&InWorkflow != 0) {
				return true
			}
		}
	}
	return false
}

// Flows reports whether the service has workflows.
func (s *Service) Flows() bool {
	for _, m := range s.Methods {
		if m.Kind == Workflow {
			return true
		}
	}
	return false
}

// Durable reports whether the program has workflows or messages.
func (p *Program) Durable() bool {
	for _, s := range p.Services {
		if s.Durable() || s.Flows() {
			return true
		}
	}
	return false
}

// String names where a function runs.
func (r Runs) String() string {
	var names []string
	for i, name := range []string{"atomic", "workflow", "effect"} {
		if r&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, " ")
}
