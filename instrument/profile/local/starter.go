package local

import (
	"os/exec"
	"runtime"
)

// starter starts processes from one thread that lives until it is closed: the
// kernel signals a child when the thread that started it ends, not the process.
type starter struct{ work chan func() }

func newStarter() *starter {
	s := &starter{work: make(chan func())}
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		for f := range s.work {
			f()
		}
	}()
	return s
}

func (s *starter) start(cmd *exec.Cmd) error {
	result := make(chan error)
	s.work <- func() { result <- cmd.Start() }
	return <-result
}

func (s *starter) close() { close(s.work) }
