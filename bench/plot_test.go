package bench_test

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"slices"
)

// The plot has a panel for each place: throughput over clients, both logarithmic, a
// line for each choice of keys and side.
const (
	panelWidth, panelHeight = 400, 260
	panelLeft, panelTop     = 66, 34
	legendHeight            = 54
)

// colours are those of Okabe and Ito, which colour-blind people can tell apart.
var plotted = []struct{ keys, colour string }{
	{"uniform", "#0072B2"}, {"zipf 0.99", "#009E73"}, {"zipf 1.2", "#E69F00"}, {"one key", "#D55E00"},
}

// panel maps values to its part of the picture.
type panel struct{ x0, y0, low, high, most float64 }

func (p *panel) x(clients int) float64 {
	return p.x0 + math.Log2(float64(clients))/p.most*(panelWidth-panelLeft-16)
}

func (p *panel) y(rate float64) float64 {
	return p.y0 + (p.high-math.Log10(rate))/(p.high-p.low)*(panelHeight-panelTop-44)
}

// writePlot writes the sweep as a picture.
func writePlot(name string, rows []*row) error {
	var places []string
	p := panel{low: math.Inf(1)}
	for _, r := range rows {
		if !slices.Contains(places, r.Place) {
			places = append(places, r.Place)
		}
		p.low, p.high = min(p.low, math.Floor(math.Log10(r.Rate))), max(p.high, math.Ceil(math.Log10(r.Rate)))
		p.most = max(p.most, math.Log2(float64(r.Clients)))
	}
	width, height := 2*panelWidth, (len(places)+1)/2*panelHeight+legendHeight
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" font-family="system-ui,sans-serif" font-size="12" fill="#222">`+"\n", width, height, width, height)
	fmt.Fprintf(&b, `<rect width="%d" height="%d" fill="#fff"/>`+"\n", width, height)
	for i, place := range places {
		p.x0, p.y0 = float64(i%2*panelWidth+panelLeft), float64(i/2*panelHeight+panelTop)
		p.draw(&b, place, rows)
	}
	y := height - legendHeight + 20
	for i, line := range plotted {
		fmt.Fprintf(&b, `<path d="M%d %dh22" stroke="%s" stroke-width="2"/><text x="%d" y="%d">%s</text>`+"\n", panelLeft+110*i, y, line.colour, panelLeft+110*i+28, y+4, line.keys)
	}
	fmt.Fprintf(&b, `<text x="%d" y="%d" fill="#555">solid: onefold, each request exactly once; dashed: plain transactions, tried again on conflict</text>`+"\n</svg>\n", panelLeft, y+24)
	return os.WriteFile(name, b.Bytes(), 0o644)
}

// shortRate spells a power of ten.
func shortRate(r float64) string {
	switch {
	case r >= 1e6:
		return fmt.Sprintf("%.0fM/s", r/1e6)
	case r >= 1e3:
		return fmt.Sprintf("%.0fk/s", r/1e3)
	}
	return fmt.Sprintf("%.0f/s", r)
}

func (p *panel) draw(b *bytes.Buffer, place string, rows []*row) {
	right := p.x0 + panelWidth - panelLeft - 16
	bottom := p.y(math.Pow(10, p.low))
	fmt.Fprintf(b, `<text x="%.0f" y="%.0f" font-size="14" font-weight="600">%s</text>`+"\n", p.x0, p.y0-12, place)
	for e := p.low; e <= p.high; e++ {
		y := p.y(math.Pow(10, e))
		fmt.Fprintf(b, `<path d="M%.0f %.1fH%.0f" stroke="#ddd"/><text x="%.0f" y="%.1f" text-anchor="end">%s</text>`+"\n", p.x0, y, right, p.x0-6, y+4, shortRate(math.Pow(10, e)))
	}
	for e := 0.0; e <= p.most; e += 2 {
		x := p.x(1 << int(e))
		fmt.Fprintf(b, `<path d="M%.1f %.0fV%.0f" stroke="#eee"/><text x="%.1f" y="%.0f" text-anchor="middle">%d</text>`+"\n", x, p.y0, bottom, x, bottom+16, 1<<int(e))
	}
	fmt.Fprintf(b, `<text x="%.0f" y="%.0f" text-anchor="middle" fill="#555">clients</text>`+"\n", (p.x0+right)/2, bottom+32)
	for _, line := range plotted {
		for _, side := range sides {
			path, dash := "", ""
			for _, r := range rows {
				if r.Place == place && r.Keys == line.keys && r.Side == side {
					path += fmt.Sprintf("L%.1f %.1f", p.x(r.Clients), p.y(r.Rate))
				}
			}
			if side == "plain" {
				dash = ` stroke-dasharray="5 4" stroke-opacity=".75"`
			}
			if path != "" {
				fmt.Fprintf(b, `<path d="M%s" fill="none" stroke="%s" stroke-width="2"%s/>`+"\n", path[1:], line.colour, dash)
			}
		}
	}
}
