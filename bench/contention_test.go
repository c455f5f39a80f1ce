package bench_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	sweepFor  = flag.Duration("sweep", 0, "how long each cell of the contention sweep is measured; 0 is a short sweep that shows only that nothing is lost")
	sweepSVG  = flag.String("sweep-svg", "", "write a plot of the contention sweep to a `file`")
	sweepJSON = flag.String("sweep-json", "", "write the contention sweep to a `file`, as JSON")
)

// row is a cell of the sweep as it is reported.
type row struct {
	Place    string  `json:"place"`
	Keys     string  `json:"keys"`
	Side     string  `json:"side"` // onefold or plain
	Clients  int     `json:"clients"`
	Rate     float64 `json:"requestsPerSecond"`
	P50      float64 `json:"p50Microseconds"`
	P99      float64 `json:"p99Microseconds"`
	Most     float64 `json:"mostMicroseconds"`
	Attempts float64 `json:"attemptsPerRequest"`
	MostOf   int     `json:"mostAttempts"`
	Fewest   float64 `json:"fewestOverMean"` // requests of the client that got the fewest, over the mean

	o    outcome
	took time.Duration
}

var sides = []string{"onefold", "plain"}

// TestContention sweeps from uniform keys to one hot key at rising load, with the
// runtime and with plain transactions in turns, in one process and in several. Every
// request adds 1 to a key; at the end nothing may be lost or counted twice.
func TestContention(t *testing.T) {
	skews, loads, long := []float64{0, hottest}, []int{16}, 40*time.Millisecond
	if *sweepFor > 0 {
		skews, loads, long = []float64{0, 0.5, 0.9, 0.99, 1.2, hottest}, []int{1, 4, 16, 64, 256}, *sweepFor
	}
	var rows []*row
	places := []struct {
		name string
		open func(*testing.T) *place
	}{
		{"one process", oneProcess},
		{"1 replica", replicas(1)},
		{"2 replicas", replicas(2)},
		{"4 replicas", replicas(4)},
	}
	for _, at := range places {
		t.Run(at.name, func(t *testing.T) {
			p := at.open(t)
			p.name = at.name
			requests := 0
			for _, skew := range skews {
				t.Run(keyNames[skew], func(t *testing.T) {
					for _, clients := range loads {
						pair := p.compare(t, cell{Skew: skew, Clients: clients, For: long})
						for _, r := range pair {
							requests += len(r.o.Latencies)
						}
						rows = append(rows, pair...)
						if *sweepFor > 0 { // progress: it takes minutes
							printRow(os.Stderr, pair)
						}
					}
				})
			}
			if sum, err := total(t.Context(), p.engine); err != nil || sum != uint64(requests) {
				t.Errorf("%d requests were acknowledged, the keys sum up to %d (%v)", requests, sum, err)
			}
		})
	}
	for _, r := range rows {
		r.o = outcome{}
	}
	if *sweepJSON != "" {
		writeJSON(t, *sweepJSON, rows)
	}
	if *sweepSVG != "" {
		if err := writePlot(*sweepSVG, rows); err != nil {
			t.Error(err)
		}
	}
	var table strings.Builder
	verdicts(&table, rows)
	t.Logf("\n%s", table.String())
}

// compare measures both sides in turns, so that both have the same share of whatever
// else the machine does.
func (p *place) compare(t *testing.T, c cell) []*row {
	const turns = 2
	pair := make([]*row, len(sides))
	for turn := range turns {
		for i, side := range sides {
			if turn == 0 {
				pair[i] = &row{Place: p.name, Keys: keyNames[c.Skew], Side: side, Clients: c.Clients}
			}
			c := c
			c.Plain, c.For, c.Seed = side == "plain", c.For/turns, seed()
			start := time.Now()
			o, err := p.measure(t.Context(), c)
			if err != nil {
				t.Fatalf("%s, %s, %s, %d clients: %v", p.name, keyNames[c.Skew], side, c.Clients, err)
			}
			pair[i].took += time.Since(start)
			pair[i].o.merge(o)
		}
	}
	for _, r := range pair {
		r.finish()
	}
	return pair
}

// merge adds another turn of the same clients.
func (o *outcome) merge(turn *outcome) {
	per := o.PerClient
	o.add(turn)
	if per != nil {
		o.PerClient = per
		for i, n := range turn.PerClient {
			o.PerClient[i] += n
		}
	}
}

func (r *row) finish() {
	o := &r.o
	n := float64(len(o.Latencies))
	us := func(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
	r.Rate = n / r.took.Seconds()
	r.P50, r.P99, r.Most = us(quantile(o.Latencies, 0.5)), us(quantile(o.Latencies, 0.99)), us(quantile(o.Latencies, 1))
	r.Attempts, r.MostOf = float64(o.Attempts)/n, o.MostAttempts
	r.Fewest = float64(slices.Min(o.PerClient)) * float64(len(o.PerClient)) / n
}

var keyNames = map[float64]string{0: "uniform", 0.5: "zipf 0.5", 0.9: "zipf 0.9", 0.99: "zipf 0.99", 1.2: "zipf 1.2", hottest: "one key"}

// printRow prints a line: for each side the rate, the median, the 99th percentile and
// the longest latency, attempts a request, the most attempts of one, and the requests
// of the client that got the fewest, over the mean.
func printRow(w io.Writer, pair []*row) {
	for i, r := range pair {
		if i == 0 {
			fmt.Fprintf(w, "%-12s %-10s %4d ", r.Place, r.Keys, r.Clients)
		}
		fmt.Fprintf(w, "| %-7s %7.0f/s %9s %9s %9s  %5.2f %4d %5.2f ", r.Side, r.Rate, duration(r.P50), duration(r.P99), duration(r.Most), r.Attempts, r.MostOf, r.Fewest)
	}
	fmt.Fprintln(w)
}

func duration(us float64) time.Duration {
	return (time.Duration(us) * time.Microsecond).Round(10 * time.Microsecond)
}

// verdicts says what must hold: what is left of the peak at the highest load, and
// how much one hot key gains over plain transactions.
func verdicts(w io.Writer, rows []*row) {
	type line struct{ place, keys string }
	var order []line
	peak, last := map[line]map[string]float64{}, map[line]map[string]float64{}
	for _, r := range rows {
		l := line{r.Place, r.Keys}
		if peak[l] == nil {
			order = append(order, l)
			peak[l], last[l] = map[string]float64{}, map[string]float64{}
		}
		peak[l][r.Side] = max(peak[l][r.Side], r.Rate)
		last[l][r.Side] = r.Rate
	}
	fmt.Fprintf(w, "%-12s %-10s | %10s %8s | %10s %8s | %s\n", "", "", "onefold", "kept", "plain", "kept", "onefold over plain at the highest load")
	for _, l := range order {
		fmt.Fprintf(w, "%-12s %-10s |", l.place, l.keys)
		for _, side := range sides {
			fmt.Fprintf(w, " %8.0f/s %7.0f%% |", peak[l][side], 100*last[l][side]/peak[l][side])
		}
		fmt.Fprintf(w, " %.1f\n", last[l]["onefold"]/last[l]["plain"])
	}
}

func writeJSON(t *testing.T, name string, rows []*row) {
	text, err := json.MarshalIndent(rows, "", "\t")
	if err == nil {
		err = os.WriteFile(name, append(text, '\n'), 0o644)
	}
	if err != nil {
		t.Error(err)
	}
}
