package ir_test

import (
	"go/ast"
	"go/token"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/onefold/onefold/compiler/check/effects"
	"github.com/onefold/onefold/compiler/compiletest"
	"github.com/onefold/onefold/compiler/ir"
)

func travel(t *testing.T) *ir.Program {
	t.Helper()
	text, err := os.ReadFile("../check/testdata/travel.txtar")
	if err != nil {
		t.Fatal(err)
	}
	prog, diags := compiletest.Parse("travel", string(text)).Build(t)
	if diags.HasErrors() {
		t.Fatal(diags.Sorted())
	}
	effects.Analyze(prog)
	return prog
}

// Verify accepts a good program and finds each way to break it.
func TestVerify(t *testing.T) {
	if err := ir.Verify(travel(t)); err != nil {
		t.Fatal(err)
	}
	service := func(p *ir.Program, name string) *ir.Service {
		return p.Services[slices.IndexFunc(p.Services, func(s *ir.Service) bool { return s.Name == name })]
	}
	for _, test := range []struct {
		want   string
		damage func(*ir.Program)
	}{
		{"not sorted", func(p *ir.Program) { slices.Reverse(p.Services) }},
		{"there twice", func(p *ir.Program) { p.Services[1] = p.Services[0] }},
		{"not rewritten", func(p *ir.Program) { p.Packages = p.Packages[1:] }},
		{"no place", func(p *ir.Program) { p.Packages[0].OutDir = "" }},
		{"share the folder", func(p *ir.Program) { p.Packages[0].OutDir = p.Packages[1].OutDir }},
		{"not typed", func(p *ir.Program) { p.Packages[0].Info = nil }},
		{"is incomplete", func(p *ir.Program) { p.Packages[0].Files[0].Source = nil }},
		{"not indexed by its type", func(p *ir.Program) { p.Services[0].Name = "Aaa" }},
		{"does not fit its types", func(p *ir.Program) { service(p, "Hotel").Fields[0].Key = nil }},
		{"not in the program", func(p *ir.Program) { service(p, "Frontend").Fields[0].Target = &ir.Service{Name: "X"} }},
		{"not indexed by its variable", func(p *ir.Program) {
			service(p, "Hotel").Fields[0].Service = nil
			service(p, "Hotel").Fields[0].Service = service(p, "Flight")
		}},
		{"invalid kind", func(p *ir.Program) { p.Services[0].Methods[0].Kind = 0 }},
		{"wrong methods", func(p *ir.Program) { s := p.Services[0]; s.Helpers = s.Methods[:1]; s.Methods = s.Methods[1:] }},
		{"but it writes", func(p *ir.Program) { service(p, "Hotel").Method("Reserve").Kind = ir.ReadOnly }},
		{"effects are not sorted", func(p *ir.Program) { slices.Reverse(service(p, "Frontend").Method("Book").Effects.Reads) }},
		{"calls or reach are not sorted", func(p *ir.Program) { slices.Reverse(service(p, "Frontend").Method("Book").Effects.Calls) }},
		{"dependencies for", func(p *ir.Program) { c := service(p, "Frontend").Constructor; c.Deps = c.Deps[1:] }},
		{"blind update of no persistent", func(p *ir.Program) {
			p.Blind[&ast.EmptyStmt{Semicolon: token.NoPos}] = service(p, "Frontend").Fields[0]
		}},
	} {
		t.Run(test.want, func(t *testing.T) {
			prog := travel(t)
			test.damage(prog)
			if err := ir.Verify(prog); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

func TestLookups(t *testing.T) {
	prog := travel(t)
	for _, s := range prog.Services {
		if prog.ServiceOf(s.Obj) != s || prog.ServiceType(s.Obj.Type()) != s {
			t.Errorf("service %s is not found by its type", s)
		}
		for _, f := range s.Fields {
			if prog.FieldOf(f.Var) != f || s.Field(f.Name) != f {
				t.Errorf("field %s is not found", f)
			}
			if f.Kind == ir.Dependency && prog.Pointee(f.Var.Type()) != f.Target {
				t.Errorf("field %s does not point to its target", f)
			}
		}
		for m := range s.All() {
			if prog.MethodOf(m.Func) != m || s.Method(m.Name) != m || m.Receiver() == nil || prog.FunctionOf(m.Func).Method != m {
				t.Errorf("method %s is not found", m)
			}
		}
		if prog.ConstructorOf(s.Constructor.Func) != s {
			t.Errorf("constructor of %s is not found", s)
		}
	}
}
