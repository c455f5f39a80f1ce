package embedded

import (
	"bytes"
	"cmp"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/onefold/onefold/runtime/store"
)

// recentWrites knows which keys were written by the commits of the last
// seconds, so that the reads of a commit can be checked against them.
//
// Reads of one key are answered by a map. Ranges are checked against segments
// of the write history: the last, still growing, is scanned; each full one is
// sorted by key, so that a range costs a binary search in it, and one that is
// older than the reader costs nothing.
type recentWrites struct {
	points   map[string]store.Version // key → its last write
	segments []*segment               // in order of versions; the last one grows
	ranges   int                      // range writes in all segments
	floor    store.Version            // reads before it cannot be checked
}

// segment is a part of the write history.
type segment struct {
	last   store.Version // of its writes
	points []pointWrite  // in order of versions while it grows, then of keys
	ranges []rangeWrite  // in order of versions
	sealed time.Time     // zero while it grows
}

type pointWrite struct {
	key     string
	version store.Version
}

type rangeWrite struct {
	store.Range
	version store.Version
}

// segmentSize is how many writes a segment takes.
const segmentSize = 1024

// window is how long writes are remembered: no version is usable for longer.
const window = store.MaxAge + time.Second

// addPoint records a write of key.
func (w *recentWrites) addPoint(key []byte, v store.Version) {
	k := string(key)
	w.points[k] = v
	s := w.growing(v)
	s.points = append(s.points, pointWrite{k, v})
}

// addRange records a clear of r, whose bytes are copied.
func (w *recentWrites) addRange(r store.Range, v store.Version) {
	s := w.growing(v)
	s.ranges = append(s.ranges, rangeWrite{store.Range{Begin: bytes.Clone(r.Begin), End: bytes.Clone(r.End)}, v})
	w.ranges++
}

// growing returns the segment that takes a write at v.
func (w *recentWrites) growing(v store.Version) *segment {
	var s *segment
	if n := len(w.segments); n > 0 {
		s = w.segments[n-1]
	}
	if s == nil || !s.sealed.IsZero() {
		s = &segment{}
		w.segments = append(w.segments, s)
	}
	s.last = v
	return s
}

// expire seals the growing segment if it is full, and drops the segments that
// nobody may ask for any more.
func (w *recentWrites) expire(now time.Time) {
	n := len(w.segments)
	if n == 0 {
		return
	}
	if s := w.segments[n-1]; s.sealed.IsZero() && len(s.points)+len(s.ranges) >= segmentSize {
		s.seal(now)
	}
	drop := 0
	for drop < n && !w.segments[drop].sealed.IsZero() && now.Sub(w.segments[drop].sealed) > window {
		w.forget(w.segments[drop])
		drop++
	}
	w.segments = slices.Delete(w.segments, 0, drop)
}

// seal sorts the segment's points by key, keeping the last write of each.
func (s *segment) seal(now time.Time) {
	s.sealed = now
	slices.SortFunc(s.points, func(a, b pointWrite) int {
		return cmp.Or(strings.Compare(a.key, b.key), cmp.Compare(b.version, a.version))
	})
	s.points = slices.CompactFunc(s.points, func(a, b pointWrite) bool { return a.key == b.key })
}

// forget drops the traces of a segment.
func (w *recentWrites) forget(s *segment) {
	for _, p := range s.points {
		if w.points[p.key] <= s.last {
			delete(w.points, p.key)
		}
	}
	w.ranges -= len(s.ranges)
	w.floor = max(w.floor, s.last)
}

// overlaps reports whether a key of r was written after v.
func (w *recentWrites) overlaps(r store.Range, v store.Version) bool {
	if len(r.Begin) == 0 {
		r.Begin = store.KeyBegin
	}
	if store.Compare(r.Begin, r.End) >= 0 {
		return false
	}
	point := isPoint(r)
	if point {
		if w.points[string(r.Begin)] > v {
			return true
		}
		if w.ranges == 0 {
			return false
		}
	}
	for i := len(w.segments) - 1; i >= 0 && w.segments[i].last > v; i-- {
		if s := w.segments[i]; !point && s.pointIn(r, v) || s.rangeIn(r, v) {
			return true
		}
	}
	return false
}

// isPoint reports whether r holds one key only.
func isPoint(r store.Range) bool {
	n := len(r.Begin)
	return len(r.End) == n+1 && r.End[n] == 0 && bytes.Equal(r.Begin, r.End[:n])
}

// pointIn reports whether a key of r was written after v in this segment.
func (s *segment) pointIn(r store.Range, v store.Version) bool {
	if s.sealed.IsZero() {
		for i := len(s.points) - 1; i >= 0 && s.points[i].version > v; i-- {
			if key := s.points[i].key; key >= string(r.Begin) && key < string(r.End) {
				return true
			}
		}
		return false
	}
	from := sort.Search(len(s.points), func(i int) bool { return s.points[i].key >= string(r.Begin) })
	for _, p := range s.points[from:] {
		if p.key >= string(r.End) {
			break
		}
		if p.version > v {
			return true
		}
	}
	return false
}

// rangeIn reports whether a key of r was cleared after v in this segment.
func (s *segment) rangeIn(r store.Range, v store.Version) bool {
	for i := len(s.ranges) - 1; i >= 0 && s.ranges[i].version > v; i-- {
		w := &s.ranges[i]
		if bytes.Compare(w.Begin, r.End) < 0 && bytes.Compare(r.Begin, w.End) < 0 {
			return true
		}
	}
	return false
}
