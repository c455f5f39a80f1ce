package atomic

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/overlay"
)

// A batch is requests that queued for one key and commit together, in the commit of
// the first of them, the leader. It has the turn for the key, and when it is about to
// commit it invites those who wait, one after the other: each makes an attempt at the
// leader's version and on what those before it wrote. So a hot key takes one commit
// for many requests, and only their bodies come one after the other. Where a commit is
// no network round there are no batches: to pass the turn on costs as little.
//
// What guests read is a conflict of the commit, and nobody learns how a guest ended
// before the commit is known. Therefore only those join that commit what they read:
// one that ends otherwise has seen what may never happen, and makes another attempt
// by itself.
type batch struct {
	done chan struct{} // closed when err is there
	err  error         // of the commit

	records map[string]struct{} // where the members write their records
	lookUps []chan lookUp       // for the guests' records, under way
	version store.Version
	taken   time.Time
	size    int // bytes that will be committed
}

// The limits of a batch.
const (
	batchMembers = 128
	batchBytes   = store.MaxCommitSize / 10
	batchFor     = 10 * time.Millisecond // that the leader waits for guests
)

// invitation asks one who waits in line to join a batch.
type invitation struct {
	batch  *batch
	fork   *overlay.Overlay // for the guest's attempt
	state  atomic.Int32
	answer chan bool // whether the guest has joined; nobody waits to send it

	// Of a guest that joins:
	record []byte      // where it writes its record
	lookUp chan lookUp // under way, for its record; nil if there cannot be one
}

// What becomes of an invitation.
const (
	open int32 = iota
	joined
	declined
	revoked // the leader waits no longer
)

// reply answers the leader, unless that was done before. It reports whether the guest
// is a member of the batch.
func (i *invitation) reply(join bool) bool {
	to := declined
	if join {
		to = joined
	}
	if i.state.CompareAndSwap(open, to) {
		i.answer <- join
	}
	return i.state.Load() == joined
}

// Reasons why another attempt is made, without a pause, that concern no other request.
var (
	errInvited = errors.New("the attempt begins again as part of a batch")
	errAlone   = errors.New("the attempt begins again outside of a batch")
	errSpoiled = errors.New("a member of the batch has run before")
)

// lead makes the attempt a, which is about to commit o, the leader of a batch if
// others wait for its turn.
func (r *run) lead(ctx context.Context, a *attempt, o *overlay.Overlay, keys *recordKeys) (*batch, error) {
	key, single := r.ticket.single()
	if !single || r.alone || !r.opts.Remote || !r.queue.awaited(key) {
		return nil, nil
	}
	version, err := a.take(ctx, nil)
	if err != nil {
		return nil, err
	}
	b := &batch{done: make(chan struct{}), records: map[string]struct{}{string(keys.write): {}}, version: version, taken: a.taken}
	timer := time.NewTimer(batchFor)
	defer timer.Stop()
	for members := 1; members < batchMembers; members++ {
		b.size = o.Size()
		i := &invitation{batch: b, fork: o.Fork(), answer: make(chan bool, 1)}
		if b.size >= batchBytes || !r.queue.invite(key, i) {
			break
		}
		late := false
		select {
		case <-i.answer:
		case <-timer.C:
			late = i.state.CompareAndSwap(open, revoked)
		}
		if i.state.Load() == joined {
			b.admit(o, i)
		}
		if late {
			break
		}
	}
	return b, nil
}

// admit makes a guest a member.
func (b *batch) admit(o *overlay.Overlay, i *invitation) {
	if !o.Merge(i.fork) {
		panic("atomic: something was written to a batch beside its guest")
	}
	b.records[string(i.record)] = struct{}{}
	if i.lookUp != nil {
		b.lookUps = append(b.lookUps, i.lookUp)
	}
}

// decide commits c for all members of the batch.
func (b *batch) decide(ctx context.Context, a *attempt, c *store.Commit) error {
	// The members have not gone away because the leader's client has.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), a.runner.opts.Timeout)
	defer cancel()
	defer close(b.done)
	for _, found := range b.lookUps {
		if l := <-found; l.rec != nil || l.err != nil {
			b.err = errSpoiled
			return b.err
		}
	}
	b.err = a.commit(ctx, c)
	return b.err
}

// visit joins a batch with o, the overlay of an attempt that was invited and is
// about to commit it, and returns how that ended.
func (r *run) visit(ctx context.Context, a *attempt, o *overlay.Overlay, keys *recordKeys, reply Reply) outcome {
	b := r.guest.batch
	if b.size+o.Size() > batchBytes {
		return r.leave()
	}
	r.hints = append(r.hints, a.hints...)
	r.guest.record = keys.write
	if !r.guest.reply(true) {
		return r.leave()
	}
	select {
	case <-b.done:
	case <-ctx.Done():
		r.unknown = true
		a.kill(context.Cause(ctx)) // the leader may yet use its overlay
		return outcome{err: context.Cause(ctx)}
	}
	if b.err != nil {
		return r.failedTogether(a, b.err)
	}
	r.stats.joined.Add(1)
	reply.Counts = a.root.Counts()
	return outcome{reply: reply}
}

// failedTogether is the outcome of an attempt in a batch whose commit ended in err.
// Limits that the batch exceeded its members may keep.
func (r *run) failedTogether(a *attempt, err error) outcome {
	if errors.Is(err, store.ErrTooLarge) || errors.Is(err, store.ErrTooOld) || errors.Is(err, errSpoiled) {
		r.alone = true
		return outcome{err: errAlone, again: true}
	}
	return r.failed(a, err)
}

// leave is the outcome of an attempt that was invited and does not join. If that is
// because it took too long, it may be invited once more.
func (r *run) leave() outcome {
	r.guest.reply(false)
	r.alone = r.guest.state.Load() != revoked || r.tried > 1
	return outcome{err: errAlone, again: true}
}

// repeats reports whether the batch has another delivery of the request that the keys are of.
func (b *batch) repeats(keys *recordKeys) bool {
	for _, key := range keys.read[:keys.n] {
		if _, ok := b.records[string(key)]; ok {
			return true
		}
	}
	return false
}
