package driver

import (
	"testing"

	"github.com/onefold/onefold/instrument/poker"
)

// TestSaved: pauses follow the time that a replica of the target takes, none is too long
// at once, and nothing is lost.
func TestSaved(t *testing.T) {
	a, b := &poker.Client{}, &poker.Client{}
	e := &experiment{pause: 20, work: 40, worked: map[*poker.Client]int64{}}
	for i, step := range []struct {
		c    *poker.Client
		done int64
		want float64
	}{
		{a, 1000, 20}, {b, 500, 20}, // nothing is known before
		{a, 1040, 20}, {b, 520, 10}, {a, 1120, 40},
		{b, 720, 60}, {a, 1130, 45}, // 100, of which 60 at once, then 5 more
		{a, 1100, 0}, // a process has ended
	} {
		got := e.saved(step.c, step.done)
		if got != step.want {
			t.Errorf("step %d: a pause of %g, want %g", i, got, step.want)
		}
	}
	fixed := &experiment{pause: 20, worked: map[*poker.Client]int64{}}
	for done := range int64(3) {
		if got := fixed.saved(a, 1000*done); got != 20 {
			t.Errorf("a pause of %g for a time that is known, want 20", got)
		}
	}
}
