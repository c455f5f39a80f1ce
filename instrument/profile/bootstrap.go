package profile

import (
	"math"
	"math/rand/v2"
)

// resamples of the bootstrap. The interval's ends move by less than a tenth of
// its width between seeds.
const resamples = 600

// Interval is an estimate and its 95 % confidence interval.
type Interval struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// HalfWidth returns half the interval over the value, infinite for a value of 0.
func (i Interval) HalfWidth() float64 {
	if i.Value == 0 {
		return math.Inf(1)
	}
	return (i.High - i.Low) / 2 / math.Abs(i.Value)
}

// sample is the windows of one setting.
type sample []Window

// totals sums everything.
func (s sample) totals() Totals {
	var t Totals
	for _, w := range s {
		for _, seg := range w.Segments {
			t.Add(seg)
		}
	}
	return t
}

// draw sums a bootstrap sample in two stages: windows with replacement, since what
// changes between them (drift, neighbours on the machine) is the larger part of
// the noise, and then runs of neighbouring segments within each, since a backlog
// carries over from one segment to the next.
func (s sample) draw(rng *rand.Rand) Totals {
	var t Totals
	for range s {
		w := s[rng.IntN(len(s))]
		drawSegments(&t, w.Segments, rng)
	}
	return t
}

// drawSegments adds len(segs) segments, in circular blocks of n^(1/3), the block
// length that balances bias and variance of a block bootstrap.
func drawSegments(t *Totals, segs []Segment, rng *rand.Rand) {
	block := max(1, int(math.Cbrt(float64(len(segs)))))
	for left := len(segs); left > 0; left -= block {
		start := rng.IntN(len(segs))
		for i := range min(block, left) {
			t.Add(segs[(start+i)%len(segs)])
		}
	}
}

// bootstrap draws values of a statistic.
func bootstrap(rng *rand.Rand, statistic func(*rand.Rand) float64) []float64 {
	values := make([]float64, resamples)
	for i := range values {
		values[i] = statistic(rng)
	}
	return values
}

// interval puts a 95 % interval around value from n windows. Few windows show less
// than their true spread; widening by sqrt(n/(n-1)) and Student's t makes up for it.
func interval(value float64, draws []float64, n int) Interval {
	mean := 0.0
	for _, v := range draws {
		mean += v / float64(len(draws))
	}
	square := 0.0
	for _, v := range draws {
		square += (v - mean) * (v - mean) / float64(len(draws)-1)
	}
	half := math.Sqrt(square) * studentT(n-1) * correction(n)
	return Interval{Value: value, Low: max(0, value-half), High: value + half}
}

// Mean returns the mean of independent values and its 95 % interval.
func Mean(values []float64) Interval {
	mean, square, n := 0.0, 0.0, float64(len(values))
	for _, v := range values {
		mean += v / n
	}
	for _, v := range values {
		square += (v - mean) * (v - mean) / (n - 1)
	}
	half := studentT(len(values)-1) * math.Sqrt(square/n)
	return Interval{Value: mean, Low: mean - half, High: mean + half}
}

func correction(n int) float64 {
	if n < 2 {
		return 1
	}
	return math.Sqrt(float64(n) / float64(n-1))
}

// studentT returns the 97.5 % quantile of Student's t. One window has no spread
// between windows: there, that of its segments is taken for normal.
func studentT(df int) float64 {
	table := []float64{1.960, 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228}
	switch {
	case df < 0:
		return table[0]
	case df < len(table):
		return table[df]
	case df < 20:
		return 2.14
	case df < 40:
		return 2.04
	}
	return table[0]
}
