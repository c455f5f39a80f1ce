package bench_test

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/onefold/onefold/bench/byhand"
	"github.com/onefold/onefold/runtime/local"
	"github.com/onefold/onefold/runtime/store/embedded"
	"github.com/onefold/onefold/testdata/apps/travel/gen"
)

// BenchmarkHandler measures what a request costs without network and disk, one at a time.
func BenchmarkHandler(b *testing.B) {
	for _, s := range scenarios {
		b.Run(s.name+"/compiled", func(b *testing.B) {
			engine := openNoSync(b)
			server, err := local.New(b.Context(), gen.App(), engine, local.Options{})
			if err != nil {
				b.Fatal(err)
			}
			benchmarkHandler(b, server.Handler(), s)
		})
		b.Run(s.name+"/by hand", func(b *testing.B) { benchmarkHandler(b, byhand.App{Engine: openNoSync(b)}.Handler(), s) })
	}
}

func openNoSync(b *testing.B) *embedded.Engine {
	engine, err := embedded.Open("data", embedded.Options{FS: vfs.NewMem(), NoSync: true})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { engine.Close() })
	return engine
}

func benchmarkHandler(b *testing.B, handler http.Handler, s scenario) {
	w := fill(b, handler)
	b.ReportAllocs()
	before, n := cpuTime(), 0
	for ; b.Loop(); n++ {
		w.send(handler, s.path, s.body(n))
	}
	b.ReportMetric(float64(cpuTime()-before)/float64(n), "cpu-ns/op")
	if w.status != 0 && w.status != 200 {
		b.Errorf("status %d", w.status)
	}
}

// BenchmarkContended has 32 clients order at the same time, who all want the next
// number, on a disk but without network.
func BenchmarkContended(b *testing.B) {
	b.Run("compiled", func(b *testing.B) {
		server, err := local.New(b.Context(), gen.App(), openDisk(b), local.Options{})
		if err != nil {
			b.Fatal(err)
		}
		benchmarkContended(b, server.Handler())
		stats := server.Runner().Stats()
		b.ReportMetric(float64(stats.Attempts)/float64(stats.Requests), "attempts/op")
	})
	b.Run("by hand", func(b *testing.B) { benchmarkContended(b, byhand.App{Engine: openDisk(b)}.Handler()) })
}

func benchmarkContended(b *testing.B, handler http.Handler) {
	const clients = 32
	fill(b, handler)
	var next atomic.Int64
	var wg sync.WaitGroup
	before := cpuTime()
	b.ResetTimer()
	for range clients {
		wg.Go(func() {
			w := &discard{header: http.Header{}}
			for i := int(next.Add(1)); i <= b.N; i = int(next.Add(1)) {
				w.send(handler, scenarios[1].path, scenarios[1].body(i*31))
			}
			if w.status != 0 && w.status != 200 {
				b.Errorf("status %d", w.status)
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(cpuTime()-before)/float64(b.N), "cpu-ns/op")
}

func openDisk(b *testing.B) *embedded.Engine {
	engine, err := embedded.Open(filepath.Join(b.TempDir(), "data"), embedded.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { engine.Close() })
	return engine
}

// fill makes the hotels and flights.
func fill(b *testing.B, handler http.Handler) *discard {
	w := &discard{header: http.Header{}}
	for i := range places {
		w.send(handler, "/Hotel/Add", scenarios[0].body(i))
		w.send(handler, "/Flight/Add", `{"flightID":"flight`+strconv.Itoa(i)+`","seats":1000000}`)
	}
	return w
}

// cpuTime is what the process has used: on a busy machine it says more than the clock.
func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// send has handler answer a request.
func (d *discard) send(handler http.Handler, path, body string) {
	clear(d.header)
	handler.ServeHTTP(d, &http.Request{
		Method: "POST", URL: &url.URL{Path: path}, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(bytes.NewReader([]byte(body))), ContentLength: int64(len(body)),
	})
}

// discard is a ResponseWriter that keeps only the status.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(status int)      { d.status = status }
