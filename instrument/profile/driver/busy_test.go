package driver

import (
	"testing"
	"time"

	"github.com/onefold/onefold/instrument/poker"
)

// TestStarved: a target that idles in pauses and is saturated otherwise has starved;
// one with slack, or that is busy in pauses, has not.
func TestStarved(t *testing.T) {
	const period, pause = int64(100 * time.Millisecond), int64(40 * time.Millisecond)
	for _, test := range []struct {
		name    string
		in, out float64 // share of the time that it is busy
		want    bool
	}{
		{"busy always", 1, 1, false},
		{"starved", 0.4, 1, true},
		{"slack", 0.4, 0.5, false},
		{"idle in pauses, with slack", 0, 0.7, false},
	} {
		var b busyness
		clock, done := int64(1), int64(0)
		for phase := range uint64(30) {
			b.begin(phase, poker.Work{Clock: clock, Done: done})
			clock, done = clock+pause, done+int64(test.in*float64(pause))
			if b.wants(phase) {
				b.end(phase, poker.Work{Clock: clock, Done: done})
			}
			clock, done = clock+period-pause, done+int64(test.out*float64(period-pause))
		}
		if got := b.starved(1, 0.4); got != test.want {
			t.Errorf("%s: starved %v", test.name, got)
		}
	}
	var none busyness
	if none.starved(1, 0.4) {
		t.Error("starved without a phase")
	}
}
