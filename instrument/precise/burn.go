package precise

import "runtime"

// Burn uses a processor for d nanoseconds, and returns by how many it was too long. The
// time is that of the thread: neither pauses nor other processes take any of it.
func Burn(d int64) (excess int64) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	until := ThreadTime() + d
	for {
		now := ThreadTime()
		if now >= until {
			return now - until
		}
		for range 1000 { // reading the clock is what takes time otherwise
		}
	}
}
