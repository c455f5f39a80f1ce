package gauge_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/onefold/onefold/instrument/gauge"
)

// TestMeasure: the speed is known after about a second, then it is near what it was, and
// measuring ends with its context.
func TestMeasure(t *testing.T) {
	name := filepath.Join(t.TempDir(), "gauge")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var speed float64
	err := gauge.Measure(ctx, name, func() {
		defer cancel()
		g, err := gauge.Open(name)
		if err != nil {
			t.Error(err)
			return
		}
		time.Sleep(200 * time.Millisecond)
		speed = g.Speed()
	})
	if err != nil {
		t.Fatal(err)
	}
	if speed == 1 || speed < 0.2 || speed > 5 {
		t.Errorf("the speed is %g, want one near 1", speed)
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "other")
	if err := os.WriteFile(name, make([]byte, 4096), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{filepath.Join(dir, "none"), name} {
		if _, err := gauge.Open(name); err == nil {
			t.Errorf("%s was opened", name)
		}
	}
	if _, err := gauge.Create(name); err == nil {
		t.Error("a gauge was made where there is a file")
	}
	if speed := (*gauge.Gauge)(nil).Speed(); speed != 1 {
		t.Errorf("without a gauge the speed is %g", speed)
	}
}
