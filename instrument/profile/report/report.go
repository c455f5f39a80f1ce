// Package report prints what a profile says: for people, for spreadsheets, for
// machines, for Coz's viewer. Every form is a function of the raw document alone,
// so a report can be made again, byte for byte, from what was kept.
package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/onefold/onefold/instrument/profile"
)

// Format writes a result in one form.
type Format struct {
	Name  string
	File  string // the name of its file in a folder of reports
	About string
	Write func(io.Writer, *profile.Result) error
}

// Formats returns all forms.
func Formats() []Format {
	return []Format{
		{"table", "profile.txt", "a table for a terminal", Table},
		{"json", "profile.json", "the result for machines", JSON},
		{"csv", "profile.csv", "one line a prediction", CSV},
		{"coz", "profile.coz", "for the viewer of the Coz profiler", Coz},
		{"prometheus", "profile.prom", "metrics in Prometheus's text form", Prometheus},
		{"svg", "profile.svg", "the plot", SVG},
		{"html", "profile.html", "the plot and the table on one page", HTML},
	}
}

// Find returns the form of that name.
func Find(name string) (Format, error) {
	var names []string
	for _, f := range Formats() {
		if f.Name == name {
			return f, nil
		}
		names = append(names, f.Name)
	}
	return Format{}, fmt.Errorf("format %q is unknown; there are %s", name, strings.Join(names, ", "))
}

// JSON writes the result as it is.
func JSON(w io.Writer, res *profile.Result) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", " ")
	return enc.Encode(res)
}

// CSV writes one line for each service and fraction.
func CSV(w io.Writer, res *profile.Result) error {
	var b bytes.Buffer
	b.WriteString("service,fraction,delta_s,predicted_rps,predicted_low,predicted_high,gain,gain_low,gain_high,by_ratio_rps,by_measured_rps,analytic_rps,slow_rps,pause_error,truth_rps,windows,unreliable\n")
	for _, s := range res.Services {
		for _, p := range s.Points {
			truth := ""
			if p.Truth != nil {
				truth = fmt.Sprintf("%.6g", p.Truth.Value)
			}
			fmt.Fprintf(&b, "%s,%g,%.6g,%.6g,%.6g,%.6g,%.5f,%.5f,%.5f,%.6g,%.6g,%.6g,%.6g,%.5f,%s,%d,%t\n",
				quote(s.Name), p.Fraction, p.Delta, p.Predicted.Value, p.Predicted.Low, p.Predicted.High,
				p.Gain.Value, p.Gain.Low, p.Gain.High, p.ByRatio, p.ByMeasured, p.Analytic, p.Slow, p.PauseError,
				truth, p.Windows, p.Unreliable)
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

// quote quotes a name for CSV where it must be.
func quote(name string) string {
	if strings.ContainsAny(name, ",\"\n") {
		return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
	}
	return name
}

// Coz writes the profile that the viewer of the Coz causal profiler reads. A service
// stands where Coz has a line of source. Duration is in nanoseconds, and is that of
// a thousand requests, the visits of the progress point.
func Coz(w io.Writer, res *profile.Result) error {
	const visits = 1000
	var b bytes.Buffer
	b.WriteString("startup\ttime=0\n")
	line := func(service string, fraction, rate float64) {
		if rate <= 0 {
			return
		}
		fmt.Fprintf(&b, "experiment\tselected=%s:1\tspeedup=%.2f\tduration=%d\tselected-samples=1\n", service, fraction, int64(visits/rate*1e9))
		fmt.Fprintf(&b, "throughput-point\tname=requests\tdelta=%d\n", visits)
	}
	for _, s := range res.Services {
		line(s.Name, 0, res.Baseline.Value)
		for _, p := range s.Points {
			line(s.Name, p.Fraction, p.Predicted.Value)
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

// Prometheus writes gauges in the text exposition format.
func Prometheus(w io.Writer, res *profile.Result) error {
	var b bytes.Buffer
	b.WriteString("# HELP onefold_profile_baseline_rps Measured end-to-end requests a second.\n# TYPE onefold_profile_baseline_rps gauge\n")
	fmt.Fprintf(&b, "onefold_profile_baseline_rps %.6g\n", res.Baseline.Value)
	b.WriteString("# HELP onefold_profile_gain Predicted throughput over the baseline if the service were faster by the fraction.\n# TYPE onefold_profile_gain gauge\n")
	for _, s := range res.Services {
		for _, p := range s.Points {
			for _, v := range []struct {
				bound string
				value float64
			}{{"value", p.Gain.Value}, {"low", p.Gain.Low}, {"high", p.Gain.High}} {
				fmt.Fprintf(&b, "onefold_profile_gain{service=%q,fraction=\"%g\",bound=%q} %.5f\n", s.Name, p.Fraction, v.bound, v.value)
			}
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

// fractions returns all fractions that any service was tried with.
func fractions(res *profile.Result) []float64 {
	var fs []float64
	for _, s := range res.Services {
		for _, p := range s.Points {
			if !slices.Contains(fs, p.Fraction) {
				fs = append(fs, p.Fraction)
			}
		}
	}
	slices.Sort(fs)
	return fs
}
