package embedded_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/embedded"
)

func TestMain(m *testing.M) {
	switch dir := os.Getenv("EMBEDDED_TEST_DIR"); os.Getenv("EMBEDDED_TEST_CHILD") {
	case "write":
		writeUntilKilled(dir)
	case "open":
		_, err := embedded.Open(dir, embedded.Options{})
		fmt.Println(err)
	default:
		os.Exit(m.Run())
	}
}

// child starts this test binary as another process that uses the store in dir.
func child(t *testing.T, what, dir string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "EMBEDDED_TEST_CHILD="+what, "EMBEDDED_TEST_DIR="+dir)
	cmd.Stderr = os.Stderr
	return cmd
}

// writers write without pause: the n-th commit of a writer sets its two
// counters to n and adds a row of its log.
const writers = 4

func writeNth(ctx context.Context, e store.Engine, writer, n int) error {
	key := func(name string) []byte { return fmt.Appendf(nil, "%d/%s", writer, name) }
	value := []byte(strconv.Itoa(n))
	_, err := e.Commit(ctx, &store.Commit{Ops: []store.Op{
		{Kind: store.Set, Key: key("first"), Value: value},
		{Kind: store.Set, Key: key(fmt.Sprintf("log/%06d", n)), Value: value},
		{Kind: store.Set, Key: key("second"), Value: value},
	}})
	return err
}

// written returns how many commits of a writer are in the store, and fails the
// test if one is torn or missing among them.
func written(t *testing.T, e store.Engine, writer int) int {
	t.Helper()
	v, err := e.ReadVersion(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer e.Release(v)
	r := store.Range{Begin: fmt.Appendf(nil, "%d/", writer), End: fmt.Appendf(nil, "%d0", writer)}
	kvs, _, err := e.Range(context.Background(), v, r, store.RangeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(kvs) == 0 {
		return 0
	}
	n := len(kvs) - 2
	first, second := string(kvs[0].Value), string(kvs[len(kvs)-1].Value)
	if want := strconv.Itoa(n); first != want || second != want {
		t.Errorf("writer %d: the log has %d rows, the counters are %s and %s", writer, n, first, second)
	}
	for i, kv := range kvs[1 : n+1] {
		if want := strconv.Itoa(i + 1); string(kv.Value) != want {
			t.Errorf("writer %d: row %d is %q", writer, i+1, kv.Value)
		}
	}
	return n
}

func writeUntilKilled(dir string) {
	e, err := embedded.Open(dir, embedded.Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	var out sync.Mutex
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for n := written(&testing.T{}, e, w) + 1; ; n++ {
				if err := writeNth(context.Background(), e, w, n); err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				out.Lock()
				fmt.Println(w, n)
				out.Unlock()
			}
		})
	}
	wg.Wait()
}

// TestKill kills a process that writes and expects every acknowledged commit in
// the store, and no half of any.
func TestKill(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	dir := t.TempDir()
	acknowledged := [writers]int{}
	for round := range 5 {
		cmd := child(t, "write", dir)
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(stdout)
		for count := 0; lines.Scan(); count++ {
			var w, n int
			if _, err := fmt.Sscan(lines.Text(), &w, &n); err != nil {
				t.Fatalf("the writer said %q", lines.Text())
			}
			acknowledged[w] = n
			if count == 0 {
				time.AfterFunc(time.Duration(rng.Int64N(int64(150*time.Millisecond))), func() { cmd.Process.Kill() })
			}
		}
		_ = cmd.Wait() // killed
		e := open(t, dir, embedded.Options{})
		for w, least := range acknowledged {
			n := written(t, e, w)
			if n < least || n > least+1 {
				t.Errorf("round %d: writer %d has %d commits in the store and %d were acknowledged", round, w, n, least)
			}
			acknowledged[w] = n // what was there once has to stay, and the next process starts after it
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if acknowledged == [writers]int{} {
		t.Error("nothing was written")
	}
	t.Logf("acknowledged %v", acknowledged)
}

// TestPowerLoss takes copies of the disk as a power failure at random times
// would leave it, with an arbitrary part of what was not synced.
func TestPowerLoss(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	disk := vfs.NewCrashableMem()
	e := open(t, "store", embedded.Options{FS: disk})
	defer e.Close()
	var mu sync.Mutex
	var acknowledged [writers]int
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for n := 1; writeNth(ctx, e, w, n) == nil; n++ {
				mu.Lock()
				acknowledged[w] = n
				mu.Unlock()
			}
		})
	}
	for range 8 {
		time.Sleep(time.Duration(rng.Int64N(int64(10 * time.Millisecond))))
		mu.Lock()
		least := acknowledged
		mu.Unlock()
		seen, err := e.ReadVersion(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		e.Release(seen)
		after := open(t, "store", embedded.Options{FS: disk.CrashClone(vfs.CrashCloneCfg{
			UnsyncedDataPercent: rng.IntN(101), RNG: rng,
		})})
		for w := range writers {
			if n := written(t, after, w); n < least[w] {
				t.Errorf("writer %d has %d commits after the failure, %d were acknowledged", w, n, least[w])
			}
		}
		if v, err := after.ReadVersion(t.Context()); err != nil || v <= seen {
			t.Errorf("after the failure the version is %d, %v; %d was readable before", v, err, seen)
		}
		if err := after.Close(); err != nil {
			t.Error(err)
		}
	}
	stop()
	wg.Wait()
}

func TestReopen(t *testing.T) {
	disk := vfs.NewMem()
	e := open(t, "a/b/store", embedded.Options{FS: disk})
	if err := writeNth(t.Context(), e, 0, 1); err != nil {
		t.Fatal(err)
	}
	old, err := e.ReadVersion(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	e = open(t, "a/b/store", embedded.Options{FS: disk})
	defer e.Close()
	if n := written(t, e, 0); n != 1 {
		t.Errorf("after reopening there are %d commits, want 1", n)
	}
	if _, _, err := e.Get(t.Context(), old, []byte("k")); !errors.Is(err, store.ErrTooOld) {
		t.Errorf("Get at a version of before: %v, want ErrTooOld", err)
	}
	c := &store.Commit{Version: old, Reads: []store.Range{store.Point([]byte("k"))}, Ops: []store.Op{{Kind: store.Clear, Key: []byte("k")}}}
	if _, err := e.Commit(t.Context(), c); !errors.Is(err, store.ErrTooOld) {
		t.Errorf("Commit at a version of before: %v, want ErrTooOld", err)
	}
}

func TestOnlyOneProcess(t *testing.T) {
	dir := t.TempDir()
	e := open(t, dir, embedded.Options{})
	defer e.Close()
	want := fmt.Sprintf("embedded: open %s: the folder is in use by process %d: a store can be open only once", dir, os.Getpid())
	out, err := child(t, "open", dir).Output()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want+"\n", string(out)); diff != "" {
		t.Errorf("another process (-want +got):\n%s", diff)
	}
	if _, err := embedded.Open(dir, embedded.Options{}); err == nil || err.Error() != want {
		t.Errorf("the same process: %v, want %s", err, want)
	}
}

func TestForeignAndDamagedFolders(t *testing.T) {
	write := func(t *testing.T, name, text string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name    string
		prepare func(t *testing.T, dir string)
		want    string
	}{
		{"foreign", func(t *testing.T, dir string) { write(t, dir+"/notes.txt", "x") },
			"not a onefold store: the folder holds notes.txt and no file ONEFOLD"},
		{"foreign marker", func(t *testing.T, dir string) { write(t, dir+"/ONEFOLD", "something else") },
			"not a onefold store: file ONEFOLD has other content"},
		{"file", func(t *testing.T, dir string) {
			if err := os.Remove(dir); err != nil {
				t.Fatal(err)
			}
			write(t, dir, "")
		}, "not a directory"},
		{"damaged", func(t *testing.T, dir string) {
			if err := open(t, dir, embedded.Options{}).Close(); err != nil {
				t.Fatal(err)
			}
			files, err := os.ReadDir(dir + "/pebble")
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range files {
				if strings.HasPrefix(f.Name(), "MANIFEST") {
					write(t, dir+"/pebble/"+f.Name(), "garbage")
				}
			}
		}, "MANIFEST"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			tt.prepare(t, dir)
			_, err := embedded.Open(dir, embedded.Options{})
			if err == nil || !strings.HasPrefix(err.Error(), "embedded: open "+dir+": ") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Open: %v, want an error that names the folder and says %q", err, tt.want)
			}
		})
	}
}
