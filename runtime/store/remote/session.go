package remote

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/wire"
)

// session is one connection of a client, as the server sees it.
type session struct {
	*Server
	ctx   context.Context // ends with the connection
	in    *bufio.Reader
	out   *outbox
	slots chan struct{} // of operations that run beside each other
	wake  chan struct{} // has a token if frames wait that nobody sends
	held  map[store.Version]int

	mu      sync.Mutex
	cancels map[uint64]context.CancelFunc // of the operations that run
	running sync.WaitGroup
}

// serve answers a client until its connection ends.
func (s *Server) serve(conn net.Conn) {
	defer s.drop(conn)
	ctx, cancel := context.WithCancel(context.Background())
	c := &session{
		Server: s, ctx: ctx, in: bufio.NewReaderSize(conn, 64<<10), out: newOutbox(conn),
		slots: make(chan struct{}, s.opts.InFlight), wake: make(chan struct{}, 1),
		held: map[store.Version]int{}, cancels: map[uint64]context.CancelFunc{},
	}
	if err := c.greet(conn); err != nil {
		cancel()
		if !errors.Is(err, io.EOF) { // somebody who only looks whether the server is there
			s.opts.Log.Warn("a client of the store was refused", "address", conn.RemoteAddr().String(), "error", err)
		}
		return
	}
	c.running.Go(c.sendWoken)
	for c.next() == nil {
	}
	cancel()
	c.running.Wait()
	for v, n := range c.held {
		for range n {
			s.engine.Release(v)
		}
	}
}

func (c *session) greet(conn net.Conn) error {
	const patience = 5 * time.Second
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	frame, err := readFrame(c.in, nil, maxGreeting)
	if err != nil {
		return err
	}
	key, ok := strings.CutPrefix(string(frame), greeting)
	switch {
	case !ok:
		err = fmt.Errorf("not a client of this version of the store: want %q first", greeting)
	case !c.opts.Accept(key):
		err = fmt.Errorf("its key is none of those that are accepted")
	}
	if err != nil {
		_ = c.out.send(func(b []byte) []byte { return append(b, err.Error()...) }) // it is gone anyway
		return err
	}
	_ = conn.SetReadDeadline(time.Time{})
	return c.out.send(func(b []byte) []byte { return append(b, greeting...) })
}

// sendWoken sends frames that were added by somebody who must not wait.
func (c *session) sendWoken() {
	for {
		select {
		case <-c.wake:
			_ = c.out.flush() // whoever reads finds the connection broken
		case <-c.ctx.Done():
			return
		}
	}
}

// next answers one frame, or begins to. Replies leave when no further frame has arrived.
func (c *session) next() error {
	frame, err := readFrame(c.in, nil, maxFrame)
	if err != nil {
		return err
	}
	r := wire.NewReader(frame)
	n, op := r.Uint(), r.Byte()
	switch op {
	case opReadVersion, opGet:
		if err := c.atOnce(n, op, &r); err != nil {
			return err
		}
	case opRelease:
		c.release(versionOf(&r))
	case opCancel:
		c.cancel(n)
	case opRange, opCommit, opSettle:
		if err := c.beside(n, op, &r); err != nil {
			return err
		}
	default:
		return errFrame
	}
	if !r.OK() {
		return errFrame
	}
	if c.in.Buffered() == 0 || c.out.full() {
		return c.out.flush()
	}
	return nil
}

// atOnce answers an operation that takes microseconds.
func (c *session) atOnce(n uint64, op byte, r *wire.Reader) error {
	if op == opReadVersion {
		return c.open(n, r)
	}
	v, key := versionOf(r), r.Bytes()
	if err := end(r); err != nil {
		return err
	}
	value, ok, err := c.engine.Get(c.ctx, v, key)
	c.reply(n, err, func(b []byte) []byte { return appendFound(b, store.Found{Value: value, OK: ok, Read: true}) })
	return nil
}

// open takes a version and reads keys at it, as long as that makes no long reply.
func (c *session) open(n uint64, r *wire.Reader) error {
	keys := make([][]byte, r.Count(1))
	for i := range keys {
		keys[i] = r.Bytes()
	}
	if err := end(r); err != nil {
		return err
	}
	v, err := c.engine.ReadVersion(c.ctx)
	if err == nil {
		c.held[v]++
		c.probe(v)
	}
	found := make([]store.Found, len(keys))
	for i, size := 0, 0; err == nil && i < len(keys) && size < pageBytes; i++ {
		value, ok, getErr := c.engine.Get(c.ctx, v, keys[i])
		found[i] = store.Found{Value: value, OK: ok, Read: getErr == nil}
		size += len(value)
	}
	c.reply(n, err, func(b []byte) []byte {
		b = wire.AppendUint(b, uint64(v))
		for i := range found {
			b = appendFound(b, found[i])
		}
		return b
	})
	return nil
}

// reply adds a reply.
func (c *session) reply(n uint64, err error, results func(b []byte) []byte) {
	c.out.add(func(b []byte) []byte { return c.appendReply(b, n, err, results) })
}

func (c *session) appendReply(b []byte, n uint64, err error, results func(b []byte) []byte) []byte {
	b = append(wire.AppendUint(b, n), statusOf(err))
	b = wire.AppendUint(b, c.durable.Load())
	if err != nil {
		return appendError(b, err)
	}
	return results(b)
}

// release gives back a version that the client holds.
func (c *session) release(v store.Version) {
	if c.held[v] == 0 {
		return
	}
	if c.held[v]--; c.held[v] == 0 {
		delete(c.held, v)
	}
	c.engine.Release(v)
}

// beside runs an operation that takes its time, and sends the reply when it is there.
func (c *session) beside(n uint64, op byte, r *wire.Reader) error {
	run, err := c.operation(n, op, r)
	if err != nil {
		return err
	}
	select {
	case c.slots <- struct{}{}:
	default:
		if err := c.out.flush(); err != nil { // replies must not wait for a slot
			return err
		}
		c.slots <- struct{}{}
	}
	ctx, cancel := context.WithCancel(c.ctx)
	c.mu.Lock()
	c.cancels[n] = cancel
	c.mu.Unlock()
	c.running.Go(func() {
		results, err := run(ctx)
		c.cancel(n)
		<-c.slots
		_ = c.out.send(func(b []byte) []byte { return c.appendReply(b, n, err, results) }) // whoever reads finds it broken
	})
	return nil
}

// cancel gives up an operation, if it still runs.
func (c *session) cancel(n uint64) {
	c.mu.Lock()
	cancel := c.cancels[n]
	delete(c.cancels, n)
	c.mu.Unlock()
	if cancel != nil {
		cancel()
	}
}

// results appends the results of an operation to a reply.
type results func(b []byte) []byte

// operation reads the operands of an operation and returns what runs it.
func (c *session) operation(n uint64, op byte, r *wire.Reader) (func(ctx context.Context) (results, error), error) {
	switch op {
	case opSettle:
		v := versionOf(r)
		return func(ctx context.Context) (results, error) {
			return func(b []byte) []byte { return b }, c.settle(ctx, v)
		}, end(r)
	case opRange:
		v, flags, limit := versionOf(r), r.Byte(), int(min(r.Uint(), 1<<31))
		keys := r.Range()
		return func(ctx context.Context) (results, error) {
			return c.page(ctx, v, keys, store.RangeOptions{Limit: limit, Reverse: flags&flagReverse != 0})
		}, end(r)
	}
	commit, applied := commitOf(r)
	if applied {
		commit.Applied = func() { c.applied(n) }
	}
	return func(ctx context.Context) (results, error) { return c.commit(ctx, commit) }, end(r)
}

// applied tells the client that new versions include commit n. It must not wait.
func (c *session) applied(n uint64) {
	c.out.add(func(b []byte) []byte {
		return wire.AppendUint(append(wire.AppendUint(b, n), statusApplied), c.durable.Load())
	})
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *session) commit(ctx context.Context, commit *store.Commit) (results, error) {
	v, err := c.engine.Commit(ctx, commit)
	if err != nil {
		return nil, err
	}
	if len(commit.Ops) > 0 {
		c.probe(v)
	}
	return func(b []byte) []byte { return wire.AppendUint(b, uint64(v)) }, nil
}

const (
	pageKeys  = 256     // read at a time
	pageBytes = 1 << 20 // from which on a reply has enough
)

// page reads a range up to where a reply is large enough.
func (c *session) page(ctx context.Context, v store.Version, keys store.Range, opts store.RangeOptions) (results, error) {
	var all []store.KV
	flags, size := byte(0), 0
	for {
		limit := pageKeys
		if opts.Limit > 0 {
			limit = min(limit, opts.Limit-len(all))
		}
		kvs, more, err := c.engine.Range(ctx, v, keys, store.RangeOptions{Limit: limit, Reverse: opts.Reverse})
		if err != nil {
			return nil, err
		}
		all = append(all, kvs...)
		for _, kv := range kvs {
			size += len(kv.Key) + len(kv.Value)
		}
		switch done := opts.Limit > 0 && len(all) == opts.Limit; {
		case done && more:
			flags = flagMore
		case !done && more && size >= pageBytes:
			flags = flagMore | flagCut
		case !done && more:
			keys = after(keys, kvs[len(kvs)-1].Key, opts.Reverse)
			continue
		}
		return func(b []byte) []byte { return appendPairs(append(b, flags), all) }, nil
	}
}

// after returns the part of a range that is read after its key last.
func after(keys store.Range, last []byte, reverse bool) store.Range {
	if reverse {
		return store.Range{Begin: keys.Begin, End: last}
	}
	return store.Range{Begin: append(bytes.Clone(last), 0), End: keys.End}
}
