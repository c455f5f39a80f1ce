package workflow

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/tuple"
)

// Loop watches the due index and the messages, and sees to what is due, until ctx ends.
// Every process that runs workflows runs it. What it began goes on until [Engine.Close].
func (e *Engine) Loop(ctx context.Context) error {
	l := &loop{Engine: e, slots: make(chan struct{}, e.opts.Workers), busy: map[string]bool{}, held: map[string]time.Time{}, full: fewHeld}
	e.pace.look()
	idle := e.opts.Poll
	for opened := false; ; {
		err := l.open(ctx, &opened)
		if err == nil {
			err = l.sweep(ctx)
		}
		if err != nil && ctx.Err() == nil {
			e.opts.Log.Error("look for workflows that are due", "error", err)
			e.pace.look()
			select {
			case <-time.After(e.opts.Backoff):
			case <-ctx.Done(): // which is seen below
			}
		} else {
			idle = l.wait(ctx, idle)
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}

// loop is what Loop remembers.
type loop struct {
	*Engine
	slots chan struct{} // one for each worker

	mu   sync.Mutex
	busy map[string]bool      // rows that a worker has
	held map[string]time.Time // rows not to be tried again before a time
	full int                  // the number of held rows at which to look for those whose time has come
}

// fewHeld is a number of held rows that it is not worth looking through.
const fewHeld = 1024

// open does what has to be done once: schedules, what dead processes left, what
// stopped because of code that has changed.
func (l *loop) open(ctx context.Context, opened *bool) error {
	if *opened {
		return nil
	}
	if err := l.ensureSchedules(ctx); err != nil {
		return err
	}
	if err := l.resumeStopped(ctx); err != nil {
		return err
	}
	if !l.opts.Shared {
		if err := l.adopt(ctx); err != nil {
			return err
		}
	}
	*opened = true
	return nil
}

// maxIdle is how long the loop trusts what it knows of a store that is its own.
const maxIdle = 24 * time.Hour

// wait waits until there is something to do, and returns how long it may wait the
// next time without looking. A store of its own is looked at ever more seldom: it
// only is a precaution.
func (l *loop) wait(ctx context.Context, idle time.Duration) time.Duration {
	now := l.now()
	d := l.pace.first().Sub(now)
	blind := d > idle
	t := time.NewTimer(max(min(d, idle), 0))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return idle
	case <-l.pace.wake:
		return idle
	case <-t.C:
	}
	if !blind {
		return idle
	}
	l.pace.look()
	if l.opts.Shared {
		return idle
	}
	return min(2*idle, maxIdle)
}

// sweep sees to what is due in the lanes that are ready: a bounded part of each, so
// that no lane holds the others up.
func (l *loop) sweep(ctx context.Context) error {
	now := l.now()
	lanes := l.pace.ready(now)
	if len(lanes) == 0 {
		return nil
	}
	found, err := l.scan(ctx, lanes, now)
	if err != nil {
		return err
	}
	for _, f := range found {
		l.pace.earlier(f.lane, f.next)
	}
	for _, f := range found {
		for _, job := range jobs(f.rows) {
			if err := l.dispatch(ctx, f.lane, job, false); err != nil {
				return err
			}
		}
	}
	return nil
}

// retryScan is how soon a lane is looked at again whose beginning was busy.
const retryScan = 50 * time.Millisecond

// laneRows are rows of a lane that are due and free, and when to look again.
type laneRows struct {
	lane int
	rows []dueRow
	next time.Time
}

func (l *loop) scan(ctx context.Context, lanes []int, now time.Time) (found []laneRows, err error) {
	err = l.runner.Read(ctx, func(_ context.Context, tx *atomic.Tx) error {
		found = nil
		for _, lane := range lanes {
			f, err := l.scanLane(tx, lane, now)
			if err != nil {
				return err
			}
			found = append(found, f)
		}
		return nil
	})
	return found, err
}

func (l *loop) scanLane(tx *atomic.Tx, lane int, now time.Time) (laneRows, error) {
	var rows []dueRow
	limit := store.RangeOptions{Limit: l.opts.Workers + 64}
	if lane >= shards {
		kvs, more := tx.SnapshotRange(tuple.Range(l.keys.outShard(lane-shards)), limit)
		for _, kv := range kvs {
			rows = append(rows, dueRow{key: kv.Key, kind: dueMessage, value: kv.Value, at: now})
		}
		return l.free(lane, rows, more, now), nil
	}
	prefix := l.keys.dueShard(lane)
	kvs, more := tx.SnapshotRange(tuple.Range(prefix), limit)
	for _, kv := range kvs {
		row, err := parseDue(len(prefix), kv.Key, kv.Value)
		if err != nil {
			return laneRows{}, err
		}
		if row.at.After(now) {
			f := l.free(lane, rows, false, now)
			f.next = earliest(f.next, row.at)
			return f, nil
		}
		rows = append(rows, row)
	}
	return l.free(lane, rows, more, now), nil
}

// free returns those of a lane's rows that no worker has and that need not wait; more
// says that there are more rows than these.
func (l *loop) free(lane int, rows []dueRow, more bool, now time.Time) laneRows {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := laneRows{lane: lane, next: never}
	for _, row := range rows {
		until, held := l.held[string(row.key)]
		switch {
		case l.busy[string(row.key)]:
		case held && now.Before(until):
			f.next = earliest(f.next, until)
		default:
			delete(l.held, string(row.key))
			f.rows = append(f.rows, row)
		}
	}
	switch {
	case more && len(f.rows) > 0:
		f.next = now
	case more:
		f.next = earliest(f.next, now.Add(retryScan))
	}
	return f
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// together is how many workflows are removed by one commit.
const together = 32

// jobs returns what workers are to be given: removals together, every other row by itself.
func jobs(rows []dueRow) (list [][]dueRow) {
	var removals []dueRow
	for i, row := range rows {
		if row.kind == dueCollect {
			removals = append(removals, row)
		} else {
			list = append(list, rows[i:i+1])
		}
	}
	return slices.AppendSeq(list, slices.Chunk(removals, together))
}

// dispatch gives a job to a worker, once one is free.
func (l *loop) dispatch(ctx context.Context, lane int, job []dueRow, force bool) error {
	select {
	case l.slots <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	l.setBusy(job, true)
	ok := l.spawn(func() {
		err := l.handle(job, force)
		l.setBusy(job, false)
		if err != nil {
			for _, row := range job {
				l.hold(lane, row, err)
			}
		}
		<-l.slots
	})
	if !ok {
		return ErrClosed
	}
	return nil
}

func (l *loop) setBusy(job []dueRow, busy bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, row := range job {
		if busy {
			l.busy[string(row.key)] = true
		} else {
			delete(l.busy, string(row.key))
		}
	}
}

// hold keeps a row from being tried again at once, after err.
func (l *loop) hold(lane int, row dueRow, err error) {
	delay := l.opts.Backoff
	switch {
	case errors.Is(err, ErrClosed):
		return
	case errors.Is(err, errExists):
		l.afterLeave(row.id)
		return
	case errors.Is(err, errNothing), errors.Is(err, ErrNoMethod), errors.Is(err, errElsewhere):
		delay = l.opts.LeaseTime // it will have gone by then
	default:
		l.opts.Log.Error("workflow or message that is due", "id", row.id, "error", err)
	}
	until := l.now().Add(delay)
	l.mu.Lock()
	l.held[string(row.key)] = until
	if len(l.held) >= l.full {
		l.dropHeld()
	}
	l.mu.Unlock()
	l.pace.earlier(lane, until)
}

// dropHeld forgets the rows that are held no longer; most of them are gone.
func (l *loop) dropHeld() {
	now := l.now()
	maps.DeleteFunc(l.held, func(_ string, until time.Time) bool { return !now.Before(until) })
	l.full = 2*len(l.held) + fewHeld
}

// handle sees to a job.
func (l *loop) handle(job []dueRow, force bool) error {
	switch row := job[0]; row.kind {
	case dueWake:
		return l.wakeUp(row, force)
	case dueCollect:
		return l.collect(l.ctx, job)
	case dueCancel:
		return l.cancelChild(l.ctx, row)
	case dueMessage:
		return l.deliver(row.key, row.value)
	case dueSchedule:
		return l.tick(l.ctx, row)
	default:
		return errNothing
	}
}

// wakeUp executes a workflow that is due.
func (l *loop) wakeUp(row dueRow, force bool) error {
	if l.running(row.id) {
		return errExists
	}
	x, err := l.load(l.ctx, row, force)
	switch {
	case errors.Is(err, ErrNoMethod):
		l.opts.Log.Warn("a workflow of another program is due", "id", row.id, "error", err)
		return l.postpone(l.ctx, row, l.opts.LeaseTime)
	case err != nil:
		return err
	}
	return l.through(x)
}

// adopt executes what another process left that is gone, since the store is this process's own.
func (l *loop) adopt(ctx context.Context) error {
	now := l.now()
	for shard := range shards {
		prefix := l.keys.dueShard(shard)
		for r := tuple.Range(prefix); r.Begin != nil; {
			rows, next, err := l.orphans(ctx, len(prefix), r, now)
			if err != nil {
				return err
			}
			for i := range rows {
				if err := l.dispatch(ctx, shard, rows[i:i+1], true); err != nil {
					return err
				}
			}
			r.Begin = next
		}
	}
	return nil
}

// orphans returns the rows in one page of r whose workflows are said to be running,
// though nobody runs them, and where the next page begins.
func (l *loop) orphans(ctx context.Context, prefixLen int, r store.Range, now time.Time) (rows []dueRow, next []byte, err error) {
	err = l.runner.Read(ctx, func(_ context.Context, tx *atomic.Tx) error {
		rows, next = nil, nil
		kvs, more := tx.SnapshotRange(r, store.RangeOptions{Limit: page})
		for _, kv := range kvs {
			row, err := parseDue(prefixLen, kv.Key, kv.Value)
			if err != nil {
				return err
			}
			if row.at.After(now.Add(l.opts.LeaseTime)) {
				return nil
			}
			if row.kind != dueWake || l.running(row.id) {
				continue
			}
			st, err := readState(tx, l.keys, row.id)
			if err != nil {
				return err
			}
			if st != nil && st.status == Running {
				rows = append(rows, row)
			}
		}
		if more {
			next = store.Point(kvs[len(kvs)-1].Key).End
		}
		return nil
	})
	return rows, next, err
}
