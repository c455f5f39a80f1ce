package sim

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// Kind is a kind of store operation that can fail.
type Kind uint8

// The operations that are counted, traced and failed. Release and Close are
// not: they cannot fail in a way that matters.
const (
	ReadVersion Kind = iota
	Get
	Range
	Commit
	Settle

	kinds = iota
)

var kindNames = [kinds]string{"ReadVersion", "Get", "Range", "Commit", "Settle"}

// String returns the method's name.
func (k Kind) String() string { return kindNames[k] }

// Fault is what goes wrong with one operation.
type Fault struct {
	Kind FaultKind
	// After says, for UnknownLate, before which further commit this one lands:
	// 1 is the next; 0 leaves it to Engine.Land.
	After int
	// Delay is, for Delay, how long the operation waits before it begins.
	Delay time.Duration
}

// FaultKind is a kind of fault.
type FaultKind uint8

// The faults.
const (
	None          FaultKind = iota
	CrashBefore             // the client crashes before the operation
	CrashAfter              // the operation happens, and the client crashes before it knows
	Conflict                // a commit is told that it conflicts
	UnknownLanded           // a commit happens, its result is unknown
	UnknownLost             // a commit does not happen, its result is unknown
	UnknownLate             // a commit is on its way, its result is unknown
	TooOld                  // the version is too old; nothing happens
	Full                    // the disk is full; nothing happens
	Delay                   // the operation is slow

	faultKinds = iota
)

var faultNames = [faultKinds]string{
	"none", "crash before", "crash after", "conflict", "unknown, landed", "unknown, lost", "unknown, landing late",
	"too old", "full", "delay",
}

// String describes the fault.
func (f FaultKind) String() string { return faultNames[f] }

// String describes the fault.
func (f Fault) String() string {
	switch {
	case f.Kind == UnknownLate && f.After > 0:
		return fmt.Sprintf("%s before commit %d", f.Kind, f.After)
	case f.Kind == Delay:
		return fmt.Sprintf("%s of %s", f.Kind, f.Delay)
	}
	return f.Kind.String()
}

// Applies reports whether the fault can happen to an operation of kind k.
func (f FaultKind) Applies(k Kind) bool {
	switch f {
	case Conflict, UnknownLanded, UnknownLost, UnknownLate, Full:
		return k == Commit
	case TooOld:
		return k == Get || k == Range || k == Commit
	}
	return true
}

// Faults returns the kinds of fault that can happen to an operation of kind k,
// delays apart: what an enumeration of crash points tries at each.
func Faults(k Kind) []FaultKind {
	var faults []FaultKind
	for f := CrashBefore; f < Delay; f++ {
		if f.Applies(k) {
			faults = append(faults, f)
		}
	}
	return faults
}

// Rates are the probabilities, from 0 to 1, with which faults strike the
// operations that they apply to.
type Rates struct {
	CrashBefore, CrashAfter                 float64
	Conflict                                float64
	UnknownLanded, UnknownLost, UnknownLate float64
	TooOld                                  float64
	Full                                    float64
	Delay                                   float64
	MaxDelay                                time.Duration // of a Delay, uniformly distributed
	MaxLate                                 int           // of an UnknownLate's After; at least 1
}

// pick draws the fault for an operation of kind k.
func (r *Rates) pick(rng *rand.Rand, k Kind) Fault {
	rates := [faultKinds]float64{
		0, r.CrashBefore, r.CrashAfter, r.Conflict, r.UnknownLanded, r.UnknownLost, r.UnknownLate, r.TooOld, r.Full, r.Delay,
	}
	x := rng.Float64()
	for kind := CrashBefore; kind < faultKinds; kind++ {
		if !kind.Applies(k) {
			continue
		}
		if x >= rates[kind] {
			x -= rates[kind]
			continue
		}
		f := Fault{Kind: kind}
		switch kind {
		case UnknownLate:
			f.After = 1 + rng.IntN(max(r.MaxLate, 1))
		case Delay:
			f.Delay = time.Duration(rng.Int64N(int64(r.MaxDelay) + 1))
		}
		return f
	}
	return Fault{}
}
