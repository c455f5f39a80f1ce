package driver

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/onefold/onefold/instrument/precise"
)

// canary finds out how busy the machine is with other things: it sleeps and looks
// how late it wakes up. What delays it delays the services, too.
type canary struct {
	late  atomic.Int64 // ns, in all
	ended atomic.Bool
	done  sync.WaitGroup
}

// A sleep of the canary, and how late it may end for nothing.
const (
	canarySleep = int64(5 * time.Millisecond)
	canarySlack = int64(time.Millisecond)
)

func newCanary() *canary {
	c := &canary{}
	c.done.Go(func() {
		defer precise.Thread()()
		for !c.ended.Load() {
			until := precise.Now() + canarySleep
			precise.SleepUntil(until)
			if late := precise.Now() - until; late > canarySlack {
				c.late.Add(late)
			}
		}
	})
	return c
}

func (c *canary) close() {
	c.ended.Store(true)
	c.done.Wait()
}

// listen starts listening; the result returns the share of the time since in which
// the machine had no time for the canary.
func (c *canary) listen() (noise func() float64) {
	start, late := precise.Now(), c.late.Load()
	return func() float64 { return float64(c.late.Load()-late) / float64(precise.Now()-start) }
}
