package workflow

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/codec"
)

// message is an asynchronous invocation that is on its way.
type message struct {
	method   string
	args     []byte
	from     string // the workflow and step that sent it, if one did
	at       time.Time
	failures int
	reason   string // of the last failure
}

var messageCodec = codec.Type[message]{Encode: encodeMessage, Decode: decodeMessage}

func encodeMessage(e *codec.Encoder, v *message) {
	s := e.Struct(6)
	s.Field("At")
	encodeInstant(e, &v.at)
	s.Field("Args")
	codec.EncodeBytes(e, &v.args)
	s.Field("From")
	codec.EncodeString(e, &v.from)
	s.Field("Method")
	codec.EncodeString(e, &v.method)
	s.Field("Reason")
	codec.EncodeString(e, &v.reason)
	s.Field("Failures")
	codec.EncodeInt(e, &v.failures)
	s.End()
}

func decodeMessage(d *codec.Decoder, v *message) {
	for s := d.Struct(6); s.Next(); {
		switch string(s.Name) {
		case "At":
			decodeInstant(d, &v.at)
		case "Args":
			codec.DecodeBytes(d, &v.args)
		case "From":
			codec.DecodeString(d, &v.from)
		case "Method":
			codec.DecodeString(d, &v.method)
		case "Reason":
			codec.DecodeString(d, &v.reason)
		case "Failures":
			codec.DecodeInt(d, &v.failures)
		default:
			s.Unknown()
		}
	}
}

// Go invokes a method asynchronously: it runs once, some time after the next commit
// of the workflow.
func Go[A, R any](ctx context.Context, run *Run, target *Target[A, R], args A) {
	raw := encode(run, "arguments of "+target.Name, target.Args, &args)
	s, rec := run.begin(messageStep, target.Name, hashBytes(raw))
	if rec == nil {
		rec = s.record(run.exec.engine.now())
		m := message{method: target.Name, args: raw, from: run.exec.childID(s.path), at: rec.at}
		run.exec.ride(func(c *carrier) {
			c.setRecord(s.path, rec)
			post(c.Tx, &m)
		})
	}
	run.seen(rec.at)
}

// GoWorkflow starts a workflow that nobody waits for.
func GoWorkflow[A, R any](ctx context.Context, run *Run, d *Definition[A, R], args A) {
	raw := encode(run, "arguments of "+d.Name, d.Args, &args)
	s, rec := run.begin(messageStep, d.Name, hashBytes(raw))
	if rec == nil {
		rec = s.record(run.exec.engine.now())
		h := head{method: d.Name, args: raw, code: d.Code, start: rec.at}
		run.exec.ride(func(c *carrier) {
			c.setRecord(s.path, rec)
			startIn(c.Tx, c.keys, c.x.childID(s.path), &h)
		})
	}
	run.seen(rec.at)
}

// GoTx invokes a method asynchronously: it runs once, some time after the commit of tx.
func GoTx[A, R any](tx *atomic.Tx, target *Target[A, R], args A) {
	post(tx, &message{method: target.Name, args: encodeTx(tx, target.Name, target.Args, &args), at: tx.Now()})
}

// GoWorkflowTx starts a workflow with the commit of tx.
func GoWorkflowTx[A, R any](tx *atomic.Tx, d *Definition[A, R], args A) {
	now := tx.Now()
	h := head{method: d.Name, args: encodeTx(tx, d.Name, d.Args, &args), code: d.Code, start: now}
	startIn(tx, keys{tx.Prefix()}, newID(tx.Rand, now), &h)
}

func encodeTx[A any](tx *atomic.Tx, name string, t codec.Type[A], args *A) []byte {
	raw, err := t.Append(nil, args)
	if err != nil {
		tx.Fail(fmt.Errorf("arguments of %s: %w", name, err))
	}
	return raw
}

// post adds a message to what tx commits.
func post(tx *atomic.Tx, m *message) {
	shard := int(tx.Rand(shards))
	tx.SetStamped(keys{tx.Prefix()}.out(shard), mustAppend(messageCodec, m))
	tellOut(tx, shard)
}

// newID mints a UUIDv7 of a source of random numbers.
func newID(rand func(n int64) int64, now time.Time) string {
	var id atomic.ID
	binary.BigEndian.PutUint64(id[:8], uint64(now.UnixMilli())<<16|7<<12|uint64(rand(1<<12)))
	binary.BigEndian.PutUint64(id[8:], 1<<63|uint64(rand(1<<62)))
	return id.String()
}

// delivery is the journal of a message: the row that holds it is what is left to do, and
// goes with the commit of the method.
type delivery struct {
	key []byte
	err error // that the method returned
}

// errDelivered says that a message was delivered before.
var errDelivered = errors.New("the message was delivered before")

// Begin implements [atomic.Journal].
func (d *delivery) Begin(tx *atomic.Tx) (*atomic.Reply, error) {
	if _, ok := tx.Get(d.key); !ok {
		return nil, errDelivered
	}
	return nil, nil
}

// Record implements [atomic.Journal].
func (d *delivery) Record(tx *atomic.Tx, reply *atomic.Reply) {
	tx.Clear(d.key)
	d.err = reply.Err
}

// deliver delivers the message in a row, wherever the row is.
func (e *Engine) deliver(key, value []byte) error {
	m, err := parse(messageCodec, key, value)
	if err != nil {
		return err
	}
	if !e.opts.Hosts(m.method) {
		return errElsewhere
	}
	d := &delivery{key: key}
	method, known := e.receivers[m.method]
	if !known {
		err = misuse("the program has no method " + m.method)
	} else {
		req := atomic.Request{Method: m.method, MethodHash: hashString(m.method), Journal: d}
		_, err = e.runner.Run(e.ctx, req, func(ctx context.Context, tx *atomic.Tx) ([]byte, error) {
			return method.receive(ctx, tx, m.args)
		})
	}
	switch {
	case errors.Is(err, errDelivered):
		return nil
	case err != nil && e.ctx.Err() != nil:
		return ErrClosed
	case err != nil:
		return e.undelivered(key, m, err)
	case d.err != nil:
		e.opts.Log.Warn("message ended in an error", "method", m.method, "from", m.from, "sent", m.at, "error", d.err)
	}
	return nil
}

// undelivered moves a message whose method failed to where it is tried again, or to the dead letters.
func (e *Engine) undelivered(key []byte, m *message, cause error) error {
	m.reason = cause.Error()
	if blameable(cause) {
		m.failures++
	}
	parked := m.failures >= e.opts.MaxFailures
	e.opts.Log.Error("message failed", "method", m.method, "from", m.from, "failures", m.failures, "parked", parked, "error", cause, "stack", stackOf(cause))
	id, now := e.NewID(), e.now()
	return e.update(e.ctx, "postpone message to "+m.method, func(tx *atomic.Tx) error {
		if _, ok := tx.Get(key); !ok {
			return nil
		}
		tx.Clear(key)
		if parked {
			at, _ := timeOf(id)
			tx.Set(e.keys.dead(at, id, dueMessage), mustAppend(messageCodec, m))
			return nil
		}
		addDue(tx, e.keys, now.Add(e.backoff(m.failures)), id, dueMessage, mustAppend(messageCodec, m))
		return nil
	})
}
