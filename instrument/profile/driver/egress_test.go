package driver

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold/instrument/poker"
	"github.com/onefold/onefold/instrument/profile"
)

func TestEgress(t *testing.T) {
	var e egress
	if got := e.describe(); got != nil {
		t.Errorf("without a pause: %+v", got)
	}
	e.add(poker.Interval{Stop: 0, Continue: 10, Sent: 5000})                         // the first: nothing is known from before
	e.add(poker.Interval{Stop: 100, Continue: 110, Sent: 30, Gap: 90, GapSent: 900}) // 3 and 10 bytes/ns
	e.add(poker.Interval{Stop: 200, Continue: 210, Sent: 10, Gap: 90, GapSent: 900}) // 1 and 10 bytes/ns
	want := &profile.Egress{Bytes: 40, Rate: 0.2}
	if diff := cmp.Diff(want, e.describe()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
