package driver

import (
	"context"
	"iter"
	"time"

	"github.com/onefold/onefold/instrument/load"
	"github.com/onefold/onefold/instrument/precise"
	"github.com/onefold/onefold/instrument/profile"
)

// edge is where a segment may begin or end: the begin of a phase, or any time where
// there are none.
type edge struct {
	at           int64 // ns
	done, failed int64 // end-to-end requests
	phase        uint64
	saved        float64 // ns that the phase pauses the others
}

const (
	// segments is how many parts a window is cut into, about.
	segments = 10
	// look is how often it is looked how far the requests are.
	look = 2 * time.Millisecond
	// longest is how many times its length a window may take for what it needs.
	longest = 4
)

// turns yields pairs of edges between which whole turns are: as many requests as there are
// clients. Where requests visit a service several times, those of all clients can go
// through it in waves that never die down, one wave a turn. A window of any other length
// has more of one part of the wave than of another. What is left after the last whole
// turn is not used, unless there is no whole one.
func turns(edges []edge, turn int64) iter.Seq2[int, int] {
	return func(yield func(int, int) bool) {
		if len(edges) < 2 {
			return
		}
		last := len(edges) - 1
		step := turn * max(1, (edges[last].done-edges[0].done)/turn/segments)
		from, want := 0, edges[0].done+step
		for i := 1; i <= last; i++ {
			if edges[i].done < want {
				continue
			}
			to := i
			if i-1 > from && want-edges[i-1].done < edges[i].done-want {
				to = i - 1
			}
			if !yield(from, to) {
				return
			}
			from, want = to, want+step
		}
		if from == 0 {
			yield(0, last)
		}
	}
}

// wholeTurns is where a window that is long enough can end.
type wholeTurns struct{ turn, requests int64 }

// reached reports whether the turn that was under way at the first call has ended.
func (w *wholeTurns) reached(requests int64) bool {
	if w.requests == 0 {
		w.requests = (requests + w.turn - 1) / w.turn * w.turn
	}
	return requests >= w.requests
}

// between returns the segment between two edges.
func between(a, b edge) profile.Segment {
	return profile.Segment{Wall: float64(b.at-a.at) / 1e9, Requests: b.done - a.done, Errors: b.failed - a.failed}
}

// plain measures without phases.
func plain(ctx context.Context, runner *load.Runner, settle settling, window time.Duration) ([]profile.Segment, error) {
	if err := settle.wait(ctx, runner); err != nil {
		return nil, err
	}
	goal := wholeTurns{turn: int64(runner.Clients())}
	read := func() edge {
		return edge{at: precise.Now(), done: runner.Completed(), failed: runner.Failed()}
	}
	edges := []edge{read()}
	for begun := time.Now(); time.Since(begun) < longest*window; {
		if err := pause(ctx, look); err != nil {
			return nil, err
		}
		now := read()
		edges = append(edges, now)
		if time.Since(begun) >= window && goal.reached(now.done-edges[0].done) {
			break
		}
	}
	var segs []profile.Segment
	for a, b := range turns(edges, goal.turn) {
		segs = append(segs, between(edges[a], edges[b]))
	}
	return segs, nil
}
