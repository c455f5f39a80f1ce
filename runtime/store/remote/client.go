package remote

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/wire"
)

// Options say how to reach a server.
type Options struct {
	// Dial makes a connection; see [Dial].
	Dial func(ctx context.Context) (net.Conn, error)
	// Key returns what is shown to the server. Default nothing.
	Key func() string
	// Timeout bounds every operation, connecting again included. Default 10 s.
	Timeout time.Duration
	// InFlight is how many operations may be under way; further ones wait. Default 1,024.
	InFlight int
}

// Dial returns a function that connects to an address of a network, "unix" or "tcp".
func Dial(network, address string) func(ctx context.Context) (net.Conn, error) {
	var d net.Dialer
	return func(ctx context.Context) (net.Conn, error) { return d.DialContext(ctx, network, address) }
}

// Engine is a store that a server has.
type Engine struct {
	opts  Options
	slots chan struct{}
	calls sync.Pool // the engine's own, for channels do not leave a synctest bubble

	durable atomic.Uint64 // everything up to it is known to be on the server's disk

	mu      sync.Mutex
	conn    *conn
	dialing chan struct{} // closed when the dial under way has ended; nil if there is none
	closed  bool
	busy    sync.WaitGroup // operations under way
}

var (
	_ store.Engine = (*Engine)(nil)
	_ store.Opener = (*Engine)(nil)
)

// Open connects to a server. It waits for one that does not answer yet, until
// ctx ends or the timeout of the options has passed.
func Open(ctx context.Context, opts Options) (*Engine, error) {
	opts.Timeout = cmp.Or(opts.Timeout, 10*time.Second)
	opts.InFlight = cmp.Or(opts.InFlight, 1024)
	if opts.Key == nil {
		opts.Key = func() string { return "" }
	}
	e := &Engine{opts: opts, slots: make(chan struct{}, opts.InFlight)}
	e.calls.New = func() any { return &call{done: make(chan reply, 1)} }
	ctx, cancel := context.WithTimeout(ctx, opts.Timeout)
	defer cancel()
	if _, err := e.connection(ctx); err != nil {
		return nil, fmt.Errorf("remote: open: %w", err)
	}
	return e, nil
}

// ReadVersion implements store.Engine.
func (e *Engine) ReadVersion(ctx context.Context) (v store.Version, err error) {
	v, _, err = e.Open(ctx, nil)
	return v, err
}

// Open implements store.Opener.
func (e *Engine) Open(ctx context.Context, keys [][]byte) (v store.Version, found []store.Found, err error) {
	frame := func(b []byte) []byte {
		b = wire.AppendUint(b, uint64(len(keys)))
		for _, key := range keys {
			b = wire.AppendBytes(b, key)
		}
		return b
	}
	err = e.read(ctx, opReadVersion, frame, func(r *wire.Reader) {
		v = versionOf(r)
		found = make([]store.Found, len(keys))
		for i := range found {
			found[i] = foundOf(r)
		}
	})
	return v, found, err
}

// Release implements store.Engine. The server learns of it together with the next
// operation.
func (e *Engine) Release(v store.Version) {
	e.mu.Lock()
	c := e.conn
	e.mu.Unlock()
	if c != nil {
		c.out.add(func(b []byte) []byte { return wire.AppendUint(append(wire.AppendUint(b, 0), opRelease), uint64(v)) })
	}
}

// Get implements store.Engine.
func (e *Engine) Get(ctx context.Context, v store.Version, key []byte) (value []byte, ok bool, err error) {
	err = e.read(ctx, opGet, func(b []byte) []byte { return wire.AppendBytes(wire.AppendUint(b, uint64(v)), key) }, func(r *wire.Reader) {
		found := foundOf(r)
		value, ok = found.Value, found.OK
	})
	return value, ok && err == nil, err
}

// Range implements store.Engine.
func (e *Engine) Range(ctx context.Context, v store.Version, r store.Range, opts store.RangeOptions) (kvs []store.KV, more bool, err error) {
	for cut := true; cut; {
		limit := 0
		if opts.Limit > 0 {
			limit = opts.Limit - len(kvs)
		}
		var page []store.KV
		err := e.read(ctx, opRange, func(b []byte) []byte { return appendRange(b, v, r, limit, opts.Reverse) }, func(r *wire.Reader) {
			flags := r.Byte()
			more, cut = flags&flagMore != 0, flags&flagCut != 0
			page = pairsOf(r)
		})
		if err != nil {
			return nil, false, err
		}
		kvs = append(kvs, page...)
		if len(page) == 0 {
			break
		}
		r = after(r, page[len(page)-1].Key, opts.Reverse)
	}
	return kvs, more, nil
}

func appendRange(b []byte, v store.Version, r store.Range, limit int, reverse bool) []byte {
	flags := byte(0)
	if reverse {
		flags = flagReverse
	}
	b = append(wire.AppendUint(b, uint64(v)), flags)
	b = wire.AppendUint(b, uint64(max(limit, 0)))
	return wire.AppendRange(b, r)
}

// Settle implements store.Engine.
func (e *Engine) Settle(ctx context.Context, v store.Version) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	if uint64(v) <= e.durable.Load() {
		return nil
	}
	return e.read(ctx, opSettle, func(b []byte) []byte { return wire.AppendUint(b, uint64(v)) }, func(*wire.Reader) {})
}

// Commit implements store.Engine.
func (e *Engine) Commit(ctx context.Context, c *store.Commit) (v store.Version, err error) {
	if err := c.Check(); err != nil {
		return 0, err
	}
	err = e.operate(ctx, func(ctx context.Context) error {
		conn, err := e.connection(ctx)
		if err != nil {
			return err
		}
		frame := func(b []byte) []byte { return appendCommit(b, c) }
		err = e.ask(ctx, conn, opCommit, c.Applied, frame, func(r *wire.Reader) { v = versionOf(r) })
		if errors.Is(err, errBroken) {
			return fmt.Errorf("%w: %w", store.ErrUnknown, err)
		}
		return err
	})
	return v, err
}

// Close implements store.Engine.
func (e *Engine) Close() error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return store.ErrClosed
	}
	e.closed = true
	e.mu.Unlock()
	e.busy.Wait()
	if c := e.conn; c != nil { // nobody changes it any more
		_ = c.out.flush() // releases; the end of the connection does the same
		c.breakOff(store.ErrClosed)
		<-c.ended
	}
	return nil
}

// operate runs an operation within its time limit, if the engine is open.
func (e *Engine) operate(ctx context.Context, op func(ctx context.Context) error) error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return store.ErrClosed
	}
	e.busy.Add(1)
	e.mu.Unlock()
	defer e.busy.Done()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, e.opts.Timeout, errTimeout)
	defer cancel()
	select {
	case e.slots <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-e.slots }()
	return op(ctx)
}

// errTimeout ends operations that the server did not answer in time.
var errTimeout = fmt.Errorf("remote: the store does not answer: %w", context.DeadlineExceeded)

// read makes an operation that changes nothing, on another connection if one breaks.
func (e *Engine) read(ctx context.Context, op byte, frame func([]byte) []byte, parse func(*wire.Reader)) error {
	return e.operate(ctx, func(ctx context.Context) error {
		for {
			c, err := e.connection(ctx)
			if err != nil {
				return err
			}
			if err := e.ask(ctx, c, op, nil, frame, parse); !errors.Is(err, errBroken) {
				return err
			}
		}
	})
}

// connection returns the connection, and makes one if there is none.
func (e *Engine) connection(ctx context.Context) (*conn, error) {
	for wait := 5 * time.Millisecond; ; wait = min(2*wait, 500*time.Millisecond) {
		c, dialing, mine := e.current()
		switch {
		case c != nil:
			return c, nil
		case mine:
			c, err := e.dial(ctx)
			if err == nil {
				return c, nil
			}
			var refused *refusedError
			if errors.As(err, &refused) {
				return nil, err
			}
			select {
			case <-time.After(wait):
			case <-ctx.Done():
				return nil, fmt.Errorf("remote: connect to the store: %w (%w)", err, context.Cause(ctx))
			}
		default:
			select {
			case <-dialing:
			case <-ctx.Done():
				return nil, fmt.Errorf("remote: connect to the store: %w", context.Cause(ctx))
			}
		}
	}
}

// current returns the connection if it is whole, or else what to wait for; mine
// says that it is the caller's turn to make one.
func (e *Engine) current() (c *conn, dialing chan struct{}, mine bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.conn != nil && !e.conn.broken() {
		return e.conn, nil, false
	}
	if e.dialing != nil {
		return nil, e.dialing, false
	}
	e.dialing = make(chan struct{})
	return nil, nil, true
}

// dial makes the connection.
func (e *Engine) dial(ctx context.Context) (*conn, error) {
	c, err := e.newConn(ctx)
	e.mu.Lock()
	defer e.mu.Unlock()
	close(e.dialing)
	e.dialing = nil
	if err == nil {
		e.conn = c
	}
	return c, err
}
