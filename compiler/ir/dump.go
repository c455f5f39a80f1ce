package ir

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/types"
	"io"
	"path/filepath"
	"slices"
	"strings"
)

// Dump writes prog to w as text: the same program gives the same bytes, whatever
// folder it lies in.
func Dump(w io.Writer, prog *Program) error {
	d := dumper{w: w, prog: prog}
	for _, p := range prog.Packages {
		d.printf("package %s → %s\n", p.Path, p.OutPath)
	}
	for _, p := range prog.Imported {
		d.printf("package %s unchanged\n", p.Path)
	}
	for _, s := range prog.Services {
		d.service(s)
	}
	d.blind()
	return d.err
}

type dumper struct {
	w    io.Writer
	prog *Program
	err  error
}

func (d *dumper) printf(format string, args ...any) {
	if d.err == nil {
		_, d.err = fmt.Fprintf(d.w, format, args...)
	}
}

func typeName(t types.Type) string {
	return types.TypeString(t, func(p *types.Package) string { return p.Name() })
}

func (d *dumper) service(s *Service) {
	d.printf("service %s in %s\n", s.Name, s.Pkg.Path)
	if c := s.Constructor; c != nil {
		d.printf("\tconstructor %s(%s)\n", c.Func.Name(), join(c.Deps))
	}
	for _, f := range s.Fields {
		d.printf("\tfield %s %s %s", f.Name, f.Kind, typeName(f.Var.Type()))
		if f.Made {
			d.printf(" made")
		}
		if f.Embedded {
			d.printf(" embedded")
		}
		d.printf("\n")
	}
	for m := range s.All() {
		d.method(m)
	}
}

func (d *dumper) method(m *Method) {
	what := "helper"
	if m.Endpoint() {
		what = "method"
	}
	d.printf("\t%s %s(%s) (%s) %s\n", what, m.Name, params(m.Params), params(m.Results), m.Kind)
	e := &m.Effects
	d.list("reads", join(e.Reads))
	d.list("writes", join(e.Writes))
	d.list("adds", join(e.Adds))
	d.list("calls", join(e.Calls))
	d.list("reach", join(e.Reach))
	if m.Schedule != "" {
		d.printf("\t\tschedule %s\n", m.Schedule)
	}
	if m.Kind == Workflow {
		d.printf("\t\tcommits %s\n", e.Commits.Most)
		return
	}
	d.printf("\t\trounds %s, commits %s, hops %s\n", e.Rounds, e.Commits, e.Hops)
}

func (d *dumper) list(name, items string) {
	if items != "" {
		d.printf("\t\t%s %s\n", name, items)
	}
}

func params(list []*Param) string {
	var b strings.Builder
	for i, p := range list {
		if i > 0 {
			b.WriteString(", ")
		}
		if p.Name != "" {
			b.WriteString(p.Name + " ")
		}
		b.WriteString(typeName(p.Type))
	}
	return b.String()
}

func join[T fmt.Stringer](list []T) string {
	names := make([]string, len(list))
	for i, item := range list {
		names[i] = item.String()
	}
	return strings.Join(names, ", ")
}

// blind lists the blind updates by position.
func (d *dumper) blind() {
	stmts := make([]ast.Stmt, 0, len(d.prog.Blind))
	for stmt := range d.prog.Blind {
		stmts = append(stmts, stmt)
	}
	slices.SortFunc(stmts, func(a, b ast.Stmt) int {
		pa, pb := d.prog.Position(a.Pos()), d.prog.Position(b.Pos())
		return cmp.Or(strings.Compare(pa.Filename, pb.Filename), cmp.Compare(pa.Offset, pb.Offset))
	})
	for _, stmt := range stmts {
		pos := d.prog.Position(stmt.Pos())
		d.printf("blind %s at %s:%d:%d\n", d.prog.Blind[stmt], filepath.Base(pos.Filename), pos.Line, pos.Column)
	}
}
