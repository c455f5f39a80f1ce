package profile_test

import (
	"bytes"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold/instrument/profile"
)

func TestBatch(t *testing.T) {
	tests := []struct {
		saved   float64
		clients int
		want    int
		err     string
	}{
		{0.001, 96, 20, ""},
		{0.001, 64, 16, ""},
		{0.050, 64, 1, ""},
		{0.0001, 64, 16, "at least 400 clients"},
		{0.0001, 400, 100, ""},
		{0.001, 16, 4, ""},
		{0.0005, 16, 4, "at least 80 clients"},
		{0.001, 3, 0, "too few"},
		{0.2, 64, 1, "smaller requests"},
		{0, 64, 0, "nothing to save"},
	}
	for _, test := range tests {
		got, err := profile.Batch(test.saved, test.clients)
		if got != test.want || (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
			t.Errorf("Batch(%g, %d) = %d, %v; want %d, %q", test.saved, test.clients, got, err, test.want, test.err)
		}
	}
}

// TestOrder: every repetition has every setting once, and over the repetitions no
// setting keeps its place.
func TestOrder(t *testing.T) {
	targets, fractions := []string{"a", "b", "c"}, []float64{0.25, 0.5}
	places := map[profile.Setting]map[int]bool{}
	for rep := range 6 {
		seen := map[profile.Setting]int{}
		place := 0
		for _, s := range profile.Order(targets, fractions, rep, 6, 3) {
			seen[s]++
			if s.Kind != profile.Experiment {
				continue
			}
			if places[s] == nil {
				places[s] = map[int]bool{}
			}
			places[s][place] = true
			place++
		}
		if place != 6 {
			t.Errorf("repetition %d has %d experiments, want 6", rep, place)
		}
		if seen[profile.Setting{Kind: profile.Baseline}] != 3 {
			t.Errorf("repetition %d has %d baselines, want 3", rep, seen[profile.Setting{Kind: profile.Baseline}])
		}
	}
	for s, p := range places {
		if len(p) != 6 {
			t.Errorf("%v has %d places in 6 repetitions", s, len(p))
		}
	}
}

// measurement is a document with round figures: 100 requests/s, and 50/s with the
// others paused for half of the time.
func measurement() *profile.Raw {
	segs := func(wall float64, requests int64, phases int) []profile.Segment {
		s := profile.Segment{Wall: wall, Requests: requests, Target: requests, Phases: phases, Paused: float64(requests) * 0.005}
		return []profile.Segment{s, s, s}
	}
	raw := &profile.Raw{
		Schema: profile.Schema, Name: "shop", Clients: 64,
		Services: []profile.Service{
			{Name: "cart", Cores: 1, Replicas: 1, Ratio: 1, Time: 0.01, Pausable: true},
			{Name: "mail", Cores: 2, Replicas: 1, Ratio: 1, Time: 0.01, Pausable: true},
		},
	}
	for rep := range 3 {
		raw.Windows = append(raw.Windows,
			profile.Window{Repetition: rep, Kind: profile.Baseline, Segments: segs(1, 100, 0)},
			profile.Window{Repetition: rep, Kind: profile.Control, Target: "cart", Batch: 10, Segments: segs(1, 100, 10)},
			profile.Window{Repetition: rep, Kind: profile.Experiment, Target: "cart", Fraction: 0.5, Delta: 0.005, Batch: 10, Segments: segs(1, 100, 10)},
			profile.Window{Repetition: rep, Kind: profile.Experiment, Target: "mail", Fraction: 0.5, Delta: 0.005, Batch: 10, Segments: segs(1, 80, 8)},
		)
	}
	return raw
}

// TestSaved: where pauses follow the time that requests really took, what they ordered
// counts, not what was planned: a machine half as fast is paused twice as long.
func TestSaved(t *testing.T) {
	raw := measurement()
	for i := range raw.Windows {
		if w := &raw.Windows[i]; w.Kind == profile.Experiment && w.Target == "cart" {
			for j := range w.Segments {
				s := &w.Segments[j]
				s.Wall, s.Paused, s.Saved = 2, 1, 1
			}
		}
	}
	res, err := profile.Analyse(raw)
	if err != nil {
		t.Fatal(err)
	}
	p := res.Services[0].Points[0]
	if math.Abs(p.Predicted.Value-100) > 1e-9 || math.Abs(p.Delta-0.01) > 1e-9 || math.Abs(p.PauseError) > 1e-9 {
		t.Errorf("100 requests in 2 s, 1 s of it ordered and made: %+v, want 100 requests/s and 10 ms saved of each", p)
	}
}

// TestRoutes: what is saved in one route is less than what is saved in its service.
func TestRoutes(t *testing.T) {
	raw := measurement()
	raw.Services[0].Routes = []profile.Route{{Name: "GET /cart", Ratio: 0.25}, {Name: "POST /cart", Ratio: 0.75}}
	s, ok := raw.Target("cart:GET /cart")
	if !ok || s.Ratio != 0.25 || s.Time != 0.01 || s.Name != "cart:GET /cart" {
		t.Errorf("the target is %+v, %v", s, ok)
	}
	if _, ok := raw.Target("cart:GET /"); ok {
		t.Error("a route without requests is a target")
	}
	if got := profile.Faster(raw.Services, "cart:GET /cart", 0.4)[0].Time; math.Abs(got-0.009) > 1e-12 {
		t.Errorf("a request takes %g s with 40 %% less in a quarter of them, want 0.009", got)
	}
	e, err := profile.ParseExpectation("cart:GET /cart@50% > 1.4x")
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Check(&profile.Result{}); err == nil || !strings.Contains(err.Error(), "cart:GET /cart was not profiled") {
		t.Errorf("the expectation says %v", err)
	}
}

func TestAnalyse(t *testing.T) {
	res, err := profile.Analyse(measurement())
	if err != nil {
		t.Fatal(err)
	}
	if res.Bottleneck != "cart" || res.Services[0].Name != "cart" {
		t.Errorf("bottleneck %s, first %s; want cart", res.Bottleneck, res.Services[0].Name)
	}
	// 100 requests in 1 s, of which 100*5 ms were inserted.
	cart := res.Services[0].Points[0]
	for name, got := range map[string]float64{
		"predicted": cart.Predicted.Value, "by ratio": cart.ByRatio, "by measured": cart.ByMeasured, "analytic": cart.Analytic,
	} {
		if math.Abs(got-200) > 1e-6 {
			t.Errorf("cart %s: %g, want 200", name, got)
		}
	}
	// mail has two cores: 80 requests in 1 s, of which 80*2.5 ms were inserted.
	if mail := res.Services[1].Points[0].Predicted.Value; math.Abs(mail-100) > 1e-6 {
		t.Errorf("mail: %g, want 100", mail)
	}
	if res.Overhead.Applied {
		t.Errorf("controls that cost nothing gave an overhead: %+v", res.Overhead)
	}
}

// TestNetwork: a service that goes on sending while it is paused is named.
func TestNetwork(t *testing.T) {
	raw := measurement()
	raw.Services[0].Egress = &profile.Egress{Bytes: 100, Rate: 0.02}
	raw.Services[1].Egress = &profile.Egress{Bytes: 5e6, Rate: 0.9}
	res, err := profile.Analyse(raw)
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Warnings) != 1 || !strings.HasPrefix(res.Warnings[0], "mail went on sending in pauses, at 90 % of its rate (5000000 bytes") {
		t.Errorf("warnings %q", res.Warnings)
	}
}

// TestDropped: windows with a reason are counted, not used.
func TestDropped(t *testing.T) {
	raw := measurement()
	raw.Windows[2].Dropped = "errors"
	raw.Windows[2].Segments[0].Requests = 1e6
	res, err := profile.Analyse(raw)
	if err != nil {
		t.Fatal(err)
	}
	if p := res.Services[0].Points[0]; res.Dropped != 1 || p.Windows != 2 || math.Abs(p.Predicted.Value-200) > 1e-6 {
		t.Errorf("dropped %d, used %d, predicted %g", res.Dropped, p.Windows, p.Predicted.Value)
	}
}

func TestMean(t *testing.T) {
	got := profile.Mean([]float64{1, 2, 3, 4, 5}) // deviation 1.581, Student's t 2.776
	if math.Abs(got.Value-3) > 1e-9 || math.Abs(got.Low-(3-1.963)) > 0.001 || math.Abs(got.High-(3+1.963)) > 0.001 {
		t.Errorf("mean %+v, want 3 ± 1.963", got)
	}
}

func TestExpect(t *testing.T) {
	res, err := profile.Analyse(measurement())
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ text, err string }{
		{"cart@50% > 1.4x", ""},
		{"cart@50%>1.99x", ""},
		{"cart@50% > 2.1x", "found 2.00x"},
		{"mail@50% < 1.05x", ""},
		{"cart@50% < 1.5x", "found 2.00x"},
		{"cart@25% > 1.1x", "not tried with 25 %"},
		{"tax@50% > 1.1x", "tax was not profiled"},
	}
	for _, test := range tests {
		e, err := profile.ParseExpectation(test.text)
		if err != nil {
			t.Fatal(err)
		}
		err = e.Check(res)
		if (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
			t.Errorf("%s: %v, want %q", test.text, err, test.err)
		}
	}
	for _, bad := range []string{"", "cart", "cart@50 > 1.4x", "cart@50% = 1x", "cart@50% > fast"} {
		if _, err := profile.ParseExpectation(bad); err == nil {
			t.Errorf("ParseExpectation(%q) accepted it", bad)
		}
	}
}

// TestReadWrite: a document survives being written, and wrong ones are refused.
func TestReadWrite(t *testing.T) {
	raw := measurement()
	var b bytes.Buffer
	if err := raw.Write(&b); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	back, err := profile.Read(&b)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(raw, back) {
		t.Errorf("read back (-want +got):\n%s", cmp.Diff(raw, back))
	}
	for old, replacement := range map[string]string{
		`"onefold.profile/1"`:  `"onefold.profile/9"`,
		`"kind": "experiment"`: `"kind": "guess"`,
		`"target": "mail"`:     `"target": "fax"`,
		`"target": "cart"`:     `"target": "cart+fax"`,
		`"name": "mail"`:       `"name": "mail+cart"`,
		`"wall": 1,`:           `"wall": 0,`,
	} {
		if _, err := profile.Read(strings.NewReader(strings.Replace(text, old, replacement, 1))); err == nil {
			t.Errorf("a document with %s in place of %s was accepted", replacement, old)
		}
	}
}
