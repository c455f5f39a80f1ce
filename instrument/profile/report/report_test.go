package report_test

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold/instrument/profile"
	"github.com/onefold/onefold/instrument/profile/report"
	"github.com/onefold/onefold/instrument/profile/sim"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// simulated is a profile of a simulated application, written and read again.
func simulated(t *testing.T) *profile.Result {
	t.Helper()
	run := sim.Run{Topology: sim.Topologies()[0], Clients: 32, Requests: 400, Seed: 5}
	raw := run.Raw()
	for rep := range 2 {
		run.Seed = uint64(rep)
		raw.Windows = append(raw.Windows, run.Baseline())
		for target := range run.Topology.Services {
			for _, f := range []float64{0.25, 0.5, 0.75} {
				raw.Windows = append(raw.Windows, run.Experiment(f, 8, target), run.Truth(f, target))
			}
		}
	}
	var b bytes.Buffer
	if err := raw.Write(&b); err != nil {
		t.Fatal(err)
	}
	raw, err := profile.Read(&b)
	if err != nil {
		t.Fatal(err)
	}
	res, err := profile.Analyse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// TestGolden: all forms of one document, byte for byte.
func TestGolden(t *testing.T) {
	res, again := simulated(t), simulated(t)
	for _, f := range report.Formats() {
		var first, second bytes.Buffer
		if err := errors.Join(f.Write(&first, res), f.Write(&second, again)); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first.Bytes(), second.Bytes()) {
			t.Errorf("%s: one document gave two reports", f.Name)
		}
		golden := filepath.Join("testdata", f.File)
		if *update {
			if err := os.WriteFile(golden, first.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), first.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", f.Name, diff)
		}
	}
}

// TestWellFormed reads the forms as their readers will.
func TestWellFormed(t *testing.T) {
	res := simulated(t)
	res.Name = `a <b> & "c"`
	res.Services[0].Name = `x,"<y>"`
	var b bytes.Buffer
	if err := report.SVG(&b, res); err != nil {
		t.Fatal(err)
	}
	for dec := xml.NewDecoder(&b); ; {
		if _, err := dec.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("the plot is not XML: %v", err)
		}
	}
	b.Reset()
	if err := report.CSV(&b, res); err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(lines) != 10 || lines[1][0] != `x,"<y>"` {
		t.Errorf("%d lines, first service %q", len(lines), lines[1][0])
	}
	b.Reset()
	if err := report.HTML(&b, res); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(b.String(), "<b>") || strings.Contains(b.String(), "<y>") {
		t.Error("the page holds a name that was not escaped")
	}
}
