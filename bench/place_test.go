package bench_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/embedded"
	"github.com/onefold/onefold/runtime/store/remote"
)

// place is where the clients of a cell are.
type place struct {
	name    string
	engine  store.Engine // of the store's own process
	measure func(ctx context.Context, c cell) (*outcome, error)
}

// oneProcess is an application with its store in one process.
func oneProcess(t *testing.T) *place {
	engine := openStore(t)
	runner := atomic.NewRunner(engine, atomic.Options{App: "bench"})
	return &place{engine: engine, measure: func(ctx context.Context, c cell) (*outcome, error) { return c.run(ctx, runner, engine) }}
}

// replicas is n processes over a store in one more, this one.
func replicas(n int) func(t *testing.T) *place {
	return func(t *testing.T) *place { return openReplicas(t, n) }
}

func openReplicas(t *testing.T, n int) *place {
	engine := openStore(t)
	socket := serveStore(t, engine)
	p := &place{engine: engine}
	var workers []*worker
	for range n {
		workers = append(workers, startWorker(t, socket))
	}
	p.measure = func(ctx context.Context, c cell) (*outcome, error) {
		outcomes := make([]outcome, n)
		errs := make([]error, n)
		var wg sync.WaitGroup
		for i, w := range workers {
			mine := c
			mine.Seed += uint64(i)
			if mine.Clients = c.Clients / n; i < c.Clients%n {
				mine.Clients++
			}
			if mine.Clients > 0 {
				wg.Go(func() { outcomes[i], errs[i] = w.measure(mine) })
			}
		}
		wg.Wait()
		sum := &outcome{}
		for i := range outcomes {
			sum.add(&outcomes[i])
		}
		return sum, errors.Join(errs...)
	}
	return p
}

// openStore opens a store on disk.
func openStore(t *testing.T) store.Engine {
	engine, err := embedded.Open(filepath.Join(t.TempDir(), "data"), embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })
	return engine
}

// serveStore lets other processes use engine, at the socket that it returns.
func serveStore(t *testing.T, engine store.Engine) (socket string) {
	dir, err := os.MkdirTemp("", "bench") // the folder of t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket = filepath.Join(dir, "store.sock")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server, err := remote.NewServer(t.Context(), engine, remote.ServerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
	return socket
}

// worker is a process that measures cells: one a line comes in, one outcome a line goes out.
type worker struct {
	in  *json.Encoder
	out *json.Decoder
}

// asWorker makes the test binary a worker on the store at the socket that it names.
const asWorker = "ONEFOLD_BENCH_WORKER"

func startWorker(t *testing.T, socket string) *worker {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), asWorker+"="+socket)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("worker: %v", err)
		}
	})
	return &worker{json.NewEncoder(in), json.NewDecoder(out)}
}

func (w *worker) measure(c cell) (o outcome, err error) {
	if err := w.in.Encode(c); err != nil {
		return o, err
	}
	return o, w.out.Decode(&o)
}

// work is the program of a worker. It returns the exit code.
func work(socket string) int {
	ctx := context.Background()
	engine, err := remote.Open(ctx, remote.Options{Dial: remote.Dial("unix", socket), Timeout: 30 * time.Second})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer engine.Close()
	runner := atomic.NewRunner(engine, atomic.Options{App: "bench", Remote: true})
	in, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var c cell
		if err := in.Decode(&c); err != nil {
			if errors.Is(err, io.EOF) {
				return 0
			}
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		o, err := c.run(ctx, runner, engine)
		if err == nil {
			err = out.Encode(o)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
}
