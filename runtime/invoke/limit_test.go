package invoke

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(1, 2, time.Second)
		if !g.enter(t.Context()) {
			t.Fatal("an empty gate refuses")
		}

		// Two wait, the third is refused at once.
		entered := make(chan bool, 2)
		for range 2 {
			go func() { entered <- g.enter(t.Context()) }()
		}
		synctest.Wait()
		start := time.Now()
		if g.enter(t.Context()) || time.Since(start) > 0 {
			t.Errorf("a full queue takes one more, after %v", time.Since(start))
		}

		// One of those that wait gets the place, the other gives up in time.
		g.leave()
		if !<-entered {
			t.Error("nobody in the queue got the free place")
		}
		if <-entered || time.Since(start) != time.Second {
			t.Errorf("the last in the queue came in, or waited %v, want 1 s", time.Since(start))
		}

		// Whoever goes away leaves the queue.
		ctx, cancel := context.WithCancel(t.Context())
		go func() { entered <- g.enter(ctx) }()
		synctest.Wait()
		cancel()
		if <-entered || g.queued.Load() != 0 {
			t.Errorf("a cancelled request came in, or %d wait still", g.queued.Load())
		}
	})
}
