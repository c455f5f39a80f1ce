// Package embedded is the store engine inside one process, on one folder, on
// top of cockroachdb/pebble.
//
// Transactions are optimistic. A commit queues for one committer goroutine,
// which takes whatever is queued, checks each commit's read conflicts against
// the writes of the last seconds (point reads and ranges alike, so there are
// no phantoms), and applies those that pass as one batch. The new version is
// readable at once; the commits are acknowledged by a second goroutine after
// the write-ahead log was synced. While one sync runs, further groups are
// validated and applied, so a hot key is limited by validation and not by the
// disk, and what a sync costs is shared by all that wait for it.
//
// The physical limit is that sync: a lone client commits once per fsync of the
// disk, and no acknowledged commit is ever lost to a crash. What was readable
// but not yet synced may be lost; Settle waits until it cannot be.
//
// If the write-ahead log cannot be written the engine fails stop: everything
// after that answers an error, and the folder has to be opened again. Short of
// that, commits are refused with store.ErrFull before the disk runs out.
package embedded

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/onefold/onefold/runtime/store"
)

// Options adjust an engine. The zero value is what production wants.
type Options struct {
	// FS is the file system; the operating system's by default.
	FS vfs.FS
	// NoSync acknowledges commits without waiting for the disk: for tests and
	// data that may be lost.
	NoSync bool
	// MinFree is how many bytes must be free on the disk for a commit to be
	// taken; 64 MiB by default.
	MinFree uint64
	// CacheSize is the size of the block cache in bytes; 64 MiB by default.
	CacheSize int64
	// MemTableSize is how many bytes of writes are kept in memory, and so how
	// much of the log is read again after a crash; 32 MiB by default.
	MemTableSize uint64
	// Now is the clock that ages read versions; time.Now by default.
	Now func() time.Time
	// Logf, if set, is told of what goes wrong in the background.
	Logf func(format string, args ...any)
}

func (o Options) withDefaults() Options {
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.MinFree == 0 {
		o.MinFree = 64 << 20
	}
	if o.CacheSize == 0 {
		o.CacheSize = 64 << 20
	}
	if o.MemTableSize == 0 {
		o.MemTableSize = 32 << 20
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logf == nil {
		o.Logf = func(string, ...any) {}
	}
	return o
}

// Engine is an open store.
type Engine struct {
	dir  string
	opts Options
	db   *pebble.DB
	lock *pebble.Lock
	disk disk

	snapshots snapshots
	queue     queue
	pool      sync.Pool     // of requests: the engine's own, for channels do not leave a synctest bubble
	recent    recentWrites  // the committer's
	version   store.Version // the committer's: the last one assigned
	reserved  store.Version // the committer's: those up to it may be assigned
	anchor    *pebble.Snapshot
	durable   durable
	acks      chan *group

	closing chan struct{} // closed when Close begins
	stopped sync.WaitGroup
	failure atomic.Pointer[error]
	failed  chan struct{} // closed when failure is set
	wedged  atomic.Bool   // pebble was left in the middle of something: not even Close can be called
}

var _ store.Engine = (*Engine)(nil)

// Keys of the engine's own, beyond store.KeyEnd.
var (
	versionKey = []byte("\xff\xffversion") // no version above it was assigned
	formatKey  = []byte("\xff\xffformat")
)

// versionGap is how far versions jump when a store is opened: over those that
// were readable before a crash but never durable, so that none is used twice.
const versionGap = 1 << 32

// versionBlock is how many versions are reserved by one write of versionKey.
const versionBlock = 1 << 20

// Open opens the store in dir, which it makes if it does not exist. Only one
// process can have it open.
func Open(dir string, opts Options) (*Engine, error) {
	opts = opts.withDefaults()
	e := &Engine{
		dir:     dir,
		opts:    opts,
		acks:    make(chan *group, maxInFlight),
		closing: make(chan struct{}),
		failed:  make(chan struct{}),
	}
	e.disk = disk{fs: opts.FS, dir: dir, minFree: opts.MinFree}
	e.queue.wake = make(chan struct{}, 1)
	e.pool.New = newRequest
	e.snapshots.byVersion = map[store.Version]*snapshot{}
	e.snapshots.now = opts.Now
	e.recent.points = map[string]store.Version{}
	if err := e.open(); err != nil {
		return nil, fmt.Errorf("embedded: open %s: %w", dir, err)
	}
	e.stopped.Add(3)
	go e.runCommitter()
	go e.runAcknowledger()
	go e.runReaper()
	return e, nil
}

// open prepares the folder, locks it and starts pebble in it.
func (e *Engine) open() (err error) {
	if err := e.prepareFolder(); err != nil {
		return err
	}
	if e.lock, err = e.lockFolder(); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			e.lock.Close()
		}
	}()
	if e.db, err = e.openPebble(); err != nil {
		return explain(err)
	}
	defer func() {
		if err != nil {
			e.db.Close()
		}
	}()
	return e.loadVersion()
}

func (e *Engine) openPebble() (*pebble.DB, error) {
	cache := pebble.NewCache(e.opts.CacheSize)
	defer cache.Unref()
	return pebble.Open(e.dataDir(), &pebble.Options{
		FS:                          vfs.OnDiskFull(e.opts.FS, e.disk.ranOut),
		Lock:                        e.lock,
		Cache:                       cache,
		MemTableSize:                e.opts.MemTableSize,
		MemTableStopWritesThreshold: 4,
		L0CompactionThreshold:       2,
		L0StopWritesThreshold:       1000,
		LBaseMaxBytes:               64 << 20,
		MaxOpenFiles:                1000,
		FormatMajorVersion:          pebble.FormatNewest,
		Logger:                      logger{e},
		// Every commit syncs the log, so smoothing its writes gains nothing;
		// tables are written in the background and profit.
		BytesPerSync: 512 << 10,
	})
}

// loadVersion reads the format and the last version, and moves on to versions
// that nobody can have seen.
func (e *Engine) loadVersion() error {
	if err := e.checkFormat(); err != nil {
		return err
	}
	last, err := e.readMeta(versionKey)
	if err != nil {
		return err
	}
	e.version = store.Version(last + versionGap)
	e.reserved = e.version + versionBlock
	batch := e.db.NewBatch()
	defer batch.Close()
	batch.Set(formatKey, binary.BigEndian.AppendUint64(nil, formatVersion), nil)
	batch.Set(versionKey, binary.BigEndian.AppendUint64(nil, uint64(e.reserved)), nil)
	if err := e.apply(batch); err != nil {
		return err
	}
	e.recent.floor = e.version
	e.durable.advance(e.version)
	e.moveAnchor()
	e.snapshots.publish(e.version, e.db.NewSnapshot())
	return nil
}

// apply writes a batch while opening, when nothing else runs yet.
func (e *Engine) apply(batch *pebble.Batch) error {
	opts := pebble.Sync
	if e.opts.NoSync {
		opts = pebble.NoSync
	}
	if err := batch.Commit(opts); err != nil {
		return explain(err)
	}
	return nil
}

// readMeta returns one of the engine's own numbers, 0 if it is absent.
func (e *Engine) readMeta(key []byte) (uint64, error) {
	value, closer, err := e.db.Get(key)
	if err == pebble.ErrNotFound {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer closer.Close()
	if len(value) != 8 {
		return 0, fmt.Errorf("key %q is damaged: %d bytes, want 8", key, len(value))
	}
	return binary.BigEndian.Uint64(value), nil
}

// ReadVersion returns the newest version, which may not be durable yet.
func (e *Engine) ReadVersion(ctx context.Context) (store.Version, error) {
	if err := e.usable(ctx); err != nil {
		return 0, err
	}
	return e.snapshots.hold()
}

// Release gives back a version that ReadVersion returned.
func (e *Engine) Release(v store.Version) { e.snapshots.release(v) }

// Settle waits until everything readable at v is on disk.
func (e *Engine) Settle(ctx context.Context, v store.Version) error {
	for {
		reached, changed := e.durable.reached(v)
		if reached {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-e.failed:
			return e.err()
		}
	}
}

// Failed is closed when the engine has failed and has to be opened again; every
// method then says why.
func (e *Engine) Failed() <-chan struct{} { return e.failed }

// Close lets the commits and reads under way finish and closes the folder. For
// a failed engine it returns the failure.
func (e *Engine) Close() error {
	if !e.queue.close() {
		return store.ErrClosed
	}
	close(e.closing)
	e.snapshots.refuse()
	if !e.awaitStop() {
		return e.err()
	}
	e.snapshots.close()
	closeSnapshot(e.anchor)
	err := e.db.Close()
	if lockErr := e.lock.Close(); err == nil {
		err = lockErr
	}
	if e.failure.Load() != nil {
		return e.err()
	}
	if err != nil {
		return fmt.Errorf("embedded: close %s: %w", e.dir, err)
	}
	return nil
}

// stopGrace is how long Close waits for the goroutines of a failed engine.
const stopGrace = 5 * time.Second

// awaitStop waits for the engine's goroutines to end and reports whether they
// have and pebble can be closed.
func (e *Engine) awaitStop() bool {
	done := make(chan struct{})
	go func() {
		e.stopped.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-e.failed:
		select {
		case <-done:
		case <-time.After(stopGrace):
			return false
		}
	}
	return !e.wedged.Load()
}

// usable reports why no operation can start, if so.
func (e *Engine) usable(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	if e.failure.Load() != nil {
		return e.err()
	}
	return nil
}

// fail stops the engine for good.
func (e *Engine) fail(cause error) {
	err := fmt.Errorf("embedded: the store in %s stopped and has to be opened again: %w", e.dir, explain(cause))
	if e.failure.CompareAndSwap(nil, &err) {
		e.opts.Logf("%v", err)
		close(e.failed)
	}
}

// err returns why the engine failed.
func (e *Engine) err() error { return *e.failure.Load() }

// durable tracks up to which version commits are on disk.
type durable struct {
	version atomic.Uint64
	mu      sync.Mutex
	changed chan struct{} // closed at the next advance; nil if nobody waits
}

// advance says that everything up to v is on disk.
func (d *durable) advance(v store.Version) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.version.Store(uint64(v))
	if d.changed != nil {
		close(d.changed)
		d.changed = nil
	}
}

// reached reports whether v is on disk, and if not what to wait for before
// asking again.
func (d *durable) reached(v store.Version) (bool, <-chan struct{}) {
	if uint64(v) <= d.version.Load() {
		return true, nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if uint64(v) <= d.version.Load() {
		return true, nil
	}
	if d.changed == nil {
		d.changed = make(chan struct{})
	}
	return false, d.changed
}
