package workflow_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	protocol "github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/store/embedded"
	"github.com/onefold/onefold/runtime/workflow"
)

// onDisk starts a process on the embedded store in a folder. Accounts are one for each
// workflow, so that none wait for each other.
func onDisk(t testing.TB, opts workflow.Options) (*protocol.Runner, *workflow.Engine) {
	t.Helper()
	store, err := embedded.Open(t.TempDir(), embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	runner := protocol.NewRunner(store, protocol.Options{Sequential: true})
	if err := runner.Init(context.Background(), initLedger); err != nil {
		t.Fatal(err)
	}
	opts.Log = slog.New(slog.DiscardHandler)
	engine, err := workflow.New(runner, shopApp(newOutside()).Workflows(), opts)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { defer close(ended); engine.Loop(ctx) }()
	t.Cleanup(func() { cancel(); <-ended; engine.Close() })
	return runner, engine
}

// clients are how many clients the benchmarks have.
var clients = []int{1, 32, 256}

// parallel runs fn b.N times on as many goroutines as there are clients, and reports commits and CPU.
func parallel(b *testing.B, n int, runner *protocol.Runner, fn func(i int64) error) {
	b.Helper()
	b.SetParallelism(n)
	b.ReportAllocs()
	before := runner.Stats().Commits
	var count atomic.Int64
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := fn(count.Add(1)); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.StopTimer()
	commits := float64(runner.Stats().Commits - before)
	b.ReportMetric(commits/b.Elapsed().Seconds(), "commits/s")
	b.ReportMetric(commits/float64(b.N), "commits/op")
}

// BenchmarkRequest is an atomic request that changes one account: what a step is measured by.
func BenchmarkRequest(b *testing.B) {
	for _, n := range clients {
		b.Run(fmt.Sprint("clients=", n), func(b *testing.B) {
			runner, _ := onDisk(b, workflow.Options{})
			parallel(b, n, runner, func(i int64) error {
				req := protocol.Request{ID: atomicID(time.Now(), byte(i)), Fresh: true, Method: "Ledger.Add", MethodHash: 1}
				_, err := runner.Run(context.Background(), req, func(ctx context.Context, tx *protocol.Tx) ([]byte, error) {
					_, err := bindLedger(tx).Add(ctx, fmt.Sprint("account", i%1000), 1)
					return nil, err
				})
				return err
			})
		})
	}
}

// BenchmarkWorkflow is a workflow of ten steps, each of which changes one account; it takes eleven commits.
func BenchmarkWorkflow(b *testing.B) {
	for _, n := range clients {
		b.Run(fmt.Sprint("clients=", n), func(b *testing.B) {
			runner, engine := onDisk(b, workflow.Options{})
			begun := time.Now().UnixMilli()
			parallel(b, n, runner, func(i int64) error {
				id := fmt.Sprintf("%08x-%04x-7000-8000-%012x", begun>>16, begun&0xffff, i)
				o, err := engine.Run(context.Background(), startOf(id, "Count", fmt.Sprint("account", i)))
				if err == nil {
					err = o.Err
				}
				return err
			})
		})
	}
}

// BenchmarkShortWorkflow is one of one step and its end.
func BenchmarkShortWorkflow(b *testing.B) {
	for _, n := range clients {
		b.Run(fmt.Sprint("clients=", n), func(b *testing.B) {
			runner, engine := onDisk(b, workflow.Options{})
			begun := time.Now().UnixMilli()
			parallel(b, n, runner, func(i int64) error {
				id := fmt.Sprintf("%08x-%04x-7000-8000-%012x", begun>>16, begun&0xffff, i)
				o, err := engine.Run(context.Background(), startOf(id, "Once", fmt.Sprint("account", i)))
				if err == nil {
					err = o.Err
				}
				return err
			})
		})
	}
}
