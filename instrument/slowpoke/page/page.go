// Package page is the memory that a service and its poker share: the service's
// counters, which the poker can read at any time, even while the service is
// stopped, and the poker's settings and clock, which the service can read without a
// call. Everything in it is atomic; neither side ever waits for the other.
//
// The package is copied into instrumented modules, and so needs nothing but the
// standard library and package precise.
package page

import (
	"os"
	"sync/atomic"
	"unsafe"

	"github.com/onefold/onefold/instrument/precise"
)

// Env is the environment variable that holds the folder of the page.
const Env = "ONEFOLD_SLOWPOKE"

// The files of the folder.
const (
	pageFile   = "page"
	notifyFile = "notify" // a FIFO that the service writes to, to wake the poker
)

// The layout. A slot is a name and the shards of its counter, each in a cache line
// of its own.
const (
	magic      = 0x32656b6f70776f73 // sowpoke2
	headerSize = 4096
	nameSize   = 128
	shardSize  = 64
	shards     = 8
	slotSize   = nameSize + shards*shardSize
	maxSlots   = 800
	size       = headerSize + maxSlots*slotSize
)

// header is at the start of the page.
type header struct {
	magic  atomic.Uint64
	slots  atomic.Uint64 // in use
	batch  atomic.Uint64 // wake the poker after so many requests; 0: never
	route  atomic.Uint64 // that a batch is of: its counter's slot, plus 1; 0: all
	target atomic.Uint64 // requests since batch was set
	busy   atomic.Int64  // ns that cores other than processors were at work
	clock
}

// clock is what the poker writes while the service is stopped.
type clock struct {
	generation atomic.Uint64 // changes with each pause
	paused     atomic.Int64  // ns, in all
}

// Page is the memory, seen from either side.
type Page struct {
	mem    []byte
	head   *header
	notify *os.File // the service's end
	fd     int      // of notify
}

// Private returns a page that nobody shares: a service without a poker counts, too.
func Private() *Page {
	words := make([]uint64, size/8) // aligned as the atomics need it
	mem := unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), size)
	return &Page{mem: mem, head: (*header)(unsafe.Pointer(&words[0])), fd: -1}
}

// Point is the delay point of a request: it counts one for the batch that is set.
// Without one, or if it is one route's, it does nothing.
func (p *Page) Point() {
	if batch := p.head.batch.Load(); batch != 0 && p.head.route.Load() == 0 {
		p.count(batch)
	}
}

// PointOf is the delay point of a request whose route is known: it counts one for the batch if
// that is one of the route.
func (p *Page) PointOf(route *Counter) {
	if batch := p.head.batch.Load(); batch != 0 && p.head.route.Load() == route.id {
		p.count(batch)
	}
}

func (p *Page) count(batch uint64) {
	if p.head.target.Add(1)%batch != 0 || p.fd < 0 {
		return
	}
	// A full FIFO is no loss: the poker is awake then, and reads the counter.
	wake(p.fd)
}

// SetBatch makes the service wake its poker after every n requests, of one route unless
// that is ""; 0 ends that. Counting starts anew. The result is false if the service has had
// no request of the route.
func (p *Page) SetBatch(n int, route string) bool {
	p.head.batch.Store(0)
	id := uint64(0)
	if route != "" {
		if id = p.find(Route, route); id == 0 {
			return false
		}
	}
	p.head.target.Store(0)
	p.head.route.Store(id)
	p.head.batch.Store(uint64(n))
	return true
}

// Target returns the requests since SetBatch.
func (p *Page) Target() int64 { return int64(p.head.target.Load()) }

// AddBusy adds to the time that the service's cores were at work, for a service
// whose cores are not processors.
func (p *Page) AddBusy(ns int64) { p.head.busy.Add(ns) }

// Busy returns the time of AddBusy in nanoseconds.
func (p *Page) Busy() int64 { return p.head.busy.Load() }

// Continue adds a pause that is about to end to the clock. The poker calls it while
// the service is stopped.
func (p *Page) Continue(paused int64) {
	p.head.paused.Add(paused)
	p.head.generation.Add(1)
}

// Paused returns the nanoseconds of all pauses.
func (p *Page) Paused() int64 { return p.head.paused.Load() }

// Now returns the virtual clock in nanoseconds: it stands still in pauses.
func (p *Page) Now() int64 {
	for {
		// A pause between the two reads would make the clock jump.
		before := p.head.generation.Load()
		now, paused := precise.Now(), p.head.paused.Load()
		if p.head.generation.Load() == before {
			return now - paused
		}
	}
}
