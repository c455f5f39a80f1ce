package poker

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// The words of the pipe between poker and watchdog.
const (
	wordStopping  = 'S'
	wordContinued = 'C'
	wordEnd       = 'E' // the poker ends in the usual way
)

// Watchdog is a process that continues the service should its poker die in a pause,
// or not end one. A nil Watchdog does nothing.
type Watchdog struct {
	cmd  *exec.Cmd
	pipe *os.File
}

// StartWatchdog starts a command that calls Watch on its standard input. It gets a
// session of its own, so that what ends the poker does not end it.
func StartWatchdog(path string, args ...string) (*Watchdog, error) {
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer read.Close()
	cmd := exec.Command(path, args...)
	cmd.Stdin = read
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		write.Close()
		return nil, fmt.Errorf("start the watchdog: %w", err)
	}
	return &Watchdog{cmd, write}, nil
}

func (w *Watchdog) stopping()  { w.say(wordStopping) }
func (w *Watchdog) continued() { w.say(wordContinued) }

func (w *Watchdog) say(word byte) {
	if w != nil {
		_, _ = w.pipe.Write([]byte{word}) // a dead watchdog must not keep the poker from its work
	}
}

// Close ends the watchdog. The caller reaps the process, or Wait does.
func (w *Watchdog) Close() {
	if w != nil {
		w.say(wordEnd)
		w.pipe.Close()
	}
}

// Wait waits for the end of the process after Close.
func (w *Watchdog) Wait() error {
	if w == nil {
		return nil
	}
	return w.cmd.Wait()
}

// Watch is the watchdog: it continues the service when a pause lasts longer than
// the limit, and when the poker at the other end of the pipe is gone. It returns then,
// and reports whether the poker died.
func Watch(pipe io.Reader, s Stopper, limit time.Duration) (died bool) {
	words := make(chan byte, 16)
	go func() {
		defer close(words)
		var buf [1]byte
		for {
			if _, err := io.ReadFull(pipe, buf[:]); err != nil {
				return
			}
			words <- buf[0]
		}
	}()
	var late <-chan time.Time
	for {
		select {
		case word, ok := <-words:
			switch {
			case !ok:
				_ = s.Continue() // there may be nothing left to continue
				return true
			case word == wordEnd:
				return false
			case word == wordStopping:
				late = time.After(limit)
			case word == wordContinued:
				late = nil
			}
		case <-late:
			_ = s.Continue()
			late = nil
		}
	}
}
