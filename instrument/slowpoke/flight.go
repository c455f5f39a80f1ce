package slowpoke

import (
	"net/http"
	"reflect"
	"sync"
	"sync/atomic"
)

// The requests under way. Wrappers inside one another must find out that they work
// for the same request, but the request may not be changed or copied for that, since
// code compares and mutates it, and a mark in its context would cost allocations. What
// all shallow copies of a request share (http.Request.WithContext, http.StripPrefix) is
// the map of its headers; where that is in memory tells the request. What copies the
// headers as well has to be said (Clone).

// slot is a request under way.
type slot struct {
	key    atomic.Uintptr // of the request; 0: free
	route  atomic.Pointer[counter]
	clones atomic.Pointer[clone]
}

// clone is a request with headers of its own that stands for another one.
type clone struct {
	r    *http.Request
	next *clone
}

// A request is in one of a few slots from where its key hashes to. If all of these
// are taken, it is in more. The table is small, so that it stays in the processor's cache: what
// a request costs is mostly the memory that it touches.
const (
	bits  = 10
	slots = 1 << bits
	probe = 8
)

var (
	table  [slots + probe]slot
	more   sync.Map // key → *slot
	inMore atomic.Int64
)

// skipped is the route of requests that are not counted.
var skipped = &counter{name: "(skipped)"}

// key returns 0 for a request without headers, as tests make them.
func key(r *http.Request) uintptr { return reflect.ValueOf(r.Header).Pointer() }

func window(key uintptr) []slot {
	const golden = 0x9E3779B97F4A7C15 // spreads pointers, which are multiples of 16
	start := uint64(key) * golden >> (64 - bits)
	return table[start : start+probe]
}

// find returns the slot of a request under way, or nil.
func find(r *http.Request) *slot {
	k := key(r)
	if k == 0 {
		return nil
	}
	w := window(k)
	for i := range w {
		if w[i].key.Load() == k {
			return &w[i]
		}
	}
	if inMore.Load() > 0 {
		if s, ok := more.Load(k); ok {
			return s.(*slot)
		}
	}
	return nil
}

// open returns the slot of a request, and whether the caller is the first to ask
// for it, who must close it.
func open(r *http.Request) (s *slot, first bool) {
	if s := find(r); s != nil {
		return s, false
	}
	k := key(r)
	w := window(k)
	for i := range w {
		if k != 0 && w[i].key.CompareAndSwap(0, k) {
			return &w[i], true
		}
	}
	s = new(slot)
	s.key.Store(k)
	if k != 0 { // a request without headers is nobody's but the caller's
		inMore.Add(1)
		more.Store(k, s)
	}
	return s, true
}

func (s *slot) close() {
	k := s.key.Load()
	s.route.Store(nil)
	if inMore.Load() > 0 {
		forget(k)
		for c := s.clones.Swap(nil); c != nil; c = c.next {
			forget(key(c.r))
		}
	}
	s.key.Store(0)
}

func forget(key uintptr) {
	if _, ok := more.LoadAndDelete(key); ok {
		inMore.Add(-1)
	}
}

// cloned makes the clone of a request that is under way the same request.
func (s *slot) cloned(r *http.Request) {
	inMore.Add(1)
	more.Store(key(r), s)
	c := &clone{r: r}
	for {
		c.next = s.clones.Load()
		if s.clones.CompareAndSwap(c.next, c) {
			return
		}
	}
}

// count counts the request for a route, and no longer for the one around it.
func (s *slot) count(c *counter) {
	before := s.route.Load()
	switch {
	case before == skipped || before == c:
		return
	case c.skipped.Load():
		c = skipped
	default:
		c.Add()
	}
	if before != nil {
		before.Undo()
	}
	s.route.Store(c)
}

// skip takes back what was counted. The delay point cannot be taken back, so that
// further requests of the route do not reach it.
func (s *slot) skip() {
	if c := s.route.Swap(skipped); c != nil && c != skipped {
		c.Undo()
		c.skipped.Store(true)
	}
}

// Flight is a request that a router works for, between Begin and End.
type Flight struct {
	r     *http.Request
	own   *slot // if this is the outermost wrapper
	outer *counter
	none  bool // requests of this path are not measured
}

// Begin is called by a router before its handler. It is the delay point of the
// request if no wrapper around it was.
func Begin(r *http.Request) Flight {
	if r == nil || r.URL == nil { // as tests make them
		return Flight{none: true}
	}
	s, first := open(r)
	if !first {
		return Flight{r: r, outer: s.route.Load()}
	}
	if !Measured(r.URL.Path) {
		s.close()
		return Flight{none: true}
	}
	delay()
	return Flight{r: r, own: s}
}

// Route counts the request for the route, unless something inside has: the route
// is its method and the parts of its path.
func (f Flight) Route(method string, path ...string) {
	if s := f.uncounted(); s != nil {
		s.count(counterOf(keyOf(f.outer, method, path...)))
	}
}

// uncounted returns the slot of the request if nothing inside has counted it.
func (f Flight) uncounted() *slot {
	if f.none {
		return nil
	}
	s := f.own
	if s == nil {
		s = find(f.r) // after the handler the request may be over, if it timed out
	}
	if s == nil || s.route.Load() != f.outer {
		return nil
	}
	return s
}

// End ends what Begin began. If nothing has counted the request, it has no route.
func (f Flight) End() {
	if f.own != nil {
		finish(f.own, f.r)
	}
}
