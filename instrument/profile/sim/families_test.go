package sim_test

import (
	"math"
	"testing"

	"github.com/onefold/onefold/instrument/profile/sim"
)

// TestFamilies: services are visited as often as those of the original are.
func TestFamilies(t *testing.T) {
	original := map[string][]float64{
		"chain-d2":       {1, 1, 1},
		"chain-d8":       {1, 1, 1, 1, 1, 1, 1, 1, 1, 1},
		"fanout-w3":      {1, 1, 1, 1},
		"fanout-w7":      {1, 1, 1, 1, 1, 1, 1, 1},
		"dag-cross":      {1, 1, 2, 1, 4},
		"dag-relay":      {1, 1, 1, 1, 3, 3, 3},
		"dag-unbalanced": {1, 1, 1, 1, 1, 1, 1, 1},
		"dynamic-cache":  {1, 1, 0.25},
		"dynamic-cycle":  {1, 1.34, 0.34, 0.5, 0.5},
		"dynamic-once":   {1, 1, 0.8, 0.2, 0.8},
		"dynamic-twice":  {1, 0.2, 0.3, 0.5, 0.16, 0.15, 0.35},
	}
	families := sim.Families()
	if len(families) != len(original) {
		t.Errorf("%d families, want %d", len(families), len(original))
	}
	for _, f := range families {
		got, want := f.Ratios(), original[f.Name]
		if len(got) != len(want) {
			t.Errorf("%s has %d services, want %d", f.Name, len(got), len(want))
			continue
		}
		for i := range got {
			if math.Abs(got[i]-want[i]) > 1e-9 {
				t.Errorf("%s: %g requests at service %d, want %g", f.Name, got[i], i, want[i])
			}
		}
	}
}
