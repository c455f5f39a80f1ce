package stage

import (
	"net"
	"os/exec"
	"runtime"

	"github.com/onefold/onefold/control/cgroup"
)

// starter starts all processes from one thread that lives as long as it does: the
// kernel kills them when the thread that started them ends, and in version 1 of
// control groups a process is born where its thread is.
type starter struct{ work chan func() }

func newStarter() *starter {
	s := &starter{work: make(chan func())}
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread() // all processes have ended
		for f := range s.work {
			f()
		}
	}()
	return s
}

// start starts cmd, in a control group unless that is nil.
func (s *starter) start(cmd *exec.Cmd, group *cgroup.Group) error {
	result := make(chan error, 1)
	s.work <- func() {
		if group != nil {
			result <- group.Start(cmd)
		} else {
			result <- cmd.Start()
		}
	}
	return <-result
}

func (s *starter) close() { close(s.work) }

// answers reports whether somebody listens at a socket.
func answers(socket string) bool {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}
