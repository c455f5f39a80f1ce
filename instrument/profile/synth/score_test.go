package synth_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/onefold/onefold/instrument/profile"
)

// score is predictions beside their truths.
type score struct {
	points []point
	halves []float64 // by what share two halves of a baseline differ
}

// point is the errors of one prediction, and of others in its place, relative to the truth.
type point struct {
	topology            string
	err, null, analytic float64
	low, high           float64 // the interval over the truth
	gains, covered      bool    // more than 10 %; the interval holds the truth
}

func (s *score) add(t *testing.T, raw *profile.Raw, res *profile.Result) {
	s.halves = append(s.halves, res.Halves)
	t.Logf("baseline %.1f (%.1f to %.1f), its halves differ by %.2f %%, phase overhead %.0f µs (taken out: %v), dropped %d %v",
		res.Baseline.Value, res.Baseline.Low, res.Baseline.High, 100*res.Halves, 1e6*res.Overhead.PerPhase.Value, res.Overhead.Applied, res.Dropped, res.Warnings)
	for _, svc := range res.Services {
		for _, p := range svc.Points {
			if p.Truth == nil {
				t.Logf("| %s@%.0f %% | no usable window of the truth |", svc.Name, 100*p.Fraction)
				continue
			}
			truth := p.Truth.Value
			one := point{
				topology: raw.Name, err: p.Predicted.Value/truth - 1, null: res.Baseline.Value/truth - 1, analytic: p.Analytic/truth - 1,
				low: p.Predicted.Low / truth, high: p.Predicted.High / truth,
				gains: truth > 1.1*res.Baseline.Value, covered: p.Predicted.Low <= truth && truth <= p.Predicted.High,
			}
			t.Logf("| %s | %s@%.0f %% | %.1f (%.1f to %.1f) | %.1f (%.1f to %.1f) | %+.2f %% | %+.1f %% | %+.1f %% |",
				raw.Name, svc.Name, 100*p.Fraction, truth, p.Truth.Low, p.Truth.High,
				p.Predicted.Value, p.Predicted.Low, p.Predicted.High, 100*one.err, 100*one.null, 100*one.analytic)
			s.points = append(s.points, one)
		}
	}
}

func (s *score) print(t *testing.T) {
	t.Logf("all: %v", s.sum(func(point) bool { return true }))
	t.Logf("gains above 10 %%: %v", s.sum(func(p point) bool { return p.gains }))
	mean, worst := 0.0, 0.0
	for _, h := range s.halves {
		mean += h / float64(len(s.halves))
		worst = max(worst, h)
	}
	t.Logf("%.0f of %d intervals hold the truth; halves of baselines differ by %.2f %% in the mean, %.2f %% at most",
		s.sum(func(p point) bool { return p.covered }).n, len(s.points), 100*mean, 100*worst)
	if worst > profile.Quiet {
		t.Logf("INCONCLUSIVE: the machine was not quiet enough")
	}
	if *svg == "" {
		return
	}
	if err := s.plot(*svg); err != nil {
		t.Error(err)
	}
}

// sum sums up some of the points.
func (s *score) sum(of func(point) bool) (g group) {
	for _, p := range s.points {
		if of(p) {
			g.add(p)
		}
	}
	return g
}

// group is sums over points.
type group struct{ n, square, sum, bias, worst, null, analytic float64 }

func (g *group) add(p point) {
	g.n++
	g.square += p.err * p.err
	g.sum += math.Abs(p.err)
	g.bias += p.err
	g.worst = max(g.worst, math.Abs(p.err))
	g.null += math.Abs(p.null)
	g.analytic += math.Abs(p.analytic)
}

func (g group) String() string {
	if g.n == 0 {
		return "no points"
	}
	return fmt.Sprintf("%.0f points: RMSE %.2f %%, MAE %.2f %%, bias %+.2f %%, worst %.2f %%; MAE of predicting no change %.1f %%, of the capacity model %.1f %%",
		g.n, 100*math.Sqrt(g.square/g.n), 100*g.sum/g.n, 100*g.bias/g.n, 100*g.worst, 100*g.null/g.n, 100*g.analytic/g.n)
}
