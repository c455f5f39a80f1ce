package workflow

import (
	"cmp"
	"context"
	"errors"

	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/store"
)

// commit is one commit of an execution, and its journal: it checks that the execution
// still is the one to commit, and adds the claim if it has none yet, the riders, and what
// the commit is for.
type commit struct {
	x        *execution
	ctx      context.Context // the execution's if nil
	what     string          // for errors
	claiming bool
	riders   []rider
	status   Status                      // the workflow's after the commit
	step     *step                       // to be recorded, nil if there is none
	check    func(c *carrier) error      // more to read in every attempt
	add      func(c *carrier, st *state) // more to write; st is written if the status is not Running

	tries int
	cur   *state  // as read in this attempt
	rec   *record // of the step
}

// carrier is a commit on its way.
type carrier struct {
	*atomic.Tx
	keys
	x *execution
}

func (c *carrier) setRecord(p path, rec *record) {
	c.Set(c.step(c.x.id, p), mustAppend(recordCodec, rec))
}

func (x *execution) carrier(tx *atomic.Tx) *carrier {
	return &carrier{Tx: tx, keys: x.engine.keys, x: x}
}

// commit commits c together with what fn does.
func (x *execution) commit(c *commit, fn atomic.Func) error {
	c.x = x
	c.status = cmp.Or(c.status, Running)
	if c.ctx == nil {
		c.ctx = x.ctx
	}
	x.gate.enter(false)
	if x.claimed && len(x.waiting()) == 0 {
		defer x.gate.leave(false)
		return x.send(c, fn)
	}
	x.gate.leave(false)

	x.gate.enter(true)
	defer x.gate.leave(true)
	c.claiming, c.riders = !x.claimed, x.waiting()
	if err := x.send(c, fn); err != nil {
		return err
	}
	x.mu.Lock()
	x.riders = x.riders[len(c.riders):]
	x.mu.Unlock()
	if c.claiming {
		if x.fresh {
			x.engine.wake(x.id) // who waits for it to be stored
		}
		x.claimed, x.fresh = true, false
		x.state.epoch++
	}
	if c.claiming && c.status == Running {
		x.startRenewal()
	}
	return nil
}

// waiting returns the riders so far.
func (x *execution) waiting() []rider {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.riders[:len(x.riders):len(x.riders)]
}

// send makes the request.
func (x *execution) send(c *commit, fn atomic.Func) error {
	if fn == nil {
		fn = func(context.Context, *atomic.Tx) ([]byte, error) { return nil, nil }
	}
	req := atomic.Request{Method: c.what, MethodHash: hashString(c.what), Journal: c}
	_, err := x.engine.runner.Run(c.ctx, req, fn)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errFenced), errors.Is(err, errExists), errors.Is(err, errWoken):
		return err
	case c.ctx.Err() != nil:
		return ErrClosed
	}
	return err
}

// Begin implements [atomic.Journal].
func (c *commit) Begin(tx *atomic.Tx) (*atomic.Reply, error) {
	x := c.x
	c.tries++
	t := x.carrier(tx)
	st, err := readState(t.Tx, t.keys, x.id)
	if err != nil {
		return nil, err
	}
	landed, err := c.fence(t, st)
	if err != nil {
		return nil, err
	}
	if landed {
		return &atomic.Reply{}, nil
	}
	c.cur = st
	if c.check != nil {
		return nil, c.check(t)
	}
	return nil, nil
}

// fence reports whether the commit has landed already, in an attempt whose result
// was unknown, or an error if it must not happen.
func (c *commit) fence(t *carrier, st *state) (landed bool, err error) {
	x := c.x
	mine := st != nil && st.owner == x.owner && st.epoch == x.epoch(c)
	switch {
	case mine && st.status == c.status && (c.claiming || c.status != Running):
		return true, c.reread(t)
	case c.claiming && x.fresh && st != nil:
		return false, errExists
	case c.claiming && x.fresh:
		return false, nil
	case c.claiming && st != nil && st.epoch == x.state.epoch && st.status == x.state.status:
		return false, nil
	case !c.claiming && mine && st.status == Running:
		return c.recorded(t)
	}
	return false, errFenced
}

// epoch returns the epoch that the state has after c.
func (x *execution) epoch(c *commit) uint64 {
	if c.claiming {
		return x.state.epoch + 1
	}
	return x.state.epoch
}

// reread reads the record that a commit wrote that has landed.
func (c *commit) reread(t *carrier) error {
	if c.step == nil {
		return nil
	}
	landed, err := c.recorded(t)
	if err == nil && !landed {
		err = errors.New("workflow: a commit landed without its step")
	}
	return err
}

// recorded looks the step up, in case an earlier attempt of this commit has landed.
// The first attempt only makes sure that nothing lands beside it.
func (c *commit) recorded(t *carrier) (bool, error) {
	if c.step == nil {
		return false, nil
	}
	key := t.keys.step(c.x.id, c.step.path)
	if c.tries == 1 {
		t.Observe(store.Point(key))
		return false, nil
	}
	value, ok := t.Get(key)
	if !ok {
		return false, nil
	}
	rec, err := parse(recordCodec, key, value)
	c.rec = rec
	return err == nil, err
}

// Record implements [atomic.Journal].
func (c *commit) Record(tx *atomic.Tx, reply *atomic.Reply) {
	x := c.x
	t := x.carrier(tx)
	now := x.engine.now()
	if c.step != nil {
		rec := c.step.record(now)
		f, err := x.engine.errors.save(reply.Err)
		if err != nil {
			tx.Fail(err)
		}
		rec.value, rec.err = reply.Body, f
		c.rec = rec
		t.setRecord(c.step.path, rec)
	}
	for _, r := range c.riders {
		r(t)
	}
	st := x.next(c, c.cur)
	st.changed = now
	if c.claiming && x.fresh {
		t.Set(t.head(x.id), mustAppend(headCodec, &x.head))
		t.Set(t.index(x.head.start, x.id), []byte(x.head.method))
	}
	if c.add != nil {
		c.add(t, st)
	}
	if c.claiming && c.status == Running {
		x.until.Store(now.Add(x.engine.opts.LeaseTime).UnixNano())
		t.schedule(x.id, now.Add(x.engine.opts.LeaseTime), dueWake)
	}
	if c.claiming || c.status != Running {
		writeState(t.Tx, t.keys, x.id, st)
	}
}

// next returns the state after c; cur is the one before, nil if there is none.
func (x *execution) next(c *commit, cur *state) *state {
	st := state{}
	if cur != nil {
		st = *cur
	}
	st.status, st.owner, st.epoch = c.status, x.owner, x.epoch(c)
	st.awaits = nil
	return &st
}
