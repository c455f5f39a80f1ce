package ir

import (
	"errors"
	"fmt"
	"slices"
)

// Verify reports what is inconsistent in prog: every invariant that passes rely
// on and that no user's mistake can break. It holds for programs without findings.
func Verify(prog *Program) error {
	v := verifier{prog: prog}
	v.packages()
	if !slices.IsSortedFunc(prog.Services, CompareServices) {
		v.errorf("services are not sorted by name")
	}
	for i, s := range prog.Services {
		if i > 0 && prog.Services[i-1].Name == s.Name {
			v.errorf("service %s is there twice", s.Name)
		}
		v.service(s)
	}
	for stmt, f := range prog.Blind {
		if stmt == nil || f == nil || !f.Kind.Persistent() {
			v.errorf("blind update of no persistent field: %v", f)
		}
	}
	return errors.Join(v.errs...)
}

type verifier struct {
	prog *Program
	errs []error
}

func (v *verifier) errorf(format string, args ...any) {
	v.errs = append(v.errs, fmt.Errorf("ir: "+format, args...))
}

func (v *verifier) packages() {
	places := map[string]string{}
	for _, p := range v.prog.Packages {
		if p.OutDir == "" || p.OutPath == "" {
			v.errorf("package %s has no place in the output", p.Path)
		}
		if other, ok := places[p.OutDir]; ok {
			v.errorf("packages %s and %s share the folder %s", other, p.Path, p.OutDir)
		}
		places[p.OutDir] = p.Path
		v.files(p)
	}
	for _, p := range v.prog.Imported {
		if p.OutDir != "" {
			v.errorf("package %s is imported unchanged and has the folder %s", p.Path, p.OutDir)
		}
		v.files(p)
	}
}

func (v *verifier) files(p *Package) {
	if p.Types == nil || p.Info == nil {
		v.errorf("package %s is not typed", p.Path)
	}
	for _, f := range p.Files {
		if f.Pkg != p || f.Syntax == nil || f.Source == nil {
			v.errorf("file %s is incomplete", f.Name)
		}
	}
}

func (v *verifier) service(s *Service) {
	if s.Name != s.Obj.Name() || v.prog.ServiceOf(s.Obj) != s {
		v.errorf("service %s is not indexed by its type", s.Name)
	}
	if !slices.Contains(v.prog.Packages, s.Pkg) {
		v.errorf("service %s: its package %s is not rewritten", s.Name, s.Pkg.Path)
	}
	for _, f := range s.Fields {
		v.field(s, f)
	}
	for m := range s.All() {
		v.method(s, m)
	}
	if c := s.Constructor; c != nil {
		if c.Func.Signature().Params().Len() != len(c.Deps) {
			v.errorf("constructor %s: %d dependencies for %d parameters", c.Func.Name(), len(c.Deps), c.Func.Signature().Params().Len())
		}
	}
}

func (v *verifier) field(s *Service, f *Field) {
	if f.Service != s || v.prog.FieldOf(f.Var) != f {
		v.errorf("field %s is not indexed by its variable", f)
	}
	has := [...]bool{f.Key != nil, f.Elem != nil, f.Target != nil}
	want := map[FieldKind][3]bool{
		Map: {true, true, false}, Slice: {false, true, false}, Value: {false, true, false}, Config: {false, true, false},
		Dependency: {false, false, true}, Mutex: {},
	}
	if w, ok := want[f.Kind]; !ok || w != has {
		v.errorf("field %s: kind %v does not fit its types", f, f.Kind)
	}
	if f.Target != nil && !slices.Contains(v.prog.Services, f.Target) {
		v.errorf("field %s: target %s is not in the program", f, f.Target.Name)
	}
}

func (v *verifier) method(s *Service, m *Method) {
	if m.Service != s || v.prog.MethodOf(m.Func) != m {
		v.errorf("method %s is not indexed by its function", m)
	}
	if m.Kind < Stateless || m.Kind > Workflow {
		v.errorf("method %s: invalid kind", m)
	}
	if m.Endpoint() != slices.Contains(s.Methods, m) {
		v.errorf("method %s: listed among the wrong methods", m)
	}
	e := &m.Effects
	for _, list := range [][]*Field{e.Reads, e.Writes, e.Adds} {
		if !slices.IsSortedFunc(list, CompareFields) {
			v.errorf("method %s: effects are not sorted", m)
		}
	}
	if !slices.IsSortedFunc(e.Calls, CompareMethods) || !slices.IsSortedFunc(e.Reach, CompareServices) {
		v.errorf("method %s: calls or reach are not sorted", m)
	}
	if writes := len(e.Writes)+len(e.Adds) > 0; writes && m.Kind < Atomic {
		v.errorf("method %s: %v, but it writes", m, m.Kind)
	}
}
