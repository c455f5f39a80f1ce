package profile

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// Result is what a measurement says.
type Result struct {
	Name       string          `json:"name"`
	Baseline   Interval        `json:"baseline"`          // requests a second as it is
	Halves     float64         `json:"halves"`            // by what share two halves of the baseline differ: the machine's part in every figure
	Control    *Interval       `json:"control,omitempty"` // with phases of length zero
	Overhead   Overhead        `json:"overhead"`
	Bottleneck string          `json:"bottleneck,omitempty"` // by measured times
	Services   []ServiceResult `json:"services"`             // that with the largest sure gain first, targets of several last
	Dropped    int             `json:"dropped"`              // windows that were not used
	Warnings   []string        `json:"warnings,omitempty"`
}

// Overhead is what a phase costs beside its pause, from the controls.
type Overhead struct {
	PerPhase Interval `json:"perPhase"` // seconds
	// Applied is false where the interval holds 0: taking away what cannot be told
	// from nothing would only add its noise to every prediction.
	Applied bool `json:"applied"`
}

// ServiceResult is the prediction for one target, mostly one service.
type ServiceResult struct {
	Service
	Parts       []string `json:"parts,omitempty"` // the services of a target of several
	Utilisation float64  `json:"utilisation"`     // of its cores, at the baseline; of several, the largest
	// Headroom is the largest predicted throughput over the baseline, of the points
	// that are reliable.
	Headroom float64 `json:"headroom"`
	// Knee is the fraction of the service's time at which something else becomes
	// the bottleneck; 0 if it is not the bottleneck, 1 if it stays so.
	Knee   float64 `json:"knee"`
	Points []Point `json:"points"` // by fraction
}

// sure returns the gain that the service would give at least, at the best of its points;
// 1 where none is sure to give any.
func (s *ServiceResult) sure() float64 {
	sure := 1.0
	for _, p := range s.Points {
		sure = max(sure, p.Gain.Low)
	}
	return sure
}

// Point is the prediction for one service made faster by one fraction.
type Point struct {
	Fraction  float64  `json:"fraction"`
	Delta     float64  `json:"delta"`     // seconds less for each request
	Predicted Interval `json:"predicted"` // requests a second
	Gain      Interval `json:"gain"`      // over the baseline
	// The same from other sources, to compare.
	ByRatio    float64 `json:"byRatio"`    // with the ratio of the baseline
	ByMeasured float64 `json:"byMeasured"` // with the pauses as measured
	Analytic   float64 `json:"analytic"`   // 1/max(p_i)
	Slow       float64 `json:"slow"`       // throughput during the experiments
	// PauseError is measured over ordered pause time, less 1.
	PauseError float64   `json:"pauseError"`
	Truth      *Interval `json:"truth,omitempty"`
	Windows    int       `json:"windows"`
	Unreliable bool      `json:"unreliable,omitempty"` // one of the intervals is wider than 10 % on either side
}

// Amplification returns by how much a relative error of the measured throughput
// grows in the prediction.
func (p Point) Amplification() float64 {
	if p.Slow == 0 {
		return math.Inf(1)
	}
	return p.Predicted.Value / p.Slow
}

// unreliable is the half width of an interval above which a point is marked.
const unreliable = 0.10

// Analyse computes the result. It is a function of the document alone.
func Analyse(raw *Raw) (*Result, error) {
	if err := raw.check(); err != nil {
		return nil, err
	}
	a := &analysis{raw: raw, rng: rand.New(rand.NewPCG(raw.Seed, 0x510390ce))}
	a.base = a.pick(Baseline, "", 0)
	if a.base.totals().Requests == 0 {
		return nil, fmt.Errorf("the measurement of %s has no usable baseline window", raw.Name)
	}
	res := &Result{Name: raw.Name, Warnings: slices.Clone(raw.Warnings), Bottleneck: Bottleneck(raw.Services)}
	for _, w := range raw.Windows {
		if w.Dropped != "" {
			res.Dropped++
		}
	}
	res.Baseline, res.Halves = a.throughput(a.base), a.halves()
	a.controls(res)
	for _, target := range a.targets() {
		res.Services = append(res.Services, a.service(target, res))
	}
	slices.SortStableFunc(res.Services, func(x, y ServiceResult) int {
		return cmp.Or(cmp.Compare(len(x.Parts), len(y.Parts)),
			cmp.Compare(y.sure(), x.sure()), cmp.Compare(y.Headroom, x.Headroom), cmp.Compare(x.Name, y.Name))
	})
	res.Warnings = append(append(res.Warnings, a.drift()...), a.network()...)
	return res, nil
}

type analysis struct {
	raw      *Raw
	rng      *rand.Rand
	base     sample
	overhead float64 // seconds a phase, to take away
}

// pick returns the usable windows of one setting.
func (a *analysis) pick(kind Kind, target string, fraction float64) sample {
	var s sample
	for _, w := range a.raw.Windows {
		if w.Kind == kind && w.Dropped == "" && len(w.Segments) > 0 &&
			(target == "" || w.Target == target) && w.Fraction == fraction {
			s = append(s, w)
		}
	}
	return s
}

func (a *analysis) throughput(s sample) Interval {
	draws := bootstrap(a.rng, func(rng *rand.Rand) float64 { return s.draw(rng).Throughput() })
	return interval(s.totals().Throughput(), draws, len(s))
}

// Quiet is by how much two halves of a baseline may differ for a comparison with the
// truth to prove anything.
const Quiet = 0.015

// halves compares two halves of the baseline windows, taken in turns: what differs
// between them is the machine.
func (a *analysis) halves() float64 {
	var halves [2]Totals
	for i, w := range a.base {
		for _, s := range w.Segments {
			halves[i%2].Add(s)
		}
	}
	if halves[1].Requests == 0 {
		return 0
	}
	return math.Abs(halves[0].Throughput()/halves[1].Throughput() - 1)
}

// controls computes what a phase costs: the wall time that the requests of the
// controls took beyond what they take at the baseline, over the phases.
func (a *analysis) controls(res *Result) {
	controls := a.pick(Control, "", 0)
	if controls.totals().Phases == 0 {
		return
	}
	x := a.throughput(controls)
	res.Control = &x
	cost := func(c, b Totals) float64 { return (c.Wall - c.Requests/b.Throughput()) / c.Phases }
	draws := bootstrap(a.rng, func(rng *rand.Rand) float64 { return cost(controls.draw(rng), a.base.draw(rng)) })
	value := cost(controls.totals(), a.base.totals())
	in := interval(value, draws, min(len(controls), len(a.base)))
	in.Low = 2*in.Value - in.High // an overhead may be negative, interval keeps to positive figures
	res.Overhead = Overhead{PerPhase: in, Applied: in.Low > 0}
	if res.Overhead.Applied {
		a.overhead = value
	}
}

// targets returns those that have usable experiments, in the order of the services.
func (a *analysis) targets() []string {
	var all []string
	for _, w := range a.raw.Windows {
		if w.Kind == Experiment && w.Dropped == "" && !slices.Contains(all, w.Target) {
			all = append(all, w.Target)
		}
	}
	place := func(target string) int { // those of several come first
		return slices.IndexFunc(a.raw.Services, func(s Service) bool { return s.Name == target }) // routes, too
	}
	slices.SortStableFunc(all, func(x, y string) int { return cmp.Compare(place(x), place(y)) })
	return all
}

func (a *analysis) service(target string, res *Result) ServiceResult {
	s, _ := a.raw.Target(target) // check has seen that it is there
	sr := ServiceResult{Service: s, Headroom: 1}
	share := 0.0 // of the busiest: what the whole saves, as long as it is the bottleneck
	parts := a.raw.parts(target)
	for _, p := range parts {
		share = max(share, p.Share())
		if len(parts) > 1 {
			sr.Parts = append(sr.Parts, p.Name)
		}
	}
	sr.Utilisation = min(1, share*res.Baseline.Value)
	if RouteOf(target) != "" {
		share = s.Share() // more than that the route cannot save
	}
	for _, f := range a.fractions(target) {
		p := a.point(s, f)
		if !p.Unreliable {
			sr.Headroom = max(sr.Headroom, p.Gain.Value)
		}
		sr.Points = append(sr.Points, p)
	}
	sr.Knee = knee(sr.Points, share, res.Baseline.Value)
	return sr
}

// fractions returns those that the service was tried with, in order.
func (a *analysis) fractions(name string) []float64 {
	var fs []float64
	for _, w := range a.raw.Windows {
		if w.Kind == Experiment && w.Target == name && w.Dropped == "" && !slices.Contains(fs, w.Fraction) {
			fs = append(fs, w.Fraction)
		}
	}
	slices.Sort(fs)
	return fs
}

func (a *analysis) point(s Service, f float64) Point {
	exp := a.pick(Experiment, s.Name, f)
	t, b := exp.totals(), a.base.totals()
	nominal := exp[0].Delta / s.Cores
	saved := t.Each(nominal)
	value := t.Predict(saved, a.overhead)
	p := Point{
		Fraction: f, Delta: saved * s.Cores, Windows: len(exp), Slow: t.Throughput(),
		ByRatio: t.PredictRatio(s.Ratio, saved), ByMeasured: t.PredictMeasured(a.overhead),
		Analytic: Analytic(a.raw.Services, s.Name, f),
	}
	if ordered := t.Target * saved; ordered > 0 {
		p.PauseError = t.Paused/ordered - 1
	}
	predict := func(rng *rand.Rand) float64 {
		t := exp.draw(rng)
		return t.Predict(t.Each(nominal), a.overhead)
	}
	draws := bootstrap(a.rng, predict)
	p.Predicted = interval(value, draws, len(exp))
	gains := bootstrap(a.rng, func(rng *rand.Rand) float64 { return predict(rng) / a.base.draw(rng).Throughput() })
	p.Gain = interval(value/b.Throughput(), gains, min(len(exp), len(a.base)))
	sure := a.sure(p.Slow)
	p.Predicted.Low = min(p.Predicted.Low, sure)
	p.Gain.Low = min(p.Gain.Low, sure/b.Throughput())
	p.Unreliable = max(p.Predicted.HalfWidth(), p.Gain.HalfWidth()) > unreliable
	if truth := a.pick(Truth, s.Name, f); len(truth) > 0 {
		in := a.throughput(truth)
		p.Truth = &in
	}
	return p
}

// sure returns a throughput that no service without a poker can make wrong, infinite
// where there is none. It kept its speed while the others were paused, so it can give what
// it gave then, and what it gives now; where its time is known, also what that allows.
func (a *analysis) sure(slow float64) float64 {
	sure := math.Inf(1)
	for _, s := range a.raw.Services {
		if s.Pausable {
			continue
		}
		can := max(slow, a.base.totals().Throughput())
		if share := s.Share(); share > 0 {
			can = max(can, 1/share)
		}
		sure = min(sure, can)
	}
	return sure
}

// knee finds where a target stops being the bottleneck. While it is the bottleneck
// the time of a request falls by the time saved of its share; from then on it stays.
func knee(points []Point, share, baseline float64) float64 {
	if len(points) == 0 || share == 0 || baseline == 0 {
		return 0
	}
	floor := math.Inf(1)
	for _, p := range points {
		if p.Predicted.Value > 0 {
			floor = min(floor, 1/p.Predicted.Value)
		}
	}
	at := (1/baseline - floor) / share
	if last := points[len(points)-1].Fraction; at >= 0.97*last {
		return 1
	}
	return max(0, at)
}

// drift compares the first and the second half of the baseline windows, which are
// spread over the whole run.
func (a *analysis) drift() []string {
	n := len(a.base)
	if n < 4 {
		return nil
	}
	first, second := a.throughput(a.base[:n/2]), a.throughput(a.base[n/2:])
	change := second.Value/first.Value - 1
	if math.Abs(change) < 0.05 || first.Low <= second.High && second.Low <= first.High {
		return nil
	}
	return []string{fmt.Sprintf("the baseline changed by %+.1f %% during the run: something else uses the machine, or the application slows down as its state grows", 100*change)}
}

// sending is the rate of sending in pauses, over that between them, above which the
// network may be what limits a service. What its last answers still send is less.
const sending = 0.25

// network finds services whose pauses did not stop what they send.
func (a *analysis) network() []string {
	var found []string
	for _, s := range a.raw.Services {
		if s.Egress != nil && s.Egress.Rate > sending {
			found = append(found, fmt.Sprintf("%s went on sending in pauses, at %.0f %% of its rate (%d bytes in all): where its network is the bottleneck, predictions are too high",
				s.Name, 100*s.Egress.Rate, s.Egress.Bytes))
		}
	}
	return found
}
