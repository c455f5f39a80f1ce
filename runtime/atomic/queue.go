package atomic

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/onefold/onefold/runtime/store"
)

// queue gives requests that lost a key to others a turn of their own: first come,
// first served for each key. It only decides who tries when; the engine decides
// who is right.
type queue struct {
	rand      func(n int64) int64
	contended atomic.Int32 // lines, to pass by quickly where there are none
	mu        sync.Mutex
	lines     map[string]*line
}

// line is those who wait for one key. Whoever has the turn is not in it. A line that
// nobody has the turn of is kept for a moment: those who come back for a hot key, often
// many at a time, then take turns at once, rather than lose to each other first.
type line struct {
	waiting []waiter
	held    bool // somebody has the turn
	shared  bool // somebody has waited since it was last taken without
	foreign bool // other processes want the key too: whoever has the turn makes a claim
	cooling *time.Timer
}

// cooling is how long a line is kept that nobody waits in.
const cooling = 20 * time.Millisecond

// waiter gets an invitation to the batch of whoever has the turn, or, when the
// channel is closed, the turn.
type waiter struct {
	turn  chan *invitation // with room for one
	alone bool             // it wants the turn only
}

// ticket is the turns that a request has.
type ticket struct {
	queue *queue
	mu    sync.Mutex // they may be passed on while the request waits for the disk
	keys  []string   // sorted
}

// maxTurns is how many keys a request queues for at a time.
const maxTurns = 8

// join waits until t has the turn for key, besides those that it has already, or is
// invited to a batch for key, which it is not if alone or if it has turns. A request
// that lost a key in spite of its turn lost it to another process, or to a request
// that took it without looking: it backs off.
func (q *queue) join(ctx context.Context, t *ticket, key []byte, alone bool) (*invitation, error) {
	keys := t.held()
	if slices.Contains(keys, string(key)) || len(keys) == maxTurns {
		return nil, sleep(ctx, backOff(q.rand, 1))
	}
	// Everybody takes turns in the order of the keys, so nobody waits in a circle.
	keys = append(keys, string(key))
	slices.Sort(keys)
	t.release()
	for _, k := range keys {
		i, err := q.take(ctx, k, alone || len(keys) > 1)
		if i != nil || err != nil {
			return i, err
		}
		t.mu.Lock()
		t.keys = append(t.keys, k)
		t.mu.Unlock()
	}
	return nil, nil
}

// held returns the keys that t has the turn for.
func (t *ticket) held() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.keys)
}

// single returns the key of the turn that t has, if it has just one.
func (t *ticket) single() (key string, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.keys) != 1 {
		return "", false
	}
	return t.keys[0], true
}

// release passes all turns on. It may be called more than once.
func (t *ticket) release() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, k := range t.keys {
		t.queue.pass(k)
	}
	t.keys = nil
}

// take waits for the turn for key, or for an invitation.
func (q *queue) take(ctx context.Context, key string, alone bool) (*invitation, error) {
	q.mu.Lock()
	l := q.lines[key]
	if l == nil {
		if q.lines == nil {
			q.lines = map[string]*line{}
		}
		q.lines[key] = &line{held: true, shared: true}
		q.contended.Add(1)
		q.mu.Unlock()
		return nil, nil
	}
	if !l.held {
		l.held, l.shared = true, false
		l.cooling.Stop()
		q.mu.Unlock()
		return nil, nil
	}
	l.shared = true
	me := waiter{make(chan *invitation, 1), alone}
	l.waiting = append(l.waiting, me)
	q.mu.Unlock()
	select {
	case i := <-me.turn:
		return i, nil
	case <-ctx.Done():
		q.leave(key, me)
		return nil, context.Cause(ctx)
	}
}

// leave takes a waiter out of the line; what it was given meanwhile it gives back.
func (q *queue) leave(key string, me waiter) {
	q.mu.Lock()
	l := q.lines[key]
	i := -1
	if l != nil { // else it was invited, and the turn has come to an end
		i = slices.IndexFunc(l.waiting, func(w waiter) bool { return w.turn == me.turn })
	}
	if i >= 0 {
		l.waiting = slices.Delete(l.waiting, i, i+1)
	}
	q.mu.Unlock()
	if i >= 0 {
		return
	}
	if invited := <-me.turn; invited != nil {
		invited.reply(false)
		return
	}
	q.pass(key)
}

// pass gives the turn for key to the next in line.
func (q *queue) pass(key string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	l := q.lines[key]
	if len(l.waiting) == 0 {
		l.held = false
		if !l.shared {
			q.remove(key)
			return
		}
		l.cooling = time.AfterFunc(cooling, func() { q.cool(key, l) })
		return
	}
	next := l.waiting[0]
	l.waiting = l.waiting[1:]
	close(next.turn)
}

// cool removes a line that nobody has joined for a while.
func (q *queue) cool(key string, l *line) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.lines[key] == l && !l.held {
		q.remove(key)
	}
}

// remove removes a line; q.mu is held.
func (q *queue) remove(key string) {
	delete(q.lines, key)
	q.contended.Add(-1)
}

// setForeign notes whether other processes want key too, which has a line.
func (q *queue) setForeign(key string, foreign bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if l := q.lines[key]; l != nil {
		l.foreign = foreign
	}
}

// foreign reports whether other processes want key too.
func (q *queue) foreign(key string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	l := q.lines[key]
	return l != nil && l.foreign
}

// invite hands an invitation to the next in line for key. It reports false if nobody
// waits, or the next wants the turn.
func (q *queue) invite(key string, i *invitation) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	l := q.lines[key]
	if len(l.waiting) == 0 || l.waiting[0].alone {
		return false
	}
	l.waiting[0].turn <- i
	l.waiting = l.waiting[1:]
	return true
}

// awaited reports whether somebody would come to a batch for key.
func (q *queue) awaited(key string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	l := q.lines[key]
	return l != nil && len(l.waiting) > 0 && !l.waiting[0].alone
}

// busy reports whether others queue for key, or did a moment ago.
func (q *queue) busy(key []byte) bool {
	if q.contended.Load() == 0 {
		return false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.lines[string(key)] != nil
}

// contends returns a key in reads that others queue for, or nil.
func (q *queue) contends(reads []store.Range) []byte {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, r := range reads {
		if isPoint(r) {
			if l := q.lines[string(r.Begin)]; l != nil && l.held {
				return r.Begin
			}
			continue
		}
		for key, l := range q.lines {
			if l.held && string(r.Begin) <= key && key < string(r.End) {
				return []byte(key)
			}
		}
	}
	return nil
}

// isPoint reports whether r holds just the key that it begins with.
func isPoint(r store.Range) bool {
	n := len(r.Begin)
	return len(r.End) == n+1 && r.End[n] == 0 && bytes.Equal(r.End[:n], r.Begin)
}

// wait waits for the turn for key if others queue for it, before the attempt has
// read anything: an attempt that reads first would only lose, if it is to commit.
func (r *run) wait(ctx context.Context, key []byte) error {
	if r.req.ReadOnly || r.alone || !r.queue.busy(key) || len(r.ticket.held()) > 0 {
		return nil
	}
	r.stats.waits.Add(1)
	ctx, cancel := context.WithDeadlineCause(ctx, r.started.Add(r.opts.Timeout), r.exhausted(store.ErrConflict))
	defer cancel()
	if err := r.queueFor(ctx, key); err != nil {
		return err
	}
	if r.guest != nil {
		return errInvited
	}
	return nil
}

// queueFor waits for the turn for key, or until the request is invited to a batch. If
// it has the turn already, it has lost key all the same.
func (r *run) queueFor(ctx context.Context, key []byte) (err error) {
	mine, single := r.ticket.single()
	if r.opts.Remote && single && mine == string(key) {
		return r.lostAgain(ctx, mine)
	}
	r.guest, err = r.queue.join(ctx, &r.ticket, key, r.alone || r.req.Journal != nil)
	if err != nil || r.guest != nil || r.claim != nil || !r.opts.Remote {
		return err
	}
	if mine, single = r.ticket.single(); single && r.queue.foreign(mine) {
		return r.claimTurn(ctx, mine)
	}
	return nil
}

// giveWay returns a *yield if others queue for what the attempt has read, and
// there is no turn that it waited for.
func (r *run) giveWay(reads []store.Range) error {
	if r.queue.contended.Load() == 0 || len(r.ticket.held()) > 0 {
		return nil
	}
	if key := r.queue.contends(reads); key != nil {
		return &yield{key: key}
	}
	return nil
}

// yield is how an attempt ends that gave way to those who queue for key.
type yield struct {
	key     []byte
	foreign bool // in other processes
}

func (y *yield) Error() string        { return "gave way to requests that queue for the same key" }
func (y *yield) Is(target error) bool { return target == store.ErrConflict }
