package profile

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
)

// Expectation is a claim about a result, for use in CI: that a target made faster
// by a fraction gains more, or less, than a factor.
type Expectation struct {
	text     string
	service  string
	fraction float64
	greater  bool
	factor   float64
}

var expectation = regexp.MustCompile(`^\s*([^@]*[^@\s])\s*@(\d+(?:\.\d+)?)%\s*([<>])\s*(\d+(?:\.\d+)?)x\s*$`)

// ParseExpectation reads a claim such as "cart@50% > 1.4x".
func ParseExpectation(text string) (Expectation, error) {
	m := expectation.FindStringSubmatch(text)
	if m == nil {
		return Expectation{}, fmt.Errorf("expectation %q: want the form 'cart@50%% > 1.4x' or '< 1.05x'", text)
	}
	percent, _ := strconv.ParseFloat(m[2], 64) // the pattern lets only numbers through
	factor, _ := strconv.ParseFloat(m[4], 64)
	return Expectation{text: text, service: m[1], fraction: percent / 100, greater: m[3] == ">", factor: factor}, nil
}

// Check returns an error that says what was found instead, nil if the claim holds.
// It holds when the prediction is on its side of the factor and reliable.
func (e Expectation) Check(res *Result) error {
	for _, s := range res.Services {
		if s.Name != e.service {
			continue
		}
		for _, p := range s.Points {
			if math.Abs(p.Fraction-e.fraction) < 1e-9 {
				return e.checkPoint(p)
			}
		}
		return fmt.Errorf("expected %s: %s was not tried with %g %%", e.text, e.service, 100*e.fraction)
	}
	return fmt.Errorf("expected %s: %s was not profiled", e.text, e.service)
}

func (e Expectation) checkPoint(p Point) error {
	found := fmt.Sprintf("%.2fx, 95 %% interval %.2f to %.2f", p.Gain.Value, p.Gain.Low, p.Gain.High)
	switch {
	case p.Unreliable:
		return fmt.Errorf("expected %s: found %s, which is too wide to say", e.text, found)
	case (p.Gain.Value > e.factor) != e.greater:
		return fmt.Errorf("expected %s: found %s", e.text, found)
	}
	return nil
}
