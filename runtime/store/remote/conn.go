package remote

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/wire"
)

// errBroken is what operations end in whose connection broke before the reply came.
var errBroken = errors.New("remote: the connection to the store broke")

// refusedError is the answer of a server that does not want the client.
type refusedError struct{ reason string }

func (e *refusedError) Error() string { return "remote: the store refuses the connection: " + e.reason }

// conn is one connection to a server.
type conn struct {
	net.Conn
	engine *Engine
	out    *outbox
	ended  chan struct{} // closed when nobody reads any more

	mu    sync.Mutex
	calls map[uint64]*call // that wait for a reply
	last  uint64           // number of an operation
	err   error            // why it broke
}

// call is an operation that waits for its reply.
type call struct {
	applied func() // of a commit
	done    chan reply
}

// reply is what came back; results are the results or the failure.
type reply struct {
	status  byte
	results wire.Reader
	err     error // the connection broke
}

// newConn connects and shows the key.
func (e *Engine) newConn(ctx context.Context) (*conn, error) {
	nc, err := e.opts.Dial(ctx)
	if err != nil {
		return nil, err
	}
	c := &conn{Conn: nc, engine: e, out: newOutbox(nc), calls: map[uint64]*call{}, ended: make(chan struct{})}
	in := bufio.NewReaderSize(nc, 64<<10)
	stop := context.AfterFunc(ctx, func() { nc.SetDeadline(time.Unix(1, 0)) })
	err = c.greet(in)
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		nc.Close()
		return nil, err
	}
	go c.receive(in)
	return c, nil
}

func (c *conn) greet(in *bufio.Reader) error {
	hello := func(b []byte) []byte { return append(append(b, greeting...), c.engine.opts.Key()...) }
	if err := c.out.send(hello); err != nil {
		return err
	}
	answer, err := readFrame(in, nil, maxGreeting)
	if err != nil {
		return fmt.Errorf("the store hung up: %w", err)
	}
	if string(answer) != greeting {
		return &refusedError{fmt.Sprintf("%q", answer)}
	}
	return nil
}

// receive hands out replies until the connection breaks.
func (c *conn) receive(in *bufio.Reader) {
	defer close(c.ended)
	for {
		frame, err := readFrame(in, nil, maxFrame)
		if err != nil {
			c.breakOff(fmt.Errorf("%w: %w", errBroken, err))
			return
		}
		r := wire.NewReader(frame)
		n, status, durable := r.Uint(), r.Byte(), r.Uint()
		if !r.OK() {
			c.breakOff(fmt.Errorf("%w: %w", errBroken, errFrame))
			return
		}
		c.engine.settled(durable)
		c.deliver(n, reply{status: status, results: r})
	}
}

// settled notes that everything up to a version is on the server's disk.
func (e *Engine) settled(v uint64) {
	for old := e.durable.Load(); v > old && !e.durable.CompareAndSwap(old, v); old = e.durable.Load() {
	}
}

func (c *conn) deliver(n uint64, r reply) {
	c.mu.Lock()
	defer c.mu.Unlock()
	waiting := c.calls[n]
	switch {
	case waiting == nil: // given up
	case r.status == statusApplied:
		if waiting.applied != nil {
			waiting.applied()
			waiting.applied = nil
		}
	default:
		delete(c.calls, n)
		waiting.done <- r
	}
}

// breakOff ends the connection because of err, and everything that waits for it.
func (c *conn) breakOff(err error) {
	c.Conn.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
	}
	for n, waiting := range c.calls {
		delete(c.calls, n)
		waiting.done <- reply{err: c.err}
	}
}

func (c *conn) broken() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err != nil
}

// begin makes waiting the call with the number that it returns.
func (c *conn) begin(waiting *call) (n uint64, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return 0, c.err
	}
	c.last++
	c.calls[c.last] = waiting
	return c.last, nil
}

// giveUp stops waiting for call n and reports whether no reply has come.
func (c *conn) giveUp(n uint64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, waits := c.calls[n]
	delete(c.calls, n)
	return waits
}

// ask makes one operation on c. frame appends its operands, parse reads its results.
func (e *Engine) ask(ctx context.Context, c *conn, op byte, applied func(), frame func([]byte) []byte, parse func(*wire.Reader)) error {
	waiting := e.calls.Get().(*call)
	waiting.applied = applied
	n, err := c.begin(waiting)
	if err != nil {
		return fmt.Errorf("%w: %w", errBroken, err)
	}
	err = c.out.send(func(b []byte) []byte {
		b = append(wire.AppendUint(b, n), op)
		if frame != nil {
			b = frame(b)
		}
		return b
	})
	if err != nil {
		c.breakOff(fmt.Errorf("%w: %w", errBroken, err))
	}
	r, err := e.await(ctx, c, n, op, waiting)
	if err != nil {
		return err
	}
	waiting.applied = nil
	e.calls.Put(waiting)
	return r.read(ctx, parse)
}

// await waits for the reply to call n. A commit whose caller gives up is given a
// moment to say what became of it.
func (e *Engine) await(ctx context.Context, c *conn, n uint64, op byte, waiting *call) (reply, error) {
	const moment = 200 * time.Millisecond
	select {
	case r := <-waiting.done:
		return r, r.err
	case <-ctx.Done():
	}
	cancel := func(b []byte) []byte { return append(wire.AppendUint(b, n), opCancel) }
	if err := c.out.send(cancel); err != nil {
		c.breakOff(fmt.Errorf("%w: %w", errBroken, err))
	}
	if op == opCommit {
		select {
		case r := <-waiting.done:
			return r, r.err
		case <-time.After(moment):
		}
	}
	if !c.giveUp(n) {
		r := <-waiting.done
		return r, r.err
	}
	err := context.Cause(ctx)
	if op == opCommit {
		err = fmt.Errorf("%w: %w", store.ErrUnknown, err)
	}
	return reply{}, err
}

// read returns the results of a reply, or its failure.
func (r *reply) read(ctx context.Context, parse func(*wire.Reader)) error {
	if r.status == statusOK {
		parse(&r.results)
		return end(&r.results)
	}
	err := failureOf(&r.results, r.status)
	if r.status == statusCanceled && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
