package precise

import (
	"runtime"
	"syscall"
	"time"
	"unsafe"
)

// What package syscall does not name. This package is copied into instrumented
// modules and so needs nothing but the standard library.
const (
	clockMonotonic  = 1  // CLOCK_MONOTONIC
	clockThread     = 3  // CLOCK_THREAD_CPUTIME_ID
	timerAbstime    = 1  // TIMER_ABSTIME
	prSetTimerslack = 29 // PR_SET_TIMERSLACK
)

// Now returns the machine's monotonic clock in nanoseconds. It is the same in all
// processes.
func Now() int64 { return clock(clockMonotonic) }

// ThreadTime returns the processor time of the calling thread in nanoseconds. The
// goroutine should keep its thread.
func ThreadTime() int64 { return clock(clockThread) }

func clock(id uintptr) int64 {
	var ts syscall.Timespec
	if _, _, errno := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, id, uintptr(unsafe.Pointer(&ts)), 0); errno != 0 {
		panic("precise: read a clock: " + errno.Error())
	}
	return ts.Nano()
}

// SleepUntil sleeps until Now is at least t. The calling goroutine should keep its
// thread (see Thread).
func SleepUntil(t int64) {
	ts := syscall.NsecToTimespec(t)
	for {
		_, _, errno := syscall.Syscall6(syscall.SYS_CLOCK_NANOSLEEP, clockMonotonic, timerAbstime, uintptr(unsafe.Pointer(&ts)), 0, 0, 0)
		switch errno {
		case 0:
			return
		case syscall.EINTR: // the runtime interrupts threads to preempt goroutines
		default:
			time.Sleep(time.Duration(t - Now()))
			return
		}
	}
}

// Nap is SleepUntil for short sleeps one after the other. It does not tell Go's
// scheduler, which otherwise would look every 20 µs for somebody who could run
// meanwhile, and cost more than the work between the sleeps. So nothing else runs on
// the goroutine's share of GOMAXPROCS.
func Nap(t int64) {
	ts := syscall.NsecToTimespec(t)
	for {
		_, _, errno := syscall.RawSyscall6(syscall.SYS_CLOCK_NANOSLEEP, clockMonotonic, timerAbstime, uintptr(unsafe.Pointer(&ts)), 0, 0, 0)
		switch errno {
		case 0:
			return
		case syscall.EINTR: // the runtime wants something of this thread; let it
			runtime.Gosched()
		default:
			time.Sleep(time.Duration(t - Now()))
			return
		}
	}
}

// Thread locks the goroutine to a thread whose sleeps the kernel does not round.
// Call the result to give the thread back.
func Thread() (release func()) {
	runtime.LockOSThread()
	// Where the kernel refuses, sleeps end up to 50 µs late.
	_, _, _ = syscall.Syscall(syscall.SYS_PRCTL, prSetTimerslack, 1, 0)
	return runtime.UnlockOSThread
}
