//go:build foundationdb && fdbsim

package foundationdb_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/foundationdb"
	"github.com/onefold/onefold/runtime/store/foundationdb/fdbsim"
	"github.com/onefold/onefold/runtime/store/storetest"
)

// TestMain makes of the test binary a client process of TestProcesses, if the
// environment says so.
func TestMain(m *testing.M) {
	if name := os.Getenv("ONEFOLD_TEST_CLIENT"); name != "" {
		if err := runClient(name, os.Getenv("ONEFOLD_TEST_CLUSTER")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

const requestsPerClient = 40

// runClient makes requests and prints how many were acknowledged.
func runClient(name, clusterFile string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	e, err := foundationdb.Open(ctx, foundationdb.Options{ClusterFile: clusterFile, Timeout: time.Second})
	if err != nil {
		return err
	}
	defer e.Close()
	done := 0
	for i := range requestsPerClient {
		if err := once(ctx, e, fmt.Sprintf("%s/%d", name, i)); err != nil {
			return err
		}
		done++
	}
	fmt.Println(done)
	return nil
}

// once increments the counter and leaves a mark, exactly once for an id: it
// retries until the mark is known to be there.
func once(ctx context.Context, e store.Engine, id string) error {
	for {
		done, err := attempt(ctx, e, id)
		switch {
		case done || ctx.Err() != nil:
			return err
		case err == nil || errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrTooOld) || errors.Is(err, store.ErrUnknown):
		default:
			return err
		}
	}
}

// attempt commits the increment and the mark unless the mark is there, which it
// reports as done.
func attempt(ctx context.Context, e store.Engine, id string) (done bool, err error) {
	mark, counter := []byte("mark/"+id), []byte("counter")
	v, err := e.ReadVersion(ctx)
	if err != nil {
		return false, err
	}
	defer e.Release(v)
	if _, ok, err := e.Get(ctx, v, mark); ok || err != nil {
		return ok, err
	}
	value, _, err := e.Get(ctx, v, counter)
	if err != nil {
		return false, err
	}
	var n uint64
	if len(value) == 8 {
		n = binary.LittleEndian.Uint64(value)
	}
	_, err = e.Commit(ctx, &store.Commit{
		Version: v,
		Reads:   []store.Range{store.Point(mark), store.Point(counter)},
		Ops: []store.Op{
			{Kind: store.Set, Key: mark, Value: []byte("1")},
			{Kind: store.Set, Key: counter, Value: binary.LittleEndian.AppendUint64(nil, n+1)},
			{Kind: store.SetStamped, Key: []byte("log/" + strings.Repeat("?", store.StampSize)), Value: []byte(id)},
		},
	})
	return err == nil, err
}

// checkOnce compares the counter, the marks and the log with the requests that
// were acknowledged, all of which were.
func checkOnce(t *testing.T, e store.Engine, want int) {
	t.Helper()
	v := version(t, e)
	value, _, err := e.Get(t.Context(), v, []byte("counter"))
	try(t, err)
	for _, prefix := range []string{"mark", "log"} {
		kvs, _, err := e.Range(t.Context(), v, store.Range{Begin: []byte(prefix + "/"), End: []byte(prefix + "0")}, store.RangeOptions{})
		try(t, err)
		if n := int(binary.LittleEndian.Uint64(value)); len(kvs) != want || n != want {
			t.Errorf("%d in %s, the counter is %d; want %d", len(kvs), prefix, n, want)
		}
	}
}

// unkind are faults of all kinds, each now and then.
func unkind(t *testing.T, c *fdbsim.Cluster, seed uint64) {
	t.Helper()
	t.Logf("seed %d", seed)
	try(t, c.Seed(seed))
	for _, code := range []int{fdbsim.TooOld, fdbsim.FutureVersion, fdbsim.ProcessBehind} {
		try(t, c.Rate(fdbsim.Get, 10, fdbsim.Fault{Code: code}))
		try(t, c.Rate(fdbsim.Commit, 10, fdbsim.Fault{Code: code}))
	}
	try(t, c.Rate(fdbsim.ReadVersion, 10, fdbsim.Fault{Code: fdbsim.Throttled}))
	try(t, c.Rate(fdbsim.Commit, 30, fdbsim.Fault{Code: fdbsim.NotCommitted}))
	for _, landing := range []fdbsim.Landing{fdbsim.Lost, fdbsim.Landed} {
		try(t, c.Rate(fdbsim.Commit, 30, fdbsim.Fault{Code: fdbsim.UnknownResult, Landing: landing}))
		try(t, c.Rate(fdbsim.Commit, 10, fdbsim.Fault{Code: fdbsim.ClusterVersionChanged, Landing: landing}))
	}
	for after := range 3 {
		try(t, c.Rate(fdbsim.Commit, 20, fdbsim.Fault{Code: fdbsim.UnknownResult, Landing: fdbsim.Late, After: after}))
	}
	try(t, c.Rate(fdbsim.Get, 20, fdbsim.Fault{Delay: time.Millisecond}))
}

func TestExactlyOnceUnderFaults(t *testing.T) {
	c := newCluster(t)
	e := openOn(t, c, foundationdb.Options{})
	defer e.Close()
	unkind(t, c, uint64(time.Now().UnixNano()))
	const clients = 6
	var wg sync.WaitGroup
	for client := range clients {
		wg.Go(func() {
			for i := range requestsPerClient {
				if err := once(t.Context(), e, fmt.Sprintf("%d/%d", client, i)); err != nil {
					t.Errorf("client %d: %v", client, err)
				}
			}
		})
	}
	wg.Wait()
	_, err := c.Land()
	try(t, err)
	stats, err := c.Stats()
	try(t, err)
	t.Logf("%+v", stats)
	try(t, c.Reset())
	checkOnce(t, e, clients*requestsPerClient)
	if stats.Fired == 0 {
		t.Error("no fault struck")
	}
}

// TestProcesses has several processes share one simulated cluster under faults.
func TestProcesses(t *testing.T) {
	c := serve(t)
	unkind(t, c, uint64(time.Now().UnixNano()))
	const clients = 3
	var wg sync.WaitGroup
	for client := range clients {
		wg.Go(func() {
			cmd := exec.CommandContext(t.Context(), os.Args[0])
			cmd.Env = append(os.Environ(), "ONEFOLD_TEST_CLIENT=c"+strconv.Itoa(client), "ONEFOLD_TEST_CLUSTER="+c.ClusterFile())
			cmd.Stderr = os.Stderr
			out, err := cmd.Output()
			if got := strings.TrimSpace(string(out)); err != nil || got != strconv.Itoa(requestsPerClient) {
				t.Errorf("client %d: %v, %s requests acknowledged", client, err, got)
			}
		})
	}
	wg.Wait()
	_, err := c.Land()
	try(t, err)
	try(t, c.Reset())
	e := openOn(t, c, foundationdb.Options{})
	defer e.Close()
	checkOnce(t, e, clients*requestsPerClient)
}

// TestConformanceOfServer runs the suite on clusters in another process.
func TestConformanceOfServer(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Engine {
		c := serve(t)
		return openOn(t, c, foundationdb.Options{})
	})
}

// serve starts a cluster in another process.
func serve(t *testing.T) *fdbsim.Cluster {
	t.Helper()
	c, err := fdbsim.Serve(context.WithoutCancel(t.Context()), os.Getenv("FDBSIMD"), t.TempDir())
	if err != nil {
		t.Fatalf("FDBSIMD names the server, which make test-fdb builds: %v", err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// TestServerDies kills the cluster while a commit is under way.
func TestServerDies(t *testing.T) {
	c := serve(t)
	e := openOn(t, c, foundationdb.Options{Timeout: 5 * time.Second})
	defer e.Close()
	try(t, appendTo(t.Context(), e))
	try(t, c.Fail(fdbsim.Commit, 1, fdbsim.Fault{Hang: true, Landing: fdbsim.Landed}))
	killed := make(chan error, 1)
	time.AfterFunc(50*time.Millisecond, func() { killed <- c.Kill() })
	wantMeaning(t, "a commit whose cluster dies", store.ErrUnknown, appendTo(t.Context(), e))
	try(t, <-killed)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	wantMeaning(t, "a request to a dead cluster", context.DeadlineExceeded, appendTo(ctx, e))
}
