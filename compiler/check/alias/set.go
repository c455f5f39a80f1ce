package alias

import "slices"

// ref is a reference to memory: an object, the slot in it that is pointed to,
// and what is known about a slice that refers to it.
type ref uint64

const (
	short   ref = 1 << iota // a slice that ends before the memory does: append overwrites
	clipped                 // a slice without spare capacity: append copies

	flags = short | clipped
)

func newRef(obj *object, slot int) ref { return ref(obj.id)<<32 | ref(slot)<<2 }

func (r ref) obj() int  { return int(r >> 32) }
func (r ref) slot() int { return int(r>>2) & (1<<30 - 1) }

// moved returns r pointing n slots further.
func (r ref) moved(n int) ref { return r + ref(n)<<2 }

// set is a sorted set of references.
type set []ref

// add adds r and reports whether it was missing.
func (s *set) add(r ref) bool {
	i, found := slices.BinarySearch(*s, r)
	if !found {
		*s = slices.Insert(*s, i, r)
	}
	return !found
}

// addAll adds the references of t and reports whether any was missing.
func (s *set) addAll(t set) bool {
	if len(t) == 1 {
		return s.add(t[0])
	}
	missing := 0
	i := 0
	for _, r := range t {
		for i < len(*s) && (*s)[i] < r {
			i++
		}
		if i == len(*s) || (*s)[i] != r {
			missing++
		}
	}
	if missing == 0 {
		return false
	}
	merged := make(set, 0, len(*s)+missing)
	i = 0
	for _, r := range t {
		for i < len(*s) && (*s)[i] < r {
			merged = append(merged, (*s)[i])
			i++
		}
		if i < len(*s) && (*s)[i] == r {
			i++
		}
		merged = append(merged, r)
	}
	*s = append(merged, (*s)[i:]...)
	return true
}

// flagged returns s with a flag on each reference.
func (s set) flagged(f ref) set {
	out := make(set, 0, len(s))
	for _, r := range s {
		out.add(r&^flags | r&f | f)
	}
	return out
}

// flatten returns the union of sets, which may be one of them: it is only read.
func flatten(sets []set) set {
	if len(sets) == 1 {
		return sets[0]
	}
	var out set
	for _, s := range sets {
		out.addAll(s)
	}
	return out
}
