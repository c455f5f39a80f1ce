package workflow

import (
	"crypto/sha256"
	"math/rand/v2"
	"time"
)

// Now returns the time of the workflow: that in the record of the branch's last step, or
// the start. It is in UTC and stands still between steps.
func (r *Run) Now() time.Time {
	r.check()
	return r.now
}

// Since returns Now minus t.
func (r *Run) Since(t time.Time) time.Duration { return r.Now().Sub(t) }

// Until returns t minus Now.
func (r *Run) Until(t time.Time) time.Duration { return t.Sub(r.Now()) }

// Sleep waits for d. The workflow does not take up memory meanwhile.
func (r *Run) Sleep(d time.Duration) {
	s, rec := r.begin(sleepStep, "", 0)
	if rec == nil {
		rec = s.record(r.exec.engine.now())
		rec.due = rec.at.Add(max(d, 0))
		r.exec.ride(func(c *carrier) { c.setRecord(s.path, rec) })
	}
	if !r.exec.reached(s.path, rec.due) {
		r.wait(wait{due: rec.due})
	}
	r.seen(rec.due)
}

// Rand returns the source of the branch's random numbers, which are the same in
// every replay.
func (r *Run) Rand() rand.Source {
	r.check()
	if r.random == nil {
		r.random = rand.NewChaCha8(sha256.Sum256([]byte("onefold rand " + r.exec.id + "/" + r.prefix.String())))
	}
	return r.random
}

// UUID returns a random UUID (version 4) out of the branch's random numbers.
func (r *Run) UUID() (id [16]byte) {
	r.Rand()
	r.random.Read(id[:])
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return id
}
