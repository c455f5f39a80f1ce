// Package slowpoke is what an instrumented service runs: it counts requests by
// route, calls by callee, and marks, and tells the service's poker when a batch of
// requests is full. onefold instrument puts it into programs; by hand, services are
// wrapped with Handler or Route (net/http) and the interceptors of package slowgrpc,
// and their clients with Transport.
//
// However many wrappers a request passes, it is counted once, for the innermost
// route: muxes may be nested, and wrapped again.
//
// The package is copied into instrumented modules, and so needs nothing but the
// standard library and the packages beside it.
//
// Under a poker the counters are in memory that both share. Without one the service
// runs just the same and nobody reads them. While no experiment runs, a request
// costs a count and a look at one word: no lock, no allocation.
package slowpoke

import (
	"fmt"
	"maps"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/onefold/onefold/instrument/precise"
	"github.com/onefold/onefold/instrument/slowpoke/page"
)

// shared is the page of this process.
var shared = sync.OnceValue(func() *page.Page {
	dir := os.Getenv(page.Env)
	if dir == "" {
		return page.Private()
	}
	p, err := page.Open(dir)
	if err != nil {
		// A service must not fail because it cannot be measured.
		fmt.Fprintf(os.Stderr, "slowpoke: not measured: %v\n", err)
		return page.Private()
	}
	return p
})

// Attached reports whether the service runs under a poker. Who has counters of its
// own to add needs none without.
func Attached() bool { return os.Getenv(page.Env) != "" }

// names is a set of counters that grows as names turn up. Reading it takes no lock.
type names struct {
	page func() *page.Page
	kind page.Kind
	mu   sync.Mutex // for adding
	all  atomic.Pointer[map[string]*counter]
}

// counter is a counter with its name.
type counter struct {
	*page.Counter
	name    string
	skipped atomic.Bool // the route turned out to be skipped
}

// counter returns the counter of a name, and makes it if it is new.
func (n *names) counter(name string) *counter {
	if all := n.all.Load(); all != nil {
		if c, ok := (*all)[name]; ok {
			return c
		}
	}
	return n.add(name)
}

// most is how many names one set can have. Names that come from outside, such as
// hosts, could otherwise fill the page.
const most = 250

// others is what names beyond these count for.
const others = "(others)"

func (n *names) add(name string) *counter {
	n.mu.Lock()
	defer n.mu.Unlock()
	old := map[string]*counter{}
	if all := n.all.Load(); all != nil {
		old = *all
	}
	if c, ok := old[name]; ok {
		return c
	}
	if len(old) >= most {
		name = others
		if c, ok := old[name]; ok {
			return c
		}
	}
	next := maps.Clone(old)
	next[name] = &counter{Counter: n.page().Counter(n.kind, name), name: name}
	n.all.Store(&next)
	return next[name]
}

var (
	routes = names{page: shared, kind: page.Route}
	edges  = names{page: shared, kind: page.Edge}
	marks  = names{page: shared, kind: page.Mark}
)

// Request counts a request of a route, and is its delay point. Wrappers call it
// before the work of the request begins.
func Request(route string) {
	c := routes.counter(route)
	c.Add()
	delay()
	shared().PointOf(c.Counter)
}

// Call counts a call to another service.
func Call(callee string) {
	edges.counter(callee).Add()
	if c := original(); c != nil {
		c.call(callee)
	}
}

// delay is the delay point of a request.
func delay() {
	if w := artificial(); w != nil {
		w.burn()
	}
	shared().Point()
	if c := original(); c != nil {
		c.request()
	}
}

// Point counts a mark: a unit of work that is not a request, such as a message
// that was consumed.
func Point(name string) { marks.counter(name).Add() }

// AddBusy adds to the time that the service's cores were at work, for a service
// whose cores are not processors, such as a synthetic one.
func AddBusy(d time.Duration) { shared().AddBusy(int64(d)) }

// Now returns the virtual clock: time since some moment, without the pauses.
func Now() time.Duration { return time.Duration(shared().Now()) }

// SleepUntil sleeps until Now is at least t. Pauses do not count.
func SleepUntil(t time.Duration) {
	for {
		left := int64(t) - shared().Now()
		if left <= 0 {
			return
		}
		precise.SleepUntil(precise.Now() + left)
	}
}

// Sleep sleeps for d of the virtual clock.
func Sleep(d time.Duration) {
	defer precise.Thread()()
	SleepUntil(Now() + d)
}
