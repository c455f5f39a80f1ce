package entry

import (
	"flag"
	"slices"
	"testing"
	"time"

	"github.com/onefold/onefold/instrument/poker"
)

var precision = flag.Int("precision", 0, "measure this many pauses in TestPrecision; on a quiet machine")

// TestPrecision measures pauses of a busy command: how much longer than ordered each
// is, what is left of that in the sum, and how long stopping takes.
func TestPrecision(t *testing.T) {
	if *precision == 0 {
		t.Skip("a measurement: see make profile-precision")
	}
	for _, with := range ways {
		_, c := startPaused(t, with, time.Second, "while :; do :; done")
		var over, trip []time.Duration
		var ordered, measured time.Duration
		for i := range *precision {
			d := time.Duration(1+i%20) * time.Millisecond
			done := make(chan poker.Interval, 1)
			start := time.Now()
			c.Pause(uint64(i+1), d, func(in poker.Interval, err error) {
				if err != nil {
					t.Error(err)
				}
				done <- in
			})
			in := <-done
			took := time.Duration(in.Continue - in.Stop)
			ordered, measured = ordered+d, measured+took
			over, trip = append(over, took-d), append(trip, time.Since(start)-took)
			time.Sleep(2 * time.Millisecond)
		}
		slices.Sort(over)
		slices.Sort(trip)
		t.Logf("%s: %d pauses, longer than ordered: median %v, p99 %v; in all %v of %v (%+.3f %%); order to answer beside the pause: median %v, p99 %v",
			with, len(over), over[len(over)/2], over[len(over)*99/100], measured-ordered, ordered,
			100*float64(measured-ordered)/float64(ordered), trip[len(trip)/2], trip[len(trip)*99/100])
		c.Close()
	}
}
