// Package alias finds the places where a compiled program would differ from the
// plain one because memory is shared in the one and copied in the other.
//
// In a plain program values with references (slices, maps, pointers) that cross
// a service call or enter two places of the state go on sharing their memory.
// In the compiled system services may live in different processes and state is
// encoded between requests, so they do not. Inside one request and one service
// the compiled state behaves as Go memory does. The two differ, and the program
// is refused, where
//
//   - memory that crossed a service call, as argument or result, is changed while
//     the other side may still look at it (code mutated);
//   - one piece of memory is kept in two places of the state, and somewhere in
//     the program that memory is changed in place (code mutated), or it is an
//     object behind a pointer, which the commit refuses (code shared);
//   - a whole persistent map or slice is used as a value, which is a copy in the
//     compiled program, and the copy or the field is changed while the other is
//     still looked at (code mutated);
//   - it shows whether an append got new memory, which depends on a capacity that
//     is not stored: two appends to one loaded slice, a change of the result of one, a
//     pointer into a slice that grows, cap (code mutated);
//   - memory that an onefold.Go sends is changed afterwards, when a plain program has not
//     looked at it yet (code message);
//   - the function of an onefold.Do changes memory around it, which a workflow that runs
//     again would not repeat (code effect);
//   - branches of an errgroup touch the same field or variable, one of them
//     writes it, and no mutex guards both (code race).
//
// # How
//
// The analysis runs on SSA form, over the whole program. It is a points-to
// analysis by inclusion: fields of structs are told apart, elements of slices and
// maps are not. Helper functions, unexported methods and closures are analysed
// once for each call of them, an endpoint once for all its calls. Memory is named
// by where it is made (a site), or, if it lives in the state, by a region of a
// field together with the keys that led to it (a view), so that a value that is
// loaded, changed and stored back is known to return to its place. What crosses
// a service call gets a new name on the other side. Three kinds of event are
// then gathered — in-place changes, appends, stores into the state — and lifted from callees
// to their callers; each rule is a question about pairs of events in one endpoint
// and about values that live across an event.
//
// An append writes only behind the end of its operand, so it is a change in
// place only where the operand was shortened before; otherwise it hurts only
// another value that is appended to as well.
//
// # Code outside the program
//
// Functions without a body are looked up in a table (table.go). Of the rest, those
// of known packages only read, unless their name says that they write (Unmarshal, Read, …).
// An unknown one is taken to change whatever its parameter types let it change directly
// (slices, maps, pointers; not interfaces), to return any of it, to keep nothing,
// and to call the functions and methods it is given.
//
// # What it does not tell apart
//
// It refuses too much where keys that are always equal are computed in ways that
// do not look alike, where a value leaves one place in another method than it enters the
// next, and where a variable that a closure captures is used for two things in turn. It
// does not see memory that reaches a service through a package variable (refused
// elsewhere), an external function that keeps what it is given, or reflection.
package alias

import (
	"go/token"

	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/compiler/ir"
)

// Check reports to diags every sharing of memory that the compiled program
// would not keep, and every race between branches.
func Check(prog *ir.Program, diags *diag.List) {
	a := analyse(prog, diags)
	if a == nil {
		tooLarge(prog, diags)
		return
	}
	k := &checker{
		analysis: a,
		events:   a.gather(),
		reported: map[token.Pos]bool{},
		raced:    map[token.Pos]bool{},
		keptBy:   map[*context]map[*object]map[*region]bool{},
	}
	k.check()
	k.checkRaces()
}

// tooLarge refuses a program that cannot be checked.
func tooLarge(prog *ir.Program, diags *diag.List) {
	s := prog.Services[0]
	diags.Errorf(prog.Fset.Position(s.Obj.Pos()), diag.Mutated,
		"compile fewer services together, or pass copies between them",
		"services from %s on share memory in more ways than can be followed; want simpler data between them", s.Name)
}
