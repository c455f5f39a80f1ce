package precise_test

import (
	"testing"
	"time"

	"github.com/onefold/onefold/instrument/precise"
)

// TestSleepUntil: never early; how late is for the machine to say.
func TestSleepUntil(t *testing.T) {
	defer precise.Thread()()
	for range 20 {
		until := precise.Now() + int64(2*time.Millisecond)
		precise.SleepUntil(until)
		if now := precise.Now(); now < until {
			t.Fatalf("woke %d ns early", until-now)
		}
	}
	precise.SleepUntil(0) // long past
}
