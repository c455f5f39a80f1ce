package ir

import (
	"fmt"
	"go/types"
	"slices"
	"strings"
)

// A Formula is a count that may depend on the run: Fixed, and what its terms add.
type Formula struct {
	Fixed int
	Terms []Term
}

// A Term is Each as often as Times says, or the largest of Max.
type Term struct {
	Times Times
	Each  Formula
	Max   []Formula
}

// Times is how often something happens: as often as a parameter says or has elements, or
// as only the run can tell.
type Times struct {
	Param *types.Var // nil where only the run can tell
	Path  []string   // fields, from the parameter on
	Len   bool       // as many as there are elements
	Where string     // what happens so often: "loop(hotel.go:41)"
}

// Range is a count that is at least one formula and at most another.
type Range struct{ Least, Most Formula }

// Number returns a formula without terms.
func Number(n int) Formula { return Formula{Fixed: n} }

// Exactly returns the range of a formula alone.
func Exactly(f Formula) Range { return Range{f, f} }

// Plus returns a + b.
func (f Formula) Plus(b Formula) Formula {
	return Formula{f.Fixed + b.Fixed, slices.Concat(f.Terms, b.Terms)}
}

// Plus returns the range of the sums.
func (r Range) Plus(b Range) Range { return Range{r.Least.Plus(b.Least), r.Most.Plus(b.Most)} }

// Or returns the range of what is in either.
func (r Range) Or(b Range) Range { return Range{r.Least.Min(b.Least), r.Most.Max(b.Most)} }

// Repeat returns f, as often as times says.
func (f Formula) Repeat(times Times) Formula {
	if f.Fixed == 0 && len(f.Terms) == 0 {
		return f
	}
	return Formula{Terms: []Term{{Times: times, Each: f}}}
}

// Scale returns f, n times.
func (f Formula) Scale(n int) Formula {
	out := Formula{Fixed: n * f.Fixed}
	for range n {
		out.Terms = append(out.Terms, f.Terms...)
	}
	return out
}

// Max returns the larger one, whichever that is.
func (f Formula) Max(b Formula) Formula {
	out := Formula{Fixed: max(f.Fixed, b.Fixed)}
	switch {
	case f.covers(b):
		out.Terms = f.Terms
	case b.covers(f):
		out.Terms = b.Terms
	default:
		out.Terms = []Term{{Max: []Formula{{Terms: f.Terms}, {Terms: b.Terms}}}}
	}
	return out
}

// Min returns what neither is less than.
func (f Formula) Min(b Formula) Formula {
	out, rest := Formula{Fixed: min(f.Fixed, b.Fixed)}, slices.Clone(b.Terms)
	for _, t := range f.Terms {
		if i := slices.IndexFunc(rest, t.equal); i >= 0 {
			rest = slices.Delete(rest, i, i+1)
			out.Terms = append(out.Terms, t)
		}
	}
	return out
}

// covers reports whether every term of b is one of f.
func (f Formula) covers(b Formula) bool { return len(f.Min(b).Terms) == len(b.Terms) }

func (t Term) equal(u Term) bool { return t.String() == u.String() }

// Replace returns the formula with other counts of times.
func (f Formula) Replace(other func(Times) Times) Formula {
	out := Formula{Fixed: f.Fixed}
	for _, t := range f.Terms {
		u := Term{Times: other(t.Times), Each: t.Each.Replace(other)}
		for _, m := range t.Max {
			u.Max = append(u.Max, m.Replace(other))
		}
		out.Terms = append(out.Terms, u)
	}
	return out
}

// Eval returns the value where count says what times are. ok reports that it knew all of them;
// those that it does not know are 0.
func (f Formula) Eval(count func(Times) (int, bool)) (n int, ok bool) {
	n, ok = f.Fixed, true
	for _, t := range f.Terms {
		if t.Max != nil {
			most := 0
			for _, m := range t.Max {
				v, known := m.Eval(count)
				most, ok = max(most, v), ok && known
			}
			n += most
			continue
		}
		times, known := count(t.Times)
		each, knownEach := t.Each.Eval(count)
		n, ok = n+times*each, ok && known && knownEach
	}
	return n, ok
}

// String prints the formula as "1 + 2×len(items)".
func (f Formula) String() string {
	var sum []string
	if f.Fixed != 0 || len(f.Terms) == 0 {
		sum = append(sum, fmt.Sprint(f.Fixed))
	}
	for _, t := range f.Terms {
		sum = append(sum, t.String())
	}
	return strings.Join(sum, " + ")
}

// String prints the term.
func (t Term) String() string {
	switch {
	case t.Max != nil:
		list := make([]string, len(t.Max))
		for i, m := range t.Max {
			list[i] = m.String()
		}
		return "max(" + strings.Join(list, ", ") + ")"
	case t.Each.Fixed == 1 && len(t.Each.Terms) == 0:
		return t.Times.String()
	}
	return grouped(t.Each) + "×" + t.Times.String()
}

// String prints what says how often.
func (t Times) String() string {
	if t.Param == nil {
		return t.Where
	}
	path := strings.Join(append([]string{t.Param.Name()}, t.Path...), ".")
	if t.Len {
		return "len(" + path + ")"
	}
	return path
}

// String prints the range as "2", as "0..3", or as "1..(1 + len(items))".
func (r Range) String() string {
	if least, most := r.Least.String(), r.Most.String(); least == most {
		return most
	}
	return grouped(r.Least) + ".." + grouped(r.Most)
}

// grouped prints a formula, in parentheses if it is a sum.
func grouped(f Formula) string {
	if len(f.Terms) > 1 || len(f.Terms) == 1 && f.Fixed != 0 {
		return "(" + f.String() + ")"
	}
	return f.String()
}
