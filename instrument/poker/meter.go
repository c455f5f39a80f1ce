package poker

import (
	"sync"
	"time"

	"github.com/onefold/onefold/instrument/gauge"
	"github.com/onefold/onefold/instrument/precise"
)

// Meter reads the processor time of a process group. It looks once a second which
// processes are in it. With a gauge it counts the time that a steady processor would
// have needed, and has to be read often.
type Meter struct {
	group int
	gauge *gauge.Gauge

	mu        sync.Mutex
	pids      []int
	at        int64 // when that was looked up
	processor int64 // ns, as the kernel counts them, when it was read last
	steady    int64 // ns in all, times the speed
}

// NewMeter returns a meter of a process group. The gauge may be nil.
func NewMeter(group int, g *gauge.Gauge) *Meter { return &Meter{group: group, gauge: g} }

// Used returns the nanoseconds that were used.
func (m *Meter) Used() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	if now := precise.Now(); now > m.at+int64(time.Second) {
		m.pids, m.at = members(m.group), now
	}
	now := processorTime(m.pids)
	// There is less when a process has ended.
	m.steady += int64(float64(max(0, now-m.processor)) * m.gauge.Speed())
	m.processor = now
	return m.steady
}
