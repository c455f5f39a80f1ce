package workflow

import "sync"

// gate is a readers-writer lock whose holders may wait for the store meanwhile. Who
// waits for it is, unlike with sync.RWMutex, durably blocked in a testing/synctest
// bubble, so that the time which the holder waits for can pass.
type gate struct {
	mu      sync.Mutex
	changed sync.Cond
	readers int
	writer  bool
}

// enter takes the gate, for itself or together with other readers.
func (g *gate) enter(alone bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.changed.L = &g.mu
	for g.writer || alone && g.readers > 0 {
		g.changed.Wait()
	}
	if alone {
		g.writer = true
	} else {
		g.readers++
	}
}

// leave gives the gate back.
func (g *gate) leave(alone bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if alone {
		g.writer = false
	} else {
		g.readers--
	}
	g.changed.Broadcast()
}
