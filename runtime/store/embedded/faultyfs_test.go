package embedded_test

import (
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// faultyFS is a file system that runs out of space, and whose syncs can be
// held up.
type faultyFS struct {
	vfs.FS
	left  atomic.Int64 // bytes that can be written yet
	lies  bool         // claims to have room whatever is left
	syncs sync.RWMutex // locked to hold up syncs
}

func newFaultyFS(inner vfs.FS, left int64) *faultyFS {
	fs := &faultyFS{FS: inner}
	fs.left.Store(left)
	return fs
}

func (fs *faultyFS) GetDiskUsage(string) (vfs.DiskUsage, error) {
	if fs.lies {
		return vfs.DiskUsage{AvailBytes: 1 << 40}, nil
	}
	return vfs.DiskUsage{AvailBytes: uint64(max(fs.left.Load(), 0))}, nil
}

func (fs *faultyFS) file(f vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	return &faultyFile{File: f, fs: fs}, nil
}

func (fs *faultyFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	return fs.file(fs.FS.Create(name, category))
}

func (fs *faultyFS) ReuseForWrite(oldname, newname string, category vfs.DiskWriteCategory) (vfs.File, error) {
	return fs.file(fs.FS.ReuseForWrite(oldname, newname, category))
}

func (fs *faultyFS) Unwrap() vfs.FS { return fs.FS }

type faultyFile struct {
	vfs.File
	fs *faultyFS
}

func (f *faultyFile) Write(p []byte) (int, error) {
	if f.fs.left.Add(-int64(len(p))) < 0 {
		f.fs.left.Add(int64(len(p)))
		return 0, syscall.ENOSPC
	}
	return f.File.Write(p)
}

func (f *faultyFile) Sync() error {
	f.fs.syncs.RLock()
	defer f.fs.syncs.RUnlock()
	return f.File.Sync()
}

func (f *faultyFile) SyncData() error {
	f.fs.syncs.RLock()
	defer f.fs.syncs.RUnlock()
	return f.File.SyncData()
}

func (f *faultyFile) SyncTo(length int64) (bool, error) {
	f.fs.syncs.RLock()
	defer f.fs.syncs.RUnlock()
	return f.File.SyncTo(length)
}
