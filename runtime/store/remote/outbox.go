package remote

import (
	"encoding/binary"
	"net"
	"sync"
	"time"
)

// outbox collects frames and writes them to a connection, as many at a time as
// there are.
type outbox struct {
	conn net.Conn

	mu      sync.Mutex
	idle    sync.Cond // nobody writes
	frames  []byte
	spare   []byte
	writing bool
	err     error
}

const (
	// outboxLimit is from how many bytes on that wait whoever adds more waits too.
	outboxLimit = 16 << 20
	// stalled is how long the other side may take nothing before the connection is given up.
	stalled = 10 * time.Second
	// spareLimit is the largest buffer that is used again.
	spareLimit = 1 << 20
)

func newOutbox(conn net.Conn) *outbox {
	o := &outbox{conn: conn}
	o.idle.L = &o.mu
	return o
}

// add appends a frame, which build appends to what it is given. It does not wait.
func (o *outbox) add(build func(b []byte) []byte) {
	o.mu.Lock()
	o.append(build)
	o.mu.Unlock()
}

func (o *outbox) append(build func(b []byte) []byte) {
	at := len(o.frames)
	o.frames = build(append(o.frames, 0, 0, 0, 0))
	binary.BigEndian.PutUint32(o.frames[at:], uint32(len(o.frames)-at-4))
}

// send adds a frame and sees to it that it leaves, together with those before it.
func (o *outbox) send(build func(b []byte) []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.wait()
	if o.err != nil {
		return o.err
	}
	o.append(build)
	return o.write()
}

// full reports whether so much waits that nothing should be added.
func (o *outbox) full() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.frames) > outboxLimit
}

// flush sees to it that the frames leave that were added before.
func (o *outbox) flush() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.wait()
	return o.write()
}

// wait waits while somebody writes and too much waits behind that.
func (o *outbox) wait() {
	for o.writing && o.err == nil && len(o.frames) > outboxLimit {
		o.idle.Wait()
	}
}

// write writes frames until there are none, unless somebody does already.
func (o *outbox) write() error {
	if o.writing {
		return o.err
	}
	o.writing = true
	for len(o.frames) > 0 && o.err == nil {
		out := o.frames
		o.frames = o.spare[:0]
		o.mu.Unlock()
		_ = o.conn.SetWriteDeadline(time.Now().Add(stalled))
		_, err := o.conn.Write(out)
		o.mu.Lock()
		o.spare = nil
		if cap(out) <= spareLimit {
			o.spare = out
		}
		if err != nil {
			o.err = err
		}
		o.idle.Broadcast()
	}
	o.writing = false
	o.idle.Broadcast()
	return o.err
}
