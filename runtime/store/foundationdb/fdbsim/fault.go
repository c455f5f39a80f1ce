//go:build foundationdb && fdbsim

package fdbsim

import (
	"fmt"
	"time"
)

// Op is a kind of operation of the cluster.
type Op string

// The operations that can fail.
const (
	ReadVersion Op = "grv"
	Get         Op = "get"
	Range       Op = "range"
	Commit      Op = "commit"
)

// Landing says what becomes of a commit whose client is told an error, or
// nothing.
type Landing string

// What becomes of a commit.
const (
	Lost   Landing = "lost" // the default
	Landed Landing = "landed"
	Late   Landing = "late" // it is on its way until Fault.After or Land
)

// Codes of FoundationDB's errors.
const (
	TooOld                = 1007
	FutureVersion         = 1009
	NotCommitted          = 1020
	UnknownResult         = 1021
	Cancelled             = 1025
	TimedOut              = 1031
	ProcessBehind         = 1037
	Locked                = 1038
	ClusterVersionChanged = 1039
	ProxyMemory           = 1042
	Throttled             = 1213
	TooLarge              = 2101
)

// Fault is what goes wrong with one operation.
type Fault struct {
	Code    int           // of the error that the client is told; 0 is none
	Landing Landing       // of a commit that fails
	After   int           // of one that lands late: before which further commit; 0 leaves it to Land
	Delay   time.Duration // before the operation
	Hang    bool          // the client is never told anything
}

func (f Fault) words() string {
	hang := 0
	if f.Hang {
		hang = 1
	}
	landing := f.Landing
	if landing == "" {
		landing = Lost
	}
	return fmt.Sprintf("error=%d landing=%s after=%d delay=%d hang=%d", f.Code, landing, f.After, f.Delay.Microseconds(), hang)
}

// Fail makes the nth operation of a kind from now on, counted from 1, fail.
func (c *Cluster) Fail(op Op, nth int, f Fault) error {
	_, err := c.command(fmt.Sprintf("fault op=%s nth=%d %s", op, nth, f.words()))
	return err
}

// Rate makes operations of a kind fail at random: permille of them. Several
// rates of one kind add up.
func (c *Cluster) Rate(op Op, permille int, f Fault) error {
	_, err := c.command(fmt.Sprintf("rate op=%s permille=%d %s", op, permille, f.words()))
	return err
}

// Seed starts the random numbers of Rate anew.
func (c *Cluster) Seed(seed uint64) error {
	_, err := c.command(fmt.Sprintf("seed value=%d", seed))
	return err
}

// Reset forgets the faults and the counts. Commits on their way stay on their way.
func (c *Cluster) Reset() error {
	_, err := c.command("reset")
	return err
}
