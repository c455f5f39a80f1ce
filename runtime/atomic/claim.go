package atomic

import (
	"bytes"
	"context"
	"encoding/binary"
	"time"

	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/tuple"
)

// A claim is the place of a request among those of other processes that want the
// same key: a row of the store, turn/key/versionstamp, so that they are in the order
// in which they were made. The store decides who is right, as always; claims only
// decide who tries when. Whoever has the turn for a key in its own process and loses
// it all the same makes one, waits until it is the first, and clears it in its commit,
// which is that of a whole batch.
//
// Processes do not look for claims unless they have lost the key. One that always
// wins, because it is quicker, learns of them because the first in line touches the
// key when it loses: that makes everybody lose who is about to commit.
type claim struct {
	key   string // that is contended
	value []byte // the row's: a random number and when it was made
	row   []byte // the row's key; nil until it was seen
	first bool
}

const (
	// spites is how often a request loses a key in spite of its turn before it makes a claim.
	spites = 2
	// overdue is how long the first claim of a key may stay the first. Then others take
	// it that its process has died, and clear it; if it has not, it competes without.
	overdue = 100 * time.Millisecond
	// claimPause is about how long the second in line waits before it looks again.
	claimPause = time.Millisecond
	// claimsSeen is how many claims of a key are looked at.
	claimsSeen = 32
)

// claimsOf returns the beginning of the rows of claims for key.
func (r *Runner) claimsOf(key string) []byte {
	prefix := tuple.AppendString(r.prefix[:len(r.prefix):len(r.prefix)], turns)
	return tuple.AppendBytes(prefix, []byte(key))
}

const turns = "turn"

// claimTurn makes a claim for key, whose turn in this process the request has, and
// waits until it is the first.
func (r *run) claimTurn(ctx context.Context, key string) error {
	c := &claim{key: key, value: binary.BigEndian.AppendUint64(nil, uint64(r.opts.Rand(1<<62)))}
	c.value = binary.BigEndian.AppendUint64(c.value, uint64(r.now().UnixMilli()))
	r.claim = c
	r.stats.claims.Add(1)
	stamped := append(r.claimsOf(key), make([]byte, store.StampSize)...)
	err := r.write(ctx, store.Op{Kind: store.SetStamped, Key: stamped, Value: c.value})
	if err == nil {
		err = r.awaitFirst(ctx, c)
	}
	return goOn(ctx, err)
}

// goOn drops the error of an operation on claims, without which requests go on as
// well, unless ctx is done.
func goOn(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// awaitFirst waits until c is the first claim for its key, or is there no more.
func (r *run) awaitFirst(ctx context.Context, c *claim) error {
	var head []byte
	var since time.Time
	contended := false
	for {
		rows, err := r.claims(ctx, c.key)
		if err != nil {
			return err
		}
		place := c.place(rows)
		if place <= 0 {
			c.first = place == 0
			if !contended {
				r.queue.setForeign(c.key, false)
			}
			return nil
		}
		contended = true
		if !bytes.Equal(rows[0].Key, head) {
			head, since = rows[0].Key, time.Now()
		}
		if time.Since(since) >= overdue || r.expiredClaim(rows[0].Value) {
			if err := r.write(ctx, store.Op{Kind: store.Clear, Key: head}); err != nil {
				return err
			}
			continue
		}
		pause := claimPause * time.Duration(place)
		if err := sleep(ctx, pause/2+time.Duration(r.opts.Rand(int64(pause)))); err != nil {
			return err
		}
	}
}

// place returns how many claims are before c, -1 if c is not there.
func (c *claim) place(rows []store.KV) int {
	for i := range rows {
		if bytes.Equal(rows[i].Value, c.value) {
			c.row = rows[i].Key
			return i
		}
	}
	if len(rows) == claimsSeen {
		return claimsSeen
	}
	return -1
}

// expiredClaim reports whether the request that made a claim must have ended.
func (r *Runner) expiredClaim(value []byte) bool {
	if len(value) < 16 {
		return true
	}
	made := time.UnixMilli(int64(binary.BigEndian.Uint64(value[8:])))
	return r.now().Sub(made) > 2*r.opts.Timeout
}

// collectClaims clears claims whose requests have ended, a few at a time: of processes
// that died, for keys that nobody has wanted since.
func (r *Runner) collectClaims(ctx context.Context) error {
	v, err := r.engine.ReadVersion(ctx)
	if err != nil {
		return err
	}
	defer r.engine.Release(v)
	all := tuple.Range(tuple.AppendString(r.prefix[:len(r.prefix):len(r.prefix)], turns))
	rows, _, err := r.engine.Range(ctx, v, all, store.RangeOptions{Limit: claimsSeen})
	if err != nil {
		return err
	}
	var ops []store.Op
	for _, row := range rows {
		if r.expiredClaim(row.Value) {
			ops = append(ops, store.Op{Kind: store.Clear, Key: row.Key})
		}
	}
	_, err = r.engine.Commit(ctx, &store.Commit{Version: v, Ops: ops})
	return err
}

// claims returns the first claims for key as they are now.
func (r *Runner) claims(ctx context.Context, key string) ([]store.KV, error) {
	v, err := r.engine.ReadVersion(ctx)
	if err != nil {
		return nil, err
	}
	defer r.engine.Release(v)
	rows, _, err := r.engine.Range(ctx, v, tuple.Range(r.claimsOf(key)), store.RangeOptions{Limit: claimsSeen})
	return rows, err
}

// overtakes reports whether the attempt a, which is about to commit, would overtake
// requests of other processes that it has looked for.
func (r *run) overtakes(ctx context.Context, a *attempt) bool {
	if a.claimed == nil {
		return false
	}
	_, err := a.take(ctx, nil)
	return err == nil && <-a.claimed
}

// lookForClaims looks beside the body of the attempt a whether requests of other
// processes have claims for the key that this one has lost and has the turn for now.
func (r *run) lookForClaims(a *attempt) {
	key, single := r.ticket.single()
	if !r.opts.Remote || r.claim != nil || !single || key != r.lost {
		return
	}
	found := make(chan bool, 1)
	a.claimed = found
	a.whenHeld(func() {
		a.looks.Go(func() {
			rows, _, err := a.Engine.Range(a.ctx, a.version, tuple.Range(r.claimsOf(key)), store.RangeOptions{Limit: 1})
			found <- err == nil && len(rows) > 0
		})
	})
}

// lostAgain is what a request does that lost key in spite of its turn, to another
// process or to a request of its own that did not look.
func (r *run) lostAgain(ctx context.Context, key string) error {
	if r.spited++; r.spited >= spites && r.claim == nil {
		r.queue.setForeign(key, true)
		return r.claimTurn(ctx, key)
	}
	// At random, so that the touch does not miss the same gap each time.
	if err := sleep(ctx, backOff(r.opts.Rand, 1)); err != nil || r.claim == nil || !r.claim.first {
		return err
	}
	return goOn(ctx, r.write(ctx, store.Op{Kind: store.Touch, Key: []byte(key)}))
}

// dropClaim clears the claim of a request that has ended without a commit that did.
func (r *run) dropClaim(ctx context.Context) {
	c := r.claim
	if c == nil {
		return
	}
	r.claim = nil
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), overdue)
	defer cancel()
	if c.row == nil {
		rows, err := r.claims(ctx, c.key)
		if err != nil || c.place(rows) < 0 || c.row == nil {
			return // others clear it when it is overdue
		}
	}
	_ = r.write(ctx, store.Op{Kind: store.Clear, Key: c.row}) // as above
}

// write commits one operation that conflicts with nothing.
func (r *run) write(ctx context.Context, op store.Op) error {
	_, err := r.engine.Commit(ctx, &store.Commit{Ops: []store.Op{op}})
	return err
}
