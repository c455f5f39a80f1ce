package workflow_test

import (
	"context"
	"flag"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"sync"
	gosync "sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/embedded"
	"github.com/onefold/onefold/runtime/store/tuple"
	"github.com/onefold/onefold/runtime/workflow"
)

var growTo = flag.Int("workflows", 0, "how many workflows TestGrowthOnDisk starts; 0 leaves it out")

// What has ended leaves nothing behind when its retention is over.
func TestNoGrowth(t *testing.T) {
	inBubble(t, func(s *stage) {
		s.with("Long", func(sh *Shop, ctx context.Context, name string) (string, error) { return sh.count(ctx, name, 80) })
		s.boot()
		synctest.Wait()
		before := s.rows()
		s.run(startOf(s.id(1000), "Long", "l"))
		const n = 300
		for i := range n {
			s.run(startOf(s.id(i), "Bulk", fmt.Sprint("x", i)))
		}
		if rows := s.rows(); rows["wfi"] < n {
			t.Errorf("rows of %d workflows: %v", n, rows)
		}
		time.Sleep(25 * time.Hour)
		synctest.Wait()
		after := s.rows()
		delete(before, "state")
		delete(after, "state")
		s.expect("rows after the retention", before, after)
	})
}

// TestGrowthOnDisk starts and finishes very many workflows on the embedded store, with a
// short retention, and measures what is left: make workflows.
func TestGrowthOnDisk(t *testing.T) {
	if *growTo == 0 {
		t.Skip("takes long; make workflows runs it")
	}
	const lanes, retention = 64, 30 * time.Second
	folder := t.TempDir()
	disk, err := embedded.Open(folder, embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer disk.Close()
	runner := atomic.NewRunner(disk, atomic.Options{Sequential: true})
	if err := runner.Init(background, initLedger); err != nil {
		t.Fatal(err)
	}
	engine, err := workflow.New(runner, shopApp(newOutside()).Workflows(), workflow.Options{Retention: retention, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(background)
	defer engine.Close()
	defer cancel()
	go engine.Loop(ctx)

	begun := time.Now()
	var started gosync.Int64
	var wg sync.WaitGroup
	part := int64(max(*growTo/10, 1))
	for lane := range lanes {
		wg.Go(func() {
			for n := started.Add(1); n <= int64(*growTo); n = started.Add(1) {
				start := startOf(engine.NewID(), "Once", fmt.Sprint("account", lane))
				o, err := engine.Run(ctx, start)
				for tries := 0; err != nil && tries < 100; tries++ { // a slow machine exceeds limits
					o, err = engine.Run(ctx, start)
				}
				if err != nil || o.Err != nil {
					t.Error(err, o)
					return
				}
				if n%part == 0 {
					t.Logf("%7d in %6.1fs: heap %3d MB, disk %4d MB, %d goroutines", n, time.Since(begun).Seconds(), usage().heap>>20, size(t, folder)>>20, usage().goroutines)
				}
			}
		})
	}
	wg.Wait()
	took := time.Since(begun)
	t.Logf("%d workflows in %s: %.0f/s", *growTo, took.Round(time.Millisecond), float64(*growTo)/took.Seconds())
	families := []string{"wf", "wfi", "due"}
	for left := -1; left != 0; time.Sleep(time.Second) {
		if time.Since(begun) > 2*took+10*retention {
			t.Fatalf("%d rows are left %s after the last workflow", left, retention)
		}
		left = 0
		for _, family := range families {
			left += count(t, runner, disk, family)
		}
	}
	t.Logf("no row of a workflow is left %s after the start: heap %d MB, disk %d MB, %d goroutines", time.Since(begun).Round(time.Second), usage().heap>>20, size(t, folder)>>20, usage().goroutines)
}

// count returns how many rows of a family there are, up to a thousand.
func count(t *testing.T, runner *atomic.Runner, engine store.Engine, family string) int {
	t.Helper()
	v, err := engine.ReadVersion(background)
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Release(v)
	kvs, _, err := engine.Range(background, v, tuple.Range(tuple.AppendString(append([]byte{}, runner.Prefix()...), family)), store.RangeOptions{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	return len(kvs)
}

// size returns how many bytes the files in a folder have.
func size(t *testing.T, folder string) (n int64) {
	t.Helper()
	filepath.WalkDir(folder, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // it has been removed meanwhile
		}
		if info, err := d.Info(); err == nil && !d.IsDir() {
			n += info.Size()
		}
		return nil
	})
	return n
}
