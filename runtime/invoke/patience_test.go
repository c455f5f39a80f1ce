package invoke

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestPatience(t *testing.T) {
	type key struct{}
	parent, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "value"))
	cancel() // the client has gone away
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		for _, watched := range []bool{false, true} {
			p := newPatience(parent, time.Now(), time.Second)
			if watched {
				p.Done()
			}
			if err := p.Err(); err != nil {
				t.Errorf("watched %t: ended at once: %v", watched, err)
			}
			if p.Value(key{}) != "value" {
				t.Errorf("watched %t: the parent's values are lost", watched)
			}
			time.Sleep(time.Second)
			synctest.Wait()
			if err := p.Err(); err != context.DeadlineExceeded {
				t.Errorf("watched %t: after its time: %v", watched, err)
			}
			<-p.Done()
			p.over()
			if err := p.Err(); err != context.DeadlineExceeded {
				t.Errorf("watched %t: the error changed to %v", watched, err)
			}
		}

		p := newPatience(parent, time.Now(), time.Second)
		child, cancel := context.WithCancel(p)
		defer cancel()
		p.over()
		<-child.Done()
		if err := child.Err(); err != context.Canceled {
			t.Errorf("a child of an invocation that is over: %v", err)
		}
		if deadline, ok := p.Deadline(); !ok || !deadline.Equal(start.Add(3*time.Second)) {
			t.Errorf("deadline is %v after the start, want 3 s", deadline.Sub(start))
		}
	})
}
