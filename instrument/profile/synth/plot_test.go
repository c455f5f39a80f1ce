package synth_test

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"slices"
)

// The plot has a point for each prediction, with its interval, over the truth; both as
// multiples of the baseline. Exact ones lie on the diagonal.
const (
	plotSize              = 420
	plotLeft, plotTop     = 56, 20
	plotRight, plotBottom = 150, 48
)

// palette is that of Okabe and Ito, which colour-blind people can tell apart.
var palette = []string{"#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"}

func (s *score) plot(name string) error {
	low, high := 0.9, 1.1
	var topologies []string
	for _, p := range s.points {
		high = max(high, math.Ceil(10*max(1, p.high)/(1+p.null))/10)
		if !slices.Contains(topologies, p.topology) {
			topologies = append(topologies, p.topology)
		}
	}
	x := func(v float64) float64 { return plotLeft + (v-low)/(high-low)*plotSize }
	y := func(v float64) float64 { return plotTop + (high-v)/(high-low)*plotSize }
	colour := func(topology string) string { return palette[slices.Index(topologies, topology)%len(palette)] }
	width, height := plotLeft+plotSize+plotRight, plotTop+plotSize+plotBottom

	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="system-ui,sans-serif" font-size="12" fill="#222">`+"\n", width, height, width, height)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", width, height)
	for v := low; v < high+0.01; v += 0.1 {
		fmt.Fprintf(&b, `<path d="M%.1f %.1fH%.1fM%.1f %.1fV%.1f" stroke="#e4e4e4"/>`, x(low), y(v), x(high), x(v), y(low), y(high))
		fmt.Fprintf(&b, `<text x="%.1f" y="%.1f" text-anchor="end">%.1fx</text><text x="%.1f" y="%.1f" text-anchor="middle">%.1fx</text>`+"\n",
			x(low)-6, y(v)+4, v, x(v), y(low)+16, v)
	}
	fmt.Fprintf(&b, `<path d="M%.1f %.1fL%.1f %.1f" stroke="#999"/>`+"\n", x(low), y(low), x(high), y(high))
	fmt.Fprintf(&b, `<text x="%.1f" y="%.1f" text-anchor="middle" fill="#555">the service really faster, over the baseline</text>`+"\n", x((low+high)/2), y(low)+36)
	fmt.Fprintf(&b, `<text transform="translate(14 %.1f) rotate(-90)" text-anchor="middle" fill="#555">predicted, over the baseline</text>`+"\n", y((low+high)/2))
	for _, p := range s.points {
		truth := 1 / (1 + p.null)
		at := x(truth)
		fmt.Fprintf(&b, `<path d="M%.1f %.1fV%.1f" stroke="%s" stroke-opacity=".5"/><circle cx="%.1f" cy="%.1f" r="3.2" fill="%s" fill-opacity=".7"/>`+"\n",
			at, y(truth*max(p.low, low/truth)), y(truth*p.high), colour(p.topology), at, y(truth*(1+p.err)), colour(p.topology))
	}
	for i, topology := range topologies {
		top := plotTop + 16 + 20*i
		fmt.Fprintf(&b, `<circle cx="%d" cy="%d" r="4" fill="%s"/><text x="%d" y="%d">%s</text>`+"\n", plotLeft+plotSize+18, top-4, colour(topology), plotLeft+plotSize+28, top, topology)
	}
	b.WriteString("</svg>\n")
	return os.WriteFile(name, b.Bytes(), 0o644)
}
