package gauge

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"github.com/onefold/onefold/instrument/precise"
)

const (
	// gap is the time between two measurements, of whatever processor. They cost about 4 % of
	// one.
	gap = int64(2 * time.Millisecond)
	// pieces are what is timed of each measurement. One before them is not: it brings the
	// caches to where they are in a service.
	pieces = 2
	// memory is the time of which the speed is a mean, about.
	memory = int64(100 * time.Millisecond)
	// calibration is the time whose speed is 1.
	calibration = int64(time.Second)
	// farOff is how many times the mean one measurement can be. What takes longer is
	// something else: the collector, a page that is not there.
	farOff = 4
)

// Measure measures until the context ends. ready is called when the speed is known, after
// a second. It wants a process to itself.
func Measure(ctx context.Context, name string, ready func()) error {
	g, err := Create(name)
	if err != nil {
		return err
	}
	numbers, err := processors()
	if err != nil {
		return err
	}
	m := &measurement{gauge: g, ready: ready, processors: make([]processor, len(numbers)), period: gap * int64(len(numbers))}
	m.calibrating.Add(len(m.processors))
	// Each keeps one while it sleeps, and the collector needs one, too.
	runtime.GOMAXPROCS(len(m.processors) + 1)
	debug.SetGCPercent(400)
	group, ctx := errgroup.WithContext(ctx)
	for i, number := range numbers {
		group.Go(func() error { return m.run(ctx, &m.processors[i], number) })
	}
	group.Go(func() error { m.calibrate(); return nil })
	return group.Wait()
}

// processors returns the numbers of those that this process may use.
func processors() ([]int, error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return nil, fmt.Errorf("read the processors of this process: %w", err)
	}
	var numbers []int
	for n := 0; len(numbers) < set.Count(); n++ {
		if set.IsSet(n) {
			numbers = append(numbers, n)
		}
	}
	return numbers, nil
}

// measurement is the state of Measure.
type measurement struct {
	gauge       *Gauge
	ready       func()
	processors  []processor
	period      int64 // ns between two measurements of one processor
	calibrating sync.WaitGroup
	reference   atomic.Uint64 // bits: ns of the pieces at speed 1; 0: not known
}

// processor is what is known of one.
type processor struct {
	first int64         // ns of a measurement in the calibration, in the mean
	mean  atomic.Uint64 // bits: ns of the pieces, in the mean of late
}

// calibrate finds out what speed 1 is.
func (m *measurement) calibrate() {
	m.calibrating.Wait()
	sum := int64(0)
	for i := range m.processors {
		if m.processors[i].first == 0 {
			return // measuring has ended
		}
		sum += m.processors[i].first
	}
	m.reference.Store(math.Float64bits(float64(sum) / float64(len(m.processors))))
	m.ready()
}

// run measures one processor.
func (m *measurement) run(ctx context.Context, p *processor, number int) error {
	w, err := newWork()
	calibrating := true
	defer func() {
		if calibrating {
			m.calibrating.Done()
		}
	}()
	if err != nil {
		return err
	}
	defer w.close()
	precise.Thread() // for good: the thread belongs to the processor and ends with the goroutine
	var set unix.CPUSet
	set.Set(number)
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return fmt.Errorf("measure processor %d: %w", number, err)
	}
	mean, sum, last := 0.0, int64(0), max(1, calibration/m.period)
	for n, next := int64(1), precise.Now(); ctx.Err() == nil; n++ {
		took := w.measure()
		if mean == 0 {
			mean = float64(took)
		}
		mean += (min(float64(took), farOff*mean) - mean) / max(1, float64(memory)/float64(m.period))
		p.mean.Store(math.Float64bits(mean))
		if sum += took; n == last {
			p.first, calibrating = sum/n, false
			m.calibrating.Done()
		}
		m.publish()
		next = max(next+m.period, precise.Now())
		precise.Nap(next)
	}
	return nil
}

// publish writes the mean of the processors' speeds.
func (m *measurement) publish() {
	reference := math.Float64frombits(m.reference.Load())
	if reference == 0 {
		return
	}
	sum := 0.0
	for i := range m.processors {
		sum += reference / math.Float64frombits(m.processors[i].mean.Load())
	}
	m.gauge.Set(sum / float64(len(m.processors)))
}

// measure returns the processor time of the pieces.
func (w *work) measure() int64 {
	w.piece()
	start := precise.ThreadTime()
	for range pieces {
		w.piece()
	}
	return precise.ThreadTime() - start
}
