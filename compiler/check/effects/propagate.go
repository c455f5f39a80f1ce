package effects

import (
	"cmp"
	"slices"

	"github.com/onefold/onefold/compiler/ir"
)

// sets is what a group of mutually recursive functions does, callees included.
type sets struct {
	reads, writes, adds map[*ir.Field]bool
	reach               map[*ir.Service]bool
	mutates             *mutations
	sends               bool
}

func newSets() *sets {
	return &sets{
		reads: map[*ir.Field]bool{}, writes: map[*ir.Field]bool{}, adds: map[*ir.Field]bool{},
		reach: map[*ir.Service]bool{}, mutates: &mutations{},
	}
}

// propagate completes the effects of every function with those of its callees
// and returns the groups of mutually recursive functions, callees first.
func (a *analysis) propagate() [][]*ir.Function {
	groups := Components(a.prog.Functions)
	done := map[*ir.Function]*sets{}
	for _, group := range groups {
		s := newSets()
		for _, f := range group {
			s.own(f, a.mutates[f])
			for _, c := range f.Calls {
				if below := done[c.Callee]; below != nil && c.Within != ir.InGo {
					s.union(below)
				}
			}
		}
		a.mutated(s)
		for _, f := range group {
			done[f] = s
			f.Reads, f.Writes, f.Adds, f.Reach, f.Sends = fields(s.reads), fields(s.writes), fields(s.adds), services(s.reach), s.sends
		}
	}
	return groups
}

// own adds what f does itself.
func (s *sets) own(f *ir.Function, m *mutations) {
	if f.Method != nil {
		s.reach[f.Method.Service] = true
	}
	for _, acc := range f.Accesses {
		s.reach[acc.Field.Service] = true
		if acc.Kind&ir.Read != 0 {
			s.reads[acc.Field] = true
		}
		if acc.Kind&ir.Write != 0 {
			s.writes[acc.Field] = true
		}
		if acc.Kind&ir.Add != 0 {
			s.adds[acc.Field] = true
		}
	}
	s.mutates.addAll(m)
	s.sends = s.sends || f.Sends
}

func (s *sets) union(below *sets) {
	for f := range below.reads {
		s.reads[f] = true
	}
	for f := range below.writes {
		s.writes[f] = true
	}
	for f := range below.adds {
		s.adds[f] = true
	}
	for r := range below.reach {
		s.reach[r] = true
	}
	s.mutates.addAll(below.mutates)
	s.sends = s.sends || below.sends
}

// mutated adds the fields that may change through references that were read from
// them, and drops the blind updates of fields that are also written with a value.
func (a *analysis) mutated(s *sets) {
	for f := range s.reads {
		if s.mutates.hits(f.Elem) || slices.ContainsFunc(a.received[f], s.mutates.hits) {
			s.writes[f] = true
		}
	}
	for f := range s.writes {
		delete(s.adds, f)
	}
}

func fields(set map[*ir.Field]bool) []*ir.Field {
	var list []*ir.Field
	for f := range set {
		list = append(list, f)
	}
	slices.SortFunc(list, ir.CompareFields)
	return list
}

func services(set map[*ir.Service]bool) []*ir.Service {
	var list []*ir.Service
	for s := range set {
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b *ir.Service) int {
		return cmp.Or(ir.CompareServices(a, b), cmp.Compare(a.Pkg.Path, b.Pkg.Path))
	})
	return list
}

// Components returns the strongly connected components of the call graph,
// callees before callers: Tarjan, "Depth-first search and linear graph algorithms", 1972.
func Components(functions []*ir.Function) [][]*ir.Function {
	t := tarjan{index: map[*ir.Function]int{}, low: map[*ir.Function]int{}, on: map[*ir.Function]bool{}}
	for _, f := range functions {
		if t.index[f] == 0 {
			t.visit(f)
		}
	}
	return t.groups
}

type tarjan struct {
	index, low map[*ir.Function]int // counted from 1
	on         map[*ir.Function]bool
	stack      []*ir.Function
	groups     [][]*ir.Function
}

func (t *tarjan) visit(f *ir.Function) {
	n := len(t.index) + 1
	t.index[f], t.low[f] = n, n
	t.stack = append(t.stack, f)
	t.on[f] = true
	for _, c := range f.Calls {
		g := c.Callee
		if t.index[g] == 0 {
			t.visit(g)
			t.low[f] = min(t.low[f], t.low[g])
		} else if t.on[g] {
			t.low[f] = min(t.low[f], t.index[g])
		}
	}
	if t.low[f] != n {
		return
	}
	i := slices.Index(t.stack, f)
	group := slices.Clone(t.stack[i:])
	t.stack = t.stack[:i]
	for _, g := range group {
		t.on[g] = false
	}
	t.groups = append(t.groups, group)
}
