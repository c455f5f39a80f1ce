// Package gauge tells how fast the processors of this machine are at the moment. They
// are not always equally fast: who works on the other thread of a core, mostly another
// virtual machine, makes the same work take up to twice as long, for parts of a second
// or for minutes, and no counter of the kernel shows it. What is measured meanwhile says
// more about that neighbour than about a service.
//
// Measure does a piece of what services do again and again on each processor, and
// writes how long it takes to a file that others map into their memory. Work that has been
// measured in processor time, times the speed, is work in the time of a steady
// processor.
package gauge

import (
	"errors"
	"fmt"
	"math"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A poker with this flag and the name of a file measures, and prints the line when the
// speed is known.
const (
	Flag  = "measure-speed"
	Ready = "ready"
)

// Gauge is the speed as others read it. A nil Gauge is one that never changes.
type Gauge struct{ page *page }

// page is the file.
type page struct {
	magic atomic.Uint64
	speed atomic.Uint64 // bits of a float64
}

const (
	magic    = 0x6567756167646c6f
	pageSize = 4096
)

// Speed returns how fast the processors are at the moment, in the mean, as a share of
// what they were when measuring began.
func (g *Gauge) Speed() float64 {
	if g == nil {
		return 1
	}
	return math.Float64frombits(g.page.speed.Load())
}

// Set writes the speed.
func (g *Gauge) Set(speed float64) { g.page.speed.Store(math.Float64bits(speed)) }

// Open opens the file of a Measure.
func Open(name string) (*Gauge, error) {
	file, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	g, err := mapped(file)
	if err == nil && g.page.magic.Load() != magic {
		return nil, errors.New(name + " is no gauge, or one of another version")
	}
	return g, err
}

// Create makes the file of a gauge whose speed is 1.
func Create(name string) (*Gauge, error) {
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if err := file.Truncate(pageSize); err != nil {
		return nil, err
	}
	g, err := mapped(file)
	if err != nil {
		return nil, err
	}
	g.Set(1)
	g.page.magic.Store(magic)
	return g, nil
}

func mapped(file *os.File) (*Gauge, error) {
	if info, err := file.Stat(); err != nil || info.Size() != pageSize {
		return nil, errors.Join(err, errors.New(file.Name()+" is no gauge"))
	}
	mem, err := unix.Mmap(int(file.Fd()), 0, pageSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map %s: %w", file.Name(), err)
	}
	return &Gauge{(*page)(unsafe.Pointer(&mem[0]))}, nil
}
