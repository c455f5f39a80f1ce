package atomic

import "sync/atomic"

// Stats counts what a Runner did since it was made.
type Stats struct {
	Requests  uint64 // deliveries
	Attempts  uint64
	Commits   uint64 // asked of the engine
	Joined    uint64 // requests that were committed together with another
	Conflicts uint64 // attempts that lost
	Waits     uint64 // attempts that queued for a key before they read it
	Claims    uint64 // places taken among other processes that want a key
	Yields    uint64 // attempts that gave way at the end, to those who queue for a key
	Unknown   uint64 // commits with unknown result
	Restarts  uint64 // attempts begun again with their branches in program order
	Replayed  uint64 // deliveries answered from a record
	Parts     uint64 // calls from other processes
}

type counters struct {
	requests, attempts, commits, joined, conflicts, waits, claims, yields, unknown, restarts, replayed, parts atomic.Uint64
}

// Stats returns the counts so far.
func (r *Runner) Stats() Stats {
	s := &r.stats
	return Stats{
		Requests:  s.requests.Load(),
		Attempts:  s.attempts.Load(),
		Commits:   s.commits.Load(),
		Joined:    s.joined.Load(),
		Conflicts: s.conflicts.Load(),
		Waits:     s.waits.Load(),
		Claims:    s.claims.Load(),
		Yields:    s.yields.Load(),
		Unknown:   s.unknown.Load(),
		Restarts:  s.restarts.Load(),
		Replayed:  s.replayed.Load(),
		Parts:     s.parts.Load(),
	}
}
