package report

import (
	"bytes"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/onefold/onefold/instrument/profile"
)

// Table writes the result for a terminal: the services by what they would gain.
func Table(w io.Writer, res *profile.Result) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s: %s requests/s\n\n", res.Name, span(res.Baseline, "%.4g"))
	b.WriteString("throughput if the service were faster by\n")
	tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fs := fractions(res)
	fmt.Fprint(tw, "service")
	for _, f := range fs {
		fmt.Fprintf(tw, "\t%g %%", round(100*f))
	}
	fmt.Fprint(tw, "\tuse\tms/request\trequests\tknee\n")
	for _, s := range res.Services {
		fmt.Fprint(tw, s.Name)
		for _, f := range fs {
			fmt.Fprint(tw, "\t"+cell(s, f))
		}
		fmt.Fprintf(tw, "\t%.0f %%\t%.3g\t%.3g\t%s\n", 100*s.Utilisation, 1000*s.Time, s.Ratio, kneeText(s.Knee))
	}
	tw.Flush()
	b.WriteString("\n" + verdict(res) + "\n")
	notes(&b, res)
	_, err := w.Write(b.Bytes())
	return err
}

// cell is a gain with half its interval; a question mark says that it is unreliable.
func cell(s profile.ServiceResult, f float64) string {
	for _, p := range s.Points {
		if p.Fraction != f {
			continue
		}
		text := fmt.Sprintf("%.2fx ±%.2f", p.Gain.Value, (p.Gain.High-p.Gain.Low)/2)
		if p.Unreliable {
			text += "?"
		}
		return text
	}
	return "-"
}

func kneeText(knee float64) string {
	switch knee {
	case 0:
		return "-"
	case 1:
		return "not reached"
	}
	return fmt.Sprintf("%.0f %%", 100*knee)
}

// verdict is the result in one sentence.
func verdict(res *profile.Result) string {
	if len(res.Services) == 0 {
		return "Nothing was profiled."
	}
	best := res.Services[0]
	point, ok := cheapest(best)
	if !ok {
		return "No service stands out: making one of them alone faster gains nothing that could be measured."
	}
	what := fmt.Sprintf("taking %.3g ms from each of its requests (%g %%)", 1000*point.Delta, round(100*point.Fraction))
	if len(best.Parts) > 0 {
		what = fmt.Sprintf("taking %g %% from each request of all of them", round(100*point.Fraction))
	}
	text := fmt.Sprintf("Optimise %s: %s would give %s requests/s, %.2f times as many.", best.Name, what, span(point.Predicted, "%.4g"), point.Gain.Value)
	if best.Knee > 0 && best.Knee < 1 {
		text += fmt.Sprintf(" Beyond %.0f %% something else is the bottleneck.", 100*best.Knee)
	}
	return text
}

// smallGain is what is too little to recommend anything.
const smallGain = 1.02

// cheapest returns the smallest change that gains nearly all that can be gained, of
// those that surely gain something.
func cheapest(s profile.ServiceResult) (profile.Point, bool) {
	most := 0.0
	for _, p := range s.Points {
		if p.Gain.Low > smallGain {
			most = max(most, p.Gain.Value)
		}
	}
	for _, p := range s.Points {
		if p.Gain.Low > smallGain && p.Gain.Value >= 0.98*most {
			return p, true
		}
	}
	return profile.Point{}, false
}

func notes(b *bytes.Buffer, res *profile.Result) {
	if res.Overhead.Applied {
		fmt.Fprintf(b, "A phase costs %.0f µs beside its pause; this is taken out.\n", 1e6*res.Overhead.PerPhase.Value)
	}
	if res.Halves > profile.Quiet {
		fmt.Fprintf(b, "Two halves of the baseline differ by %.1f %%: the machine is not quiet, and small differences say nothing.\n", 100*res.Halves)
	}
	if res.Dropped > 0 {
		fmt.Fprintf(b, "%d windows were not used; the raw document says why.\n", res.Dropped)
	}
	for _, warning := range res.Warnings {
		fmt.Fprintf(b, "warning: %s\n", warning)
	}
}

// span prints a value and its interval.
func span(i profile.Interval, format string) string {
	return fmt.Sprintf(format+" ("+format+" to "+format+")", i.Value, i.Low, i.High)
}

// round keeps percentages such as 0.1*100*3 from printing their last bits.
func round(x float64) float64 { return float64(int(x*100+0.5)) / 100 }
