//go:build !linux

package precise

import "time"

var start = time.Now()

// Now returns a monotonic clock in nanoseconds, of this process only.
func Now() int64 { return int64(time.Since(start)) }

// SleepUntil sleeps until Now is at least t.
func SleepUntil(t int64) { time.Sleep(time.Duration(t - Now())) }

// Nap is SleepUntil.
func Nap(t int64) { SleepUntil(t) }

// Thread does nothing on this system.
func Thread() (release func()) { return func() {} }

// ThreadTime is Now: there is no clock for threads here.
func ThreadTime() int64 { return Now() }
