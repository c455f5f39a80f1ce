package embedded_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"golang.org/x/sys/unix"

	"github.com/onefold/onefold/runtime/store/embedded"
)

// TestFullFileSystem fills a real file system: a small tmpfs, which takes the
// right to mount one. Without it the files are real and the limit is not.
func TestFullFileSystem(t *testing.T) {
	dir := t.TempDir()
	opts := embedded.Options{MinFree: 12 << 20, MemTableSize: 2 << 20}
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=40m"); err != nil {
		t.Logf("without a tmpfs: %v", err)
		fs := newFaultyFS(vfs.Default, 40<<20)
		opts.FS = fs
		testFull(t, filepath.Join(dir, "store"), opts, func() { fs.left.Add(64 << 20) })
		return
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 14<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	testFull(t, filepath.Join(dir, "store"), opts, func() {
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
	})
}
