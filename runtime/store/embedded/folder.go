package embedded

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/onefold/onefold/runtime/store"
)

// A store's folder holds a marker file, so that we never write into a folder
// that is something else, the id of the process that has it open, and pebble's
// files in a folder of their own.
const (
	markerName    = "ONEFOLD"
	markerText    = "onefold store\n"
	pidName       = "PID"
	dataName      = "pebble"
	formatVersion = 1
)

func (e *Engine) dataDir() string { return e.opts.FS.PathJoin(e.dir, dataName) }

// prepareFolder makes the folder and its marker, or checks that it is ours.
func (e *Engine) prepareFolder() error {
	fs := e.opts.FS
	if err := makeFolder(fs, e.dir); err != nil {
		return explain(err)
	}
	marker := fs.PathJoin(e.dir, markerName)
	text, err := readFile(fs, marker)
	switch {
	case err == nil && text == markerText:
		return explain(fs.MkdirAll(e.dataDir(), 0o755))
	case err == nil && text != "" && !strings.HasPrefix(markerText, text):
		return fmt.Errorf("not a onefold store: file %s has other content", markerName)
	case err != nil && !errors.Is(err, os.ErrNotExist):
		return err
	case err != nil:
		if names, err := fs.List(e.dir); err != nil {
			return err
		} else if len(names) > 0 {
			return fmt.Errorf("not a onefold store: the folder holds %s and no file %s", names[0], markerName)
		}
	}
	if err := writeFile(fs, marker, markerText); err != nil {
		return explain(err)
	}
	if err := explain(fs.MkdirAll(e.dataDir(), 0o755)); err != nil {
		return err
	}
	return syncDir(fs, e.dir)
}

// makeFolder makes the folder and what is missing above it, so that all of it
// survives a crash.
func makeFolder(fs vfs.FS, dir string) error {
	if _, err := fs.Stat(dir); err == nil || dir == "" {
		return nil
	}
	parent := fs.PathDir(dir)
	if parent != dir {
		if err := makeFolder(fs, parent); err != nil {
			return err
		}
	}
	if err := fs.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return syncDir(fs, parent)
}

// lockFolder takes the folder for this process.
func (e *Engine) lockFolder() (*pebble.Lock, error) {
	pid := e.opts.FS.PathJoin(e.dir, pidName)
	lock, err := pebble.LockDirectory(e.dataDir(), e.opts.FS)
	if err == nil {
		return lock, explain(writeFile(e.opts.FS, pid, strconv.Itoa(os.Getpid())+"\n"))
	}
	if !lockTaken(err) {
		return nil, explain(err)
	}
	owner := "another process"
	if text, err := readFile(e.opts.FS, pid); err == nil && text != "" {
		owner = "process " + strings.TrimSpace(text)
	}
	return nil, fmt.Errorf("the folder is in use by %s: a store can be open only once", owner)
}

// lockTaken reports whether a lock failed because somebody has it.
func lockTaken(err error) bool {
	return errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EACCES) || strings.Contains(err.Error(), "lock held")
}

// checkFormat refuses a store that a later release wrote.
func (e *Engine) checkFormat() error {
	format, err := e.readMeta(formatKey)
	if err != nil {
		return err
	}
	if format > formatVersion {
		return fmt.Errorf("the store has format %d, this release knows up to %d", format, formatVersion)
	}
	return nil
}

func readFile(fs vfs.FS, name string) (string, error) {
	f, err := fs.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 1<<10))
	return string(text), err
}

func writeFile(fs vfs.FS, name, text string) error {
	f, err := fs.Create(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	if _, err = f.Write([]byte(text)); err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err
}

func syncDir(fs vfs.FS, name string) error {
	d, err := fs.OpenDir(name)
	if err != nil {
		return err
	}
	err = d.Sync()
	if closeErr := d.Close(); err == nil {
		err = closeErr
	}
	return err
}

// explain makes a full disk known as store.ErrFull.
func explain(err error) error {
	if err != nil && vfs.IsNoSpaceError(err) && !errors.Is(err, store.ErrFull) {
		return fmt.Errorf("%w: %w", store.ErrFull, err)
	}
	return err
}

// disk watches the free space.
type disk struct {
	fs      vfs.FS
	dir     string
	minFree uint64
	full    atomic.Bool // a write found no space: look before the next commit

	// The committer's.
	checked time.Time
	pending int // bytes written since
}

// How much may happen between two looks at the free space.
const (
	checkBytes    = 1 << 20
	checkInterval = 200 * time.Millisecond
)

// ranOut is called by the file system when a write found no space.
func (d *disk) ranOut() { d.full.Store(true) }

// check returns store.ErrFull if there is too little space for size more bytes.
func (d *disk) check(size int) error {
	d.pending += size
	now := time.Now()
	if !d.full.Load() && d.pending < checkBytes && now.Sub(d.checked) < checkInterval {
		return nil
	}
	usage, err := d.fs.GetDiskUsage(d.dir)
	if err != nil {
		return nil // the file system cannot tell, as one in memory
	}
	d.checked, d.pending = now, 0
	if usage.AvailBytes < d.minFree {
		d.full.Store(true)
		return fmt.Errorf("%w: %s has %d MiB free, at least %d are needed; commits are taken again when there is room",
			store.ErrFull, d.dir, usage.AvailBytes>>20, d.minFree>>20)
	}
	d.full.Store(false)
	return nil
}

// logger passes on what pebble has to say.
type logger struct{ e *Engine }

// Infof drops pebble's chatter.
func (logger) Infof(string, ...any) {}

// Errorf reports a background error, after which pebble tries again.
func (l logger) Errorf(format string, args ...any) { l.e.opts.Logf(format, args...) }

// Fatalf is where pebble cannot go on and relies on not returning. The engine
// fails, and the goroutine ends instead of the process.
func (l logger) Fatalf(format string, args ...any) {
	l.e.wedged.Store(true)
	l.e.fail(fmt.Errorf(format, args...))
	runtime.Goexit()
}
