package profile

// Totals are sums over segments.
type Totals struct {
	Wall, Requests, Target, Phases, Paused, Saved float64
}

// Add adds one segment.
func (t *Totals) Add(s Segment) {
	t.Wall += s.Wall
	t.Requests += float64(s.Requests)
	t.Target += float64(s.Target)
	t.Phases += float64(s.Phases)
	t.Paused += s.Paused
	t.Saved += s.Saved
}

// Each returns the seconds of wall time that each of the target's requests saved: those
// that were ordered, or else what every request was to save.
func (t Totals) Each(nominal float64) float64 {
	if t.Saved > 0 && t.Target > 0 {
		return t.Saved / t.Target
	}
	return nominal
}

// Throughput returns end-to-end requests a second, 0 for nothing measured.
func (t Totals) Throughput() float64 {
	if t.Wall <= 0 {
		return 0
	}
	return t.Requests / t.Wall
}

// Predict returns the throughput X that the target would give if each of its
// requests took saved seconds of wall time less (Delta/q_x): the requests over the
// wall time without the time that was inserted, N/(W - N_x*Delta/q_x). Overhead is
// the time that one phase costs beside its pause. The result is 0 where the
// inserted time is all there was.
func (t Totals) Predict(saved, overhead float64) float64 {
	return t.over(t.Target*saved + t.Phases*overhead)
}

// PredictMeasured is Predict with the pauses as they were measured in place of
// those that were ordered. The two differ where pausing does not work as it should.
func (t Totals) PredictMeasured(overhead float64) float64 {
	return t.over(t.Paused + t.Phases*overhead)
}

// PredictRatio is the same identity by throughputs, 1/(1/X_slow - D), with the
// ratio r_x of requests from another window, so that it does not depend on how
// the target's requests were counted in this one.
func (t Totals) PredictRatio(ratio, saved float64) float64 {
	return t.over(t.Requests * ratio * saved)
}

func (t Totals) over(inserted float64) float64 {
	if wall := t.Wall - inserted; wall > 0 {
		return t.Requests / wall
	}
	return 0
}

// Analytic returns the throughput of the capacity model, 1/max(p_i), with the time
// of the target cut by fraction; 0 where no service has a measured time. It knows
// nothing of what a request costs outside the measured time, which is why it is
// only a figure to compare with.
func Analytic(services []Service, target string, fraction float64) float64 {
	worst := 0.0
	for _, s := range Faster(services, target, fraction) {
		worst = max(worst, s.Share())
	}
	if worst == 0 {
		return 0
	}
	return 1 / worst
}

// Bottleneck returns the service with the largest share, the one that limits
// throughput in the capacity model; empty where nothing was measured.
func Bottleneck(services []Service) string {
	name, worst := "", 0.0
	for _, s := range services {
		if p := s.Share(); p > worst {
			name, worst = s.Name, p
		}
	}
	return name
}
