package entry

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"net"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/pflag"
	"golang.org/x/sys/unix"

	"github.com/onefold/onefold/instrument/gauge"
	"github.com/onefold/onefold/instrument/poker"
	"github.com/onefold/onefold/instrument/slowpoke/page"
)

// tokenEnv holds the control channel's token. The command does not get to see it.
const tokenEnv = "ONEFOLD_POKER_TOKEN"

// maxProcs says to a Go program how many cores it has, as it finds out itself from a
// quota of the kernel.
const maxProcs = "GOMAXPROCS"

// pausing is the part of poker that stops and continues the command on the orders
// of a profiler. Without a control channel there is none of it.
type pausing struct {
	control, name, with string
	max                 time.Duration
	cores               float64
	gauge               string
	compat              bool

	token    string
	prefix   []string // of the watchdog's arguments
	dir      string   // of the page and FIFOs
	page     *page.Page
	notify   *os.File
	fifos    *poker.Compat
	listener net.Listener
	watchdog *poker.Watchdog
	pauser   *poker.Pauser
	limiter  *poker.Limiter // nil without a limit
	cleanup  func()         // of the freezer's group
}

func (p *pausing) flags(f *pflag.FlagSet) {
	f.StringVar(&p.control, "control", os.Getenv("ONEFOLD_POKER_CONTROL"), "obey a profiler at unix:`PATH` or tcp:HOST:PORT; the token is in "+tokenEnv)
	f.StringVar(&p.name, "name", "", "`name` of the service, for the profiler")
	f.StringVar(&p.with, "pause-with", "signal", "how to stop the command: `signal`, which is quicker, or freezer, which reaches processes that have left the group, too")
	f.DurationVar(&p.max, "max-pause", poker.MaxPause, "longest pause; after `it` the command goes on whatever happens")
	f.Float64Var(&p.cores, "cores", 0, "let the command use the time of `n` processor cores and no more, such as 0.5; unlike under the kernel's quotas, pauses cost it what they should")
	f.StringVar(&p.gauge, "gauge", "", "of --cores: make those of a steady processor, by the gauge in `FILE`, which a profiler that starts services keeps")
	f.BoolVar(&p.compat, "compat", false, "obey the command itself, by the FIFOs of the original Slowpoke")
}

func (p *pausing) on() bool { return p.control != "" || p.compat || p.cores > 0 }

// leastCores is the smallest limit that can be kept: a hundred stops a second are
// enough to be fair, and each lets some processor time pass.
const leastCores = 0.01

func (p *pausing) check() error {
	switch {
	case p.with != "signal" && p.with != "freezer":
		return fmt.Errorf("--pause-with %q: want signal or freezer", p.with)
	case p.max <= 0:
		return errors.New("--max-pause must be positive")
	case p.cores < 0 || p.cores > 0 && p.cores < leastCores:
		return fmt.Errorf("--cores %g: want at least %g, or 0 for no limit", p.cores, leastCores)
	case p.gauge != "" && p.cores == 0:
		return errors.New("--gauge is for --cores")
	}
	return nil
}

// prepare makes what the command finds in its environment, which it returns.
func (p *pausing) prepare() (env []string, err error) {
	if !p.on() {
		return os.Environ(), nil
	}
	p.token = os.Getenv(tokenEnv)
	if err := os.Unsetenv(tokenEnv); err != nil {
		return nil, err
	}
	if p.dir, err = os.MkdirTemp("", "onefold-poker-"); err != nil {
		return nil, err
	}
	if p.page, p.notify, err = page.Create(p.dir); err != nil {
		return nil, err
	}
	env = append(os.Environ(), page.Env+"="+p.dir)
	if _, set := os.LookupEnv(maxProcs); p.cores > 0 && !set {
		env = append(env, maxProcs+"="+strconv.Itoa(int(math.Ceil(p.cores))))
	}
	if p.compat {
		if p.fifos, err = poker.NewCompat(p.dir); err != nil {
			return nil, err
		}
		env = append(env, p.fifos.Env...)
	}
	if p.control == "" {
		return env, nil
	}
	if p.listener, err = poker.Listen(p.control); err != nil {
		return nil, fmt.Errorf("open the control channel: %w", err)
	}
	if p.listener.Addr().Network() != "unix" && p.token == "" {
		return nil, fmt.Errorf("--control %s can be reached by others: set %s", p.control, tokenEnv)
	}
	return env, nil
}

// begin starts obeying, once the command runs.
func (p *pausing) begin(group int, log io.Writer) error {
	if !p.on() {
		return nil
	}
	stopper, freezerDir, err := p.stopper(group)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	args := append(slices.Clone(p.prefix), "--watchdog", strconv.Itoa(group), "--watchdog-freezer", freezerDir,
		"--watchdog-folder", p.dir, "--max-pause", p.max.String())
	if p.watchdog, err = poker.StartWatchdog(self, args...); err != nil {
		return err
	}
	meter, err := p.meter(group)
	if err != nil {
		return err
	}
	gate := poker.NewGate(stopper)
	p.pauser = poker.NewPauser(gate.Pauses(), p.page, p.max, p.watchdog, func() int64 { return poker.NetworkSent(group) })
	if p.cores > 0 {
		p.limiter = poker.NewLimiter(gate, meter, p.cores)
	}
	if p.compat {
		go p.fifos.Serve(p.pauser)
	}
	if p.listener == nil {
		return nil
	}
	server := &poker.Server{
		Info:  poker.Info{Service: p.name, Group: group, Stopper: stopper.String(), Cores: p.cores},
		Token: p.token, Page: p.page, Notify: p.notify, Pauser: p.pauser, Meter: meter,
	}
	go func() {
		if err := server.Serve(p.listener); err != nil {
			fmt.Fprintf(log, "poker: control channel: %v\n", err)
		}
	}()
	return nil
}

// meter returns what measures the time that the command uses.
func (p *pausing) meter(group int) (*poker.Meter, error) {
	if p.gauge == "" {
		return poker.NewMeter(group, nil), nil
	}
	g, err := gauge.Open(p.gauge)
	return poker.NewMeter(group, g), err
}

// stopper returns how to stop the command, and the folder of the freezer's group.
func (p *pausing) stopper(group int) (s poker.Stopper, dir string, err error) {
	if p.with == "freezer" {
		s, dir, p.cleanup, err = poker.Freezer(group)
		return s, dir, err
	}
	s, err = poker.Signals(group)
	return s, "", err
}

// release lets the command go on, for good: it is to end.
func (p *pausing) release() {
	if p.limiter != nil {
		p.limiter.Close()
	}
	if p.pauser != nil {
		p.pauser.Close()
	}
}

// end removes everything.
func (p *pausing) end() {
	p.release()
	if p.listener != nil {
		p.listener.Close()
	}
	if p.fifos != nil {
		p.fifos.Close()
	}
	if p.notify != nil {
		p.notify.Close()
	}
	p.watchdog.Close()
	_ = p.watchdog.Wait() // it may have been reaped with the orphans
	if p.cleanup != nil {
		p.cleanup()
	}
	if p.dir != "" {
		_ = os.RemoveAll(p.dir) // in the folder for temporary files
	}
}

// watchdog is poker's other process: it lets the command go on should poker die, and
// removes what poker leaves behind.
type watchdog struct {
	group           int
	freezer, folder string
}

func (w *watchdog) flags(f *pflag.FlagSet) {
	f.IntVar(&w.group, "watchdog", 0, "")
	f.StringVar(&w.freezer, "watchdog-freezer", "", "")
	f.StringVar(&w.folder, "watchdog-folder", "", "")
	hide(f, "watchdog", "watchdog-freezer", "watchdog-folder")
}

func (w *watchdog) run(limit time.Duration) error {
	s, err := poker.Signals(w.group)
	if w.freezer != "" {
		s, err = poker.FreezerAt(w.freezer), nil
	}
	if err != nil {
		return err
	}
	const grace = 100 * time.Millisecond // for a pauser that is only a little late
	if !poker.Watch(os.Stdin, s, limit+grace) {
		return nil
	}
	// The kernel kills the command with poker, and here goes what it started.
	_ = unix.Kill(-w.group, unix.SIGKILL)
	if w.freezer != "" {
		for range 100 { // the kernel has yet to end what was in it
			if err := os.Remove(w.freezer); err == nil || errors.Is(err, fs.ErrNotExist) {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	return os.RemoveAll(w.folder)
}
