package poker

import (
	"sync"
	"time"

	"github.com/onefold/onefold/instrument/precise"
)

// meter reads the processor time of a process group. It looks once a second which
// processes are in it.
type meter struct {
	group int
	mu    sync.Mutex
	pids  []int
	at    int64 // when that was looked up
}

func (m *meter) used() int64 {
	m.mu.Lock()
	if now := precise.Now(); now > m.at+int64(time.Second) {
		m.pids, m.at = members(m.group), now
	}
	pids := m.pids
	m.mu.Unlock()
	return processorTime(pids)
}
