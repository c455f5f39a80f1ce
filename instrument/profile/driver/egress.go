package driver

import (
	"github.com/onefold/onefold/instrument/poker"
	"github.com/onefold/onefold/instrument/profile"
)

// egress sums what a service has sent over the network in pauses, and between them.
type egress struct{ paused, between traffic }

type traffic struct{ bytes, nanos int64 }

func (t traffic) rate() float64 { return float64(t.bytes) / float64(t.nanos) }

func (e *egress) add(in poker.Interval) {
	if in.Gap == 0 {
		return // nobody looked
	}
	e.paused.bytes += in.Sent
	e.paused.nanos += in.Continue - in.Stop
	e.between.bytes += in.GapSent
	e.between.nanos += in.Gap
}

// describe returns nil for a service that sends nothing, as far as anybody knows.
func (e *egress) describe() *profile.Egress {
	if e.paused.nanos == 0 || e.between.bytes == 0 {
		return nil
	}
	return &profile.Egress{Bytes: e.paused.bytes, Rate: e.paused.rate() / e.between.rate()}
}
