package report

import (
	"bytes"
	"cmp"
	"fmt"
	"html"
	"io"
	"math"
	"slices"

	"github.com/onefold/onefold/instrument/profile"
)

// The plot's size and margins.
const (
	width, height            = 860, 480
	left, right, top, bottom = 64, 190, 72, 56
)

// colours are those of Okabe and Ito, which colour-blind people can tell apart.
var colours = [...]string{"#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999"}

// SVG writes the plot: the gain in throughput over the fraction, a line a service, with
// its name at the end. The one to optimise is drawn thick, and named on top. Bars are
// 95 % intervals, hollow circles the truth where it was measured.
func SVG(w io.Writer, res *profile.Result) error {
	var b bytes.Buffer
	plot(&b, res)
	_, err := w.Write(b.Bytes())
	return err
}

// axes map values to the picture.
type axes struct{ low, high float64 }

func (a axes) x(fraction float64) float64 { return left + fraction*(width-left-right) }
func (a axes) y(gain float64) float64 {
	return height - bottom - (gain-a.low)/(a.high-a.low)*(height-top-bottom)
}

// wide is how many times a gain the end of its interval can be and still be in the plot.
const wide = 1.5

// scale chooses an axis that holds every point, and its interval unless that is very wide, and
// its step.
func scale(res *profile.Result) (axes, float64) {
	low, high := 0.95, 1.1
	for _, s := range res.Services {
		for _, p := range s.Points {
			low = min(low, max(p.Gain.Low, p.Gain.Value/wide))
			high = max(high, min(p.Gain.High, p.Gain.Value*wide))
			if p.Truth != nil {
				truth := p.Truth.Value / res.Baseline.Value
				low, high = min(low, truth), max(high, truth)
			}
		}
	}
	step := math.Pow(10, math.Floor(math.Log10(high-low)))
	for _, divide := range []float64{1, 2, 5, 10} {
		if (high-low)/(step/divide) >= 5 {
			step /= divide
			break
		}
	}
	return axes{math.Floor(low/step) * step, math.Ceil(high/step) * step}, step
}

func plot(b *bytes.Buffer, res *profile.Result) {
	a, step := scale(res)
	fmt.Fprintf(b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="system-ui,sans-serif" font-size="13" fill="#222">`+"\n", width, height, width, height)
	fmt.Fprintf(b, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", width, height)
	head, sub, best := headline(res)
	fmt.Fprintf(b, `<text x="%d" y="28" font-size="18" font-weight="600">%s</text>`+"\n", left, html.EscapeString(head))
	fmt.Fprintf(b, `<text x="%d" y="50" fill="#555">%s</text>`+"\n", left, html.EscapeString(sub))
	grid(b, a, step)
	for i, s := range slices.Backward(res.Services) { // the best on top
		series(b, a, s, res.Baseline.Value, colours[i%len(colours)], i == 0 && best)
	}
	labels(b, a, res, best)
	b.WriteString("</svg>\n")
}

// headline says what the plot shows; best reports whether its first service stands out.
func headline(res *profile.Result) (head, sub string, best bool) {
	if len(res.Services) > 0 {
		s := res.Services[0]
		if p, ok := cheapest(s); ok {
			return fmt.Sprintf("%s: optimise %s", res.Name, s.Name),
				fmt.Sprintf("%g %% less time in each of its requests gives %.2f times the throughput", round(100*p.Fraction), p.Gain.Value), true
		}
	}
	return res.Name + ": no service stands out", "making one of them alone faster gains nothing that could be measured", false
}

func grid(b *bytes.Buffer, a axes, step float64) {
	for i := 0; a.low+float64(i)*step <= a.high+step/100; i++ {
		g := a.low + float64(i)*step
		stroke := "#e4e4e4"
		if math.Abs(g-1) < step/100 {
			stroke = "#888"
		}
		fmt.Fprintf(b, `<path d="M%d %.1fH%d" stroke="%s"/><text x="%d" y="%.1f" text-anchor="end">%.4gx</text>`+"\n",
			left, a.y(g), width-right, stroke, left-8, a.y(g)+4, g)
	}
	for percent := 0; percent <= 100; percent += 20 {
		x := a.x(float64(percent) / 100)
		fmt.Fprintf(b, `<path d="M%.1f %dV%d" stroke="#e4e4e4"/><text x="%.1f" y="%d" text-anchor="middle">%d %%</text>`+"\n",
			x, top, height-bottom, x, height-bottom+20, percent)
	}
	fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="middle">time taken from each request at the service</text>`+"\n", (left+width-right)/2, height-14)
	fmt.Fprintf(b, `<text transform="translate(16 %d) rotate(-90)" text-anchor="middle">throughput</text>`+"\n", (top+height-bottom)/2)
}

// series draws one service.
func series(b *bytes.Buffer, a axes, s profile.ServiceResult, baseline float64, colour string, best bool) {
	thick, dot := 1.5, 2.5
	if best {
		thick, dot = 4, 4.5
	}
	fmt.Fprintf(b, `<g stroke="%s" fill="%s"><title>%s</title>`+"\n", colour, colour, html.EscapeString(s.Name))
	fmt.Fprintf(b, `<path fill="none" stroke-width="%g" d="M%.1f %.1f`, thick, a.x(0), a.y(1))
	for _, p := range s.Points {
		fmt.Fprintf(b, "L%.1f %.1f", a.x(p.Fraction), a.y(p.Gain.Value))
	}
	b.WriteString(`"/>` + "\n")
	for _, p := range s.Points {
		x := a.x(p.Fraction)
		low, high := max(a.low, p.Gain.Low), min(a.high, p.Gain.High)
		fmt.Fprintf(b, `<path d="M%.1f %.1fV%.1f" stroke-opacity=".6"/><circle cx="%.1f" cy="%.1f" r="%g"/>`+"\n",
			x, a.y(low), a.y(high), x, a.y(p.Gain.Value), dot)
		if p.Truth != nil {
			fmt.Fprintf(b, `<circle cx="%.1f" cy="%.1f" r="7" fill="none" stroke-width="1.5"/>`+"\n", x, a.y(p.Truth.Value/baseline))
		}
	}
	b.WriteString("</g>\n")
}

// label is a service's name at the end of its line.
type label struct {
	x, y         float64
	text, colour string
	weight       int
}

// labels names the lines, from the top, each at its own height as far as they leave
// each other room.
func labels(b *bytes.Buffer, a axes, res *profile.Result, best bool) {
	var all []label
	truth := false
	for i, s := range res.Services {
		last := s.Points[len(s.Points)-1]
		l := label{a.x(last.Fraction) + 12, a.y(last.Gain.Value), fmt.Sprintf("%s  %.2fx", s.Name, last.Gain.Value), colours[i%len(colours)], 400}
		if i == 0 && best {
			l.weight = 700
		}
		all = append(all, l)
		truth = truth || slices.ContainsFunc(s.Points, func(p profile.Point) bool { return p.Truth != nil })
	}
	slices.SortStableFunc(all, func(x, y label) int { return cmp.Compare(x.y, y.y) })
	const line = 18
	for i := range all {
		if i > 0 {
			all[i].y = max(all[i].y, all[i-1].y+line)
		}
	}
	for i, floor := len(all)-1, float64(height-bottom); i >= 0; i, floor = i-1, floor-line {
		all[i].y = min(all[i].y, floor)
	}
	for _, l := range all {
		fmt.Fprintf(b, `<text x="%.1f" y="%.1f" fill="%s" font-weight="%d">%s</text>`+"\n", l.x, l.y+4, l.colour, l.weight, html.EscapeString(l.text))
	}
	note := "bars: 95 % intervals"
	if truth {
		note += "; hollow circles: truth"
	}
	fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="end" fill="#666" font-size="11">%s</text>`+"\n", width-12, height-14, note)
}
