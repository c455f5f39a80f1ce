package profile

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// MinPause is the shortest pause that is exact enough: what stopping and continuing
// takes is a tenth of it on a busy machine.
const MinPause = 4 * time.Millisecond

// The limits of a pause in seconds. Shorter ones drown in the time that stopping
// takes, in longer ones the target runs out of queued work and caches grow cold.
const (
	minPause    = float64(MinPause) / 1e9
	goodPause   = 0.010 // for which clients are added
	aimPause    = 0.020
	maxPause    = 0.100
	batchShare  = 4 // a batch is at most a quarter of the clients: B <= C/4
	minFraction = 0.01
	maxFraction = 0.99
)

// Batch returns the number of requests at the target between two phases, for
// pauses of saved seconds a request. It is so large that a pause lasts about 20 ms
// and at most a quarter of the clients, because the target lives on queued work
// while the others pause. The error says what to change where both cannot be had.
func Batch(saved float64, clients int) (int, error) {
	if saved <= 0 {
		return 0, fmt.Errorf("nothing to save: %g s a request", saved)
	}
	largest := clients / batchShare
	if largest < 1 {
		return 0, fmt.Errorf("%d clients are too few: pauses need at least %d", clients, batchShare)
	}
	b := int(math.Ceil(aimPause / saved))
	if b > largest {
		b = largest
	}
	switch pause := float64(b) * saved; {
	case pause < minPause:
		return b, fmt.Errorf("pauses of %.1f ms would be too short to be exact: use at least %d clients", 1000*pause, Clients(saved))
	case pause > maxPause:
		return b, fmt.Errorf("one request would pause the others for %.0f ms, more than %.0f: profile smaller requests", 1000*pause, 1000*maxPause)
	}
	return b, nil
}

// Clients returns the clients with which Batch gives pauses that are long enough for
// nobody to notice the mechanism.
func Clients(saved float64) int {
	if saved <= 0 {
		return 0
	}
	return batchShare * int(math.Ceil(goodPause/saved))
}

// Setting is one thing to measure for the length of one window.
type Setting struct {
	Kind     Kind
	Target   string
	Fraction float64
}

// Order returns the settings of one repetition: every target with every fraction,
// between baselines and controls, one of each after every fifth experiment. The
// order is random, and a Latin square over repetitions: it is turned so that over
// the repetitions every setting comes early and late equally often. So slow changes
// of the machine fall on all settings alike.
func Order(targets []string, fractions []float64, repetition, repetitions int, seed uint64) []Setting {
	var all []Setting
	for _, t := range targets {
		for _, f := range fractions {
			all = append(all, Setting{Kind: Experiment, Target: t, Fraction: f})
		}
	}
	rng := rand.New(rand.NewPCG(seed, 1))
	rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	if n := len(all); n > 0 && repetitions > 0 {
		turn := repetition * n / repetitions % n
		all = append(all[turn:len(all):len(all)], all[:turn]...)
	}
	order := make([]Setting, 0, len(all)*7/5+4)
	for i, s := range all {
		if i%5 == 0 {
			order = append(order,
				Setting{Kind: Baseline},
				Setting{Kind: Control, Target: targets[(i/5+repetition)%len(targets)]})
		}
		order = append(order, s)
	}
	return append(order, Setting{Kind: Baseline})
}

// CheckFractions reports what is wrong with fractions to try.
func CheckFractions(fractions []float64) error {
	for _, f := range fractions {
		if f < minFraction || f > maxFraction {
			return fmt.Errorf("cannot make a service faster by %g %%: want %g to %g", 100*f, 100*minFraction, 100*maxFraction)
		}
	}
	return nil
}
