package overlay

import (
	"bytes"
	"slices"

	"github.com/onefold/onefold/runtime/store"
)

// readSet collects ranges and keeps their number near that of the disjoint
// ranges they amount to.
type readSet struct {
	ranges []store.Range
	sorted int // ranges before it are sorted and disjoint
}

// compactAt is how many ranges may pile up before they are first coalesced.
const compactAt = 64

// addPoint adds the range of one key, whose bytes are copied.
func (s *readSet) addPoint(a *arena, key []byte) {
	if s.recent(key) {
		return
	}
	end := a.alloc(len(key) + 1)
	copy(end, key)
	end[len(key)] = 0
	s.add(store.Range{Begin: end[:len(key):len(key)], End: end})
}

// recent reports whether key was among the last few ranges added: loops read
// the same keys again and again.
func (s *readSet) recent(key []byte) bool {
	for i := len(s.ranges) - 1; i >= 0 && i >= len(s.ranges)-4; i-- {
		if bytes.Compare(s.ranges[i].Begin, key) <= 0 && bytes.Compare(key, s.ranges[i].End) < 0 {
			return true
		}
	}
	return false
}

// add adds a range, whose bytes are not copied.
func (s *readSet) add(r store.Range) {
	if bytes.Compare(r.Begin, r.End) >= 0 {
		return
	}
	if s.ranges == nil {
		s.ranges = make([]store.Range, 0, 16)
	}
	s.ranges = append(s.ranges, r)
	if len(s.ranges) >= compactAt && len(s.ranges) >= 2*s.sorted {
		s.coalesce()
	}
}

// coalesce sorts the ranges and joins those that overlap or touch.
func (s *readSet) coalesce() {
	if s.sorted == len(s.ranges) {
		return
	}
	slices.SortFunc(s.ranges, func(a, b store.Range) int { return bytes.Compare(a.Begin, b.Begin) })
	out := s.ranges[:1]
	for _, r := range s.ranges[1:] {
		last := &out[len(out)-1]
		if bytes.Compare(r.Begin, last.End) > 0 {
			out = append(out, r)
			continue
		}
		if bytes.Compare(r.End, last.End) > 0 {
			last.End = r.End
		}
	}
	clear(s.ranges[len(out):])
	s.ranges = out
	s.sorted = len(out)
}

// coalesced returns a copy of the ranges, sorted and disjoint.
func (s *readSet) coalesced() []store.Range {
	s.coalesce()
	return slices.Clone(s.ranges)
}
