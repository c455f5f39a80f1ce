package bench_test

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onefold/onefold/bench/byhand"
	"github.com/onefold/onefold/runtime/local"
	"github.com/onefold/onefold/runtime/store/embedded"
	"github.com/onefold/onefold/testdata/apps/travel/gen"
)

var tableFor = flag.Duration("table", 60*time.Millisecond, "how long each side of each row of the comparison is measured")

// scenario is one row of the comparison.
type scenario struct {
	name string
	path string
	body func(i int) string
}

// places is how many hotels and flights there are: enough that two requests
// seldom want the same.
const places = 1000

var scenarios = []scenario{
	{"one-service update", "/Hotel/Add", func(i int) string { return fmt.Sprintf(`{"hotelID":"hotel%d","capacity":%d}`, i%places, 1_000_000+i%7) }},
	{"three-service request", "/Frontend/Book", func(i int) string {
		return fmt.Sprintf(`{"user":"user%d","hotelID":"hotel%d","flightID":"flight%d"}`, i%places, i%places, i*7%places)
	}},
	{"read", "/Hotel/Room", func(i int) string { return fmt.Sprintf(`{"hotelID":"hotel%d"}`, i%places) }},
}

// TestComparison measures the compiled application next to the one by hand, in
// turns, so that both have the same share of whatever else the machine does. Without
// -table it only shows that both answer alike.
func TestComparison(t *testing.T) {
	compared := [2]contestant{{serveCompiled(t), cpuTime}, {serveByHand(t), cpuTime}}
	for _, c := range compared {
		fillPlaces(t, c.address)
	}
	compareAll(t, scenarios, []int{1, 32}, compared)
}

// contestant is the server of one side of a comparison.
type contestant struct {
	address string
	cpu     func() time.Duration // used so far, by everybody who takes part
}

// compareAll compares the compiled side with that by hand, and logs a table.
func compareAll(t *testing.T, scenarios []scenario, loads []int, compared [2]contestant) {
	var table strings.Builder
	fmt.Fprintf(&table, "%-24s %7s  %-8s %9s %9s %9s %9s  %6s %6s %6s\n", "", "clients", "", "p50", "p99", "req/s", "CPU", "p50", "req/s", "CPU")
	for _, s := range scenarios {
		for _, clients := range loads {
			compare(t, &table, s, clients, compared)
		}
	}
	t.Logf("compiled against by hand; CPU is of servers and clients for each request; the last three columns are ratios\n%s", table.String())
}

// compare measures both sides in turns and adds a row.
func compare(t *testing.T, table io.Writer, s scenario, clients int, compared [2]contestant) {
	const turns = 6
	var measured [2]measurement
	for turn := range turns {
		for side, c := range compared {
			load := drive(t, c, s, clients, *tableFor/turns, turn)
			measured[side].latencies = append(measured[side].latencies, load.latencies...)
			measured[side].took += load.took
			measured[side].cpu += load.cpu
		}
	}
	a, b := &measured[0], &measured[1]
	fmt.Fprintf(table, "%-24s %7d  compiled %9s %9s %9.0f %9s  %6.2f %6.2f %6.2f\n", s.name, clients, a.quantile(0.5), a.quantile(0.99), a.rate(), a.cost(),
		float64(a.quantile(0.5))/float64(b.quantile(0.5)), a.rate()/b.rate(), float64(a.cost())/float64(b.cost()))
	fmt.Fprintf(table, "%-24s %7s  by hand  %9s %9s %9.0f %9s\n", "", "", b.quantile(0.5), b.quantile(0.99), b.rate(), b.cost())
}

// measurement is what one side did.
type measurement struct {
	latencies []time.Duration
	took, cpu time.Duration
}

func (m *measurement) quantile(q float64) time.Duration {
	slices.Sort(m.latencies)
	return m.latencies[int(q*float64(len(m.latencies)-1))].Round(time.Microsecond)
}

func (m *measurement) rate() float64 { return float64(len(m.latencies)) / m.took.Seconds() }

// cost is the processor time of a request.
func (m *measurement) cost() time.Duration {
	return (m.cpu / time.Duration(len(m.latencies))).Round(100 * time.Nanosecond)
}

func serveCompiled(t *testing.T) (address string) {
	ctx, stop := context.WithCancel(context.Background())
	banner, out := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- local.Serve(ctx, gen.App(), local.Options{
			Listen: "127.0.0.1:0", Data: filepath.Join(t.TempDir(), "data"), Out: out,
		})
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	if _, err := fmt.Fscanf(banner, "travel serves at http://%s", &address); err != nil {
		t.Fatal(err)
	}
	go io.Copy(io.Discard, banner)
	return strings.TrimSuffix(address, ",")
}

func serveByHand(t *testing.T) (address string) {
	engine, err := embedded.Open(filepath.Join(t.TempDir(), "data"), embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { engine.Close() })
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: byhand.App{Engine: engine}.Handler()}
	go server.Serve(listener)
	t.Cleanup(func() { server.Close() })
	return listener.Addr().String()
}

// fillPlaces makes the hotels and flights.
func fillPlaces(t *testing.T, address string) {
	var wg sync.WaitGroup
	for worker := range 32 {
		wg.Go(func() {
			c := dial(t, address)
			defer c.Close()
			for i := worker; i < places; i += 32 {
				c.send(t, request("/Hotel/Add", fmt.Sprintf(`{"hotelID":"hotel%d","capacity":1000000}`, i)))
				c.send(t, request("/Flight/Add", fmt.Sprintf(`{"flightID":"flight%d","seats":1000000}`, i)))
			}
		})
	}
	wg.Wait()
}

// drive is a closed loop of clients: each sends its next request when it has the
// reply to the one before.
func drive(t *testing.T, served contestant, s scenario, clients int, long time.Duration, turn int) (m measurement) {
	latencies := make([][]time.Duration, clients)
	start, cpu := time.Now(), served.cpu()
	var wg sync.WaitGroup
	for i := range clients {
		wg.Go(func() {
			c := dial(t, served.address)
			defer c.Close()
			for n := turn*7919 + i*104729; len(latencies[i]) == 0 || time.Since(start) < long; n += 31 {
				req := request(s.path, s.body(n))
				sent := time.Now()
				c.send(t, req)
				latencies[i] = append(latencies[i], time.Since(sent))
			}
		})
	}
	wg.Wait()
	return measurement{latencies: slices.Concat(latencies...), took: time.Since(start), cpu: served.cpu() - cpu}
}

// client is a connection that costs as little as it can, so that the servers
// have the processors.
type client struct {
	net.Conn
	in *bufio.Reader
}

func dial(t *testing.T, address string) *client {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Error(err)
	}
	return &client{conn, bufio.NewReader(conn)}
}

func request(path, body string) []byte {
	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", path, len(body), body)
}

// send sends a request and reads the reply, which must be 200.
func (c *client) send(t *testing.T, request []byte) {
	if _, err := c.Write(request); err != nil {
		t.Error(err)
		return
	}
	length := 0
	for n := 0; ; n++ {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			t.Error(err)
			return
		}
		switch text := strings.TrimSpace(string(line)); {
		case n == 0 && text != "HTTP/1.1 200 OK":
			t.Errorf("%s: %s", request, text)
		case text == "":
			c.in.Discard(length)
			return
		case strings.HasPrefix(text, "Content-Length: "):
			length, _ = strconv.Atoi(text[len("Content-Length: "):])
		}
	}
}
