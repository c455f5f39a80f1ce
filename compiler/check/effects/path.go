package effects

import (
	"go/token"
	"go/types"
	"maps"
	"slices"

	"github.com/onefold/onefold/compiler/ir"
)

// path is one way through a body.
type path struct {
	cost ir.Range
	seen places
	open bool // of a workflow: it decided something that is not committed yet
	idle bool // it may not have changed anything yet

	// unread are fields that it changed only if the request has not read them.
	unread []*ir.Field

	dead bool // ended in a return, break or continue

	forks  exits        // of the branches that run
	due    *exits       // those of the last call: which it was tells the next if
	err    types.Object // the error of that call
	failed types.Object // an error that is not nil on this path
}

// exits are the ends of a function: those with a nil error, and all. A function that
// returns no error has the same of both.
type exits struct{ ok, any end }

// end is what the paths cost that end in a way, and how.
type end struct {
	cost       ir.Range
	open, idle bool
	unread     []*ir.Field // as of paths
	some       bool        // there are such paths
}

// or adds other paths.
func (e end) or(f end) end {
	switch {
	case !e.some:
		return f
	case !f.some:
		return e
	}
	return end{e.cost.Or(f.cost), e.open || f.open, e.idle || f.idle, union(e.unread, f.unread), true}
}

// alternatively adds the ends of another function that may be called instead.
func (e exits) alternatively(f exits) exits { return exits{e.ok.or(f.ok), e.any.or(f.any)} }

// and has both run, if they are there.
func (e end) and(f end) end {
	switch {
	case !e.some:
		return f
	case !f.some:
		return e
	}
	idle, unread := changed(e.idle, e.unread, f.idle, f.unread)
	return end{e.cost.Plus(f.cost), e.open || f.open, idle, unread, true}
}

func (e exits) and(f exits) exits { return exits{e.ok.and(f.ok), e.any.and(f.any)} }

// then goes on after a call that ended so.
func (p path) then(e end) path {
	p.cost, p.dead = p.cost.Plus(e.cost), p.dead || !e.some
	p.idle, p.unread = changed(p.idle, p.unread, e.idle, e.unread)
	return p
}

// changed joins whether two things that both happen may have changed nothing.
func changed(idle bool, unread []*ir.Field, other bool, others []*ir.Field) (bool, []*ir.Field) {
	switch {
	case idle:
		return other, others
	case other || len(unread) == 0:
		return false, unread
	case len(others) == 0:
		return false, nil
	}
	return false, unread // either suffices
}

// union returns the fields of both lists.
func union(a, b []*ir.Field) []*ir.Field {
	for _, f := range b {
		if !slices.Contains(a, f) {
			a = append(a[:len(a):len(a)], f)
		}
	}
	return a
}

func (p path) end() end { return end{p.cost, p.open, p.idle, p.unread, true} }

func (p path) clone() path {
	p.seen = maps.Clone(p.seen)
	return p
}

// settled adds the cost of the last call, which nothing has told the end of.
func (p path) settled() path {
	if p.due != nil {
		p = p.then(p.due.any)
		p.due, p.err = nil, nil
	}
	return p
}

// merge joins two ways that meet again.
func merge(a, b path) path {
	switch a, b = a.settled(), b.settled(); {
	case a.dead:
		return b
	case b.dead:
		return a
	}
	maps.DeleteFunc(a.seen, func(place string, _ token.Pos) bool {
		_, ok := b.seen[place]
		return !ok
	})
	a.cost, a.open, a.idle, a.unread = a.cost.Or(b.cost), a.open || b.open, a.idle || b.idle, union(a.unread, b.unread)
	if a.forks.any.some || b.forks.any.some {
		none := *nothing()
		a.forks = a.forks.and(none).alternatively(b.forks.and(none))
	}
	if a.failed != b.failed {
		a.failed = nil
	}
	return a
}
