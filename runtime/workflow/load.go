package workflow

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/tuple"
)

// errNothing says that there is nothing to execute.
var errNothing = errors.New("nothing to execute")

// page is how many rows one range read asks for.
const page = 1000

// stored is everything that is stored of one workflow.
type stored struct {
	head     *head
	state    *state
	lease    lease
	log      map[string]*entry
	versions map[string]bool
	inbox    []*sent
	result   *parcel
}

// readFlow reads a workflow; the result is nil if there is none. Nothing read is a conflict.
func readFlow(tx *atomic.Tx, k keys, id string) (*stored, error) {
	prefix := k.flow(id)
	s := &stored{log: map[string]*entry{}, versions: map[string]bool{}}
	for r := tuple.Range(prefix); ; {
		kvs, more := tx.SnapshotRange(r, store.RangeOptions{Limit: page})
		for _, kv := range kvs {
			if err := s.add(kv.Key, kv.Key[len(prefix):], kv.Value); err != nil {
				return nil, fmt.Errorf("workflow %s: %w", id, err)
			}
		}
		if !more {
			break
		}
		r.Begin = store.Point(kvs[len(kvs)-1].Key).End
	}
	if s.head == nil || s.state == nil {
		return nil, nil
	}
	return s, nil
}

// add takes one row of a workflow; rest is what follows the workflow's prefix in key.
func (s *stored) add(key, rest, value []byte) error {
	part, rest, err := tuple.DecodeString(rest)
	if err != nil {
		return err
	}
	switch part {
	case "head":
		s.head, err = parse(headCodec, key, value)
	case "state":
		s.state, err = parse(stateCodec, key, value)
	case "lease":
		var l *lease
		if l, err = parse(leaseCodec, key, value); err == nil {
			s.lease = *l
		}
	case "result":
		s.result, err = parse(parcelCodec, key, value)
	case "step":
		e := &entry{}
		if e.path, err = parsePath(rest); err != nil {
			return err
		}
		e.record, err = parse(recordCodec, key, value)
		s.log[e.path.String()] = e
	case "ver":
		var change string
		change, _, err = tuple.DecodeString(rest)
		s.versions[change] = len(value) > 0 && value[0] != 0
	case "in":
		p := &sent{key: key}
		if p.name, _, err = tuple.DecodeString(rest); err != nil {
			return err
		}
		var v *parcel
		if v, err = parse(parcelCodec, key, value); err == nil {
			p.parcel = *v
		}
		s.inbox = append(s.inbox, p)
	}
	return err
}

// load prepares an execution of a workflow that is due. A workflow that was left in
// order is claimed by the first commit of the execution; force, a lease that ran
// out, a failure or a long delay has it claimed at once, so that an execution that takes the
// process down is counted.
func (e *Engine) load(ctx context.Context, row dueRow, force bool) (*execution, error) {
	x := e.newExecution(row.id)
	s, err := e.read(ctx, row.id)
	if err != nil {
		return nil, err
	}
	if s == nil || s.state.status.Final() || s.state.status == Parked {
		return nil, errNothing
	}
	if !e.opts.Hosts(s.head.method) {
		return nil, errElsewhere
	}
	if e.workflows[s.head.method] == nil {
		return nil, fmt.Errorf("%w: %s", ErrNoMethod, s.head.method)
	}
	late := e.now().Sub(row.at) > e.opts.LeaseTime
	if s.state.status == Running || s.state.failures > 0 || late || force {
		if err := e.claim(ctx, x, s.state, row, force); err != nil {
			return nil, err
		}
		if s, err = e.read(ctx, row.id); err != nil {
			return nil, err
		}
		if s == nil || s.state.owner != x.owner {
			return nil, errNothing
		}
		x.claimed = true
	}
	x.use(s)
	return x, nil
}

// reload prepares the next execution by the same owner, for something new was sent.
func (e *Engine) reload(ctx context.Context, old *execution) (*execution, error) {
	x := e.newExecution(old.id)
	x.owner, x.claimed = old.owner, old.claimed
	s, err := e.read(ctx, old.id)
	if err != nil {
		return nil, err
	}
	if s == nil || s.state.status.Final() {
		return nil, errNothing
	}
	x.use(s)
	return x, nil
}

func (e *Engine) read(ctx context.Context, id string) (s *stored, err error) {
	err = e.runner.Read(ctx, func(_ context.Context, tx *atomic.Tx) error {
		var err error
		s, err = readFlow(tx, e.keys, id)
		return err
	})
	return s, err
}

func (e *Engine) newExecution(id string) *execution {
	return &execution{engine: e, id: id, owner: e.newOwner()}
}

// use makes x an execution of what is stored, whose method is known.
func (x *execution) use(s *stored) {
	x.method, x.head, x.state = x.engine.workflows[s.head.method], *s.head, *s.state
	x.log, x.unseen, x.versions, x.inbox = s.log, len(s.log), s.versions, s.inbox
}

// claim makes x the owner of a workflow whose state was was and that row says is due.
func (e *Engine) claim(ctx context.Context, x *execution, was *state, row dueRow, force bool) error {
	return e.update(ctx, "claim "+x.id, func(tx *atomic.Tx) error {
		st, err := readState(tx, e.keys, x.id)
		if err != nil {
			return err
		}
		if st != nil && st.owner == x.owner {
			return nil
		}
		l := readLease(tx, e.keys, x.id)
		if st == nil || st.epoch != was.epoch || st.status != was.status || !force && !l.due.Equal(row.at) {
			return errNothing
		}
		if st.status == Running {
			e.countFailure(tx, x.id, st, "its lease ran out: the process that ran it is gone")
		}
		st.changed = e.now()
		if st.failures > e.opts.MaxFailures {
			parkIn(tx, e.keys, x.id, st)
			writeState(tx, e.keys, x.id, st)
			return nil
		}
		st.status, st.owner, st.awaits = Running, x.owner, nil
		st.epoch++
		until := e.now().Add(e.opts.LeaseTime)
		x.until.Store(until.UnixNano())
		moveDue(tx, e.keys, x.id, until, dueWake)
		writeState(tx, e.keys, x.id, st)
		return nil
	})
}

// countFailure adds a failure to st, the first one if the workflow got on since the last.
func (e *Engine) countFailure(tx *atomic.Tx, id string, st *state, reason string) {
	steps := countSteps(tx, e.keys, id)
	if steps > st.steps {
		st.failures = 0
	}
	st.failures, st.steps, st.reason = st.failures+1, steps, reason
}

func countSteps(tx *atomic.Tx, k keys, id string) (n int) {
	for r := tuple.Range(k.part(id, "step")); ; {
		kvs, more := tx.SnapshotRange(r, store.RangeOptions{Limit: page})
		n += len(kvs)
		if !more {
			return n
		}
		r.Begin = store.Point(kvs[len(kvs)-1].Key).End
	}
}

// parkIn makes st that of a dead letter.
func parkIn(tx *atomic.Tx, k keys, id string, st *state) {
	st.status = Parked
	moveDue(tx, k, id, time.Time{}, 0)
	tx.Set(k.dead(st.changed, id, dueWake), nil)
}
