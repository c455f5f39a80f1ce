package slowpoke

import (
	"runtime"
	"testing"
	"time"

	"github.com/onefold/onefold/instrument/precise"
)

func TestArtificialWork(t *testing.T) {
	for text, want := range map[string]time.Duration{"": 0, "-1": 0, "0": 0, "none": 0, "250": 250 * time.Microsecond, "250.9": 250 * time.Microsecond} {
		got := time.Duration(0)
		if w := newWork(text); w != nil {
			got = w.each
		}
		if got != want {
			t.Errorf("%s=%q: %v, want %v", compatWork, text, got, want)
		}
	}
}

// TestBurn: what the requests of a thread burn is what was asked for in all, as what
// one burns too much the next need not.
func TestBurn(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const requests, each = 200, 100 * time.Microsecond
	w := &work{each: each}
	start := precise.ThreadTime()
	for range requests {
		w.burn()
	}
	burned := time.Duration(precise.ThreadTime() - start)
	if least := requests*each - time.Millisecond; burned < least || burned > 2*requests*each {
		t.Errorf("%d requests of %v burned %v", requests, each, burned)
	}
}
