package report

import (
	"bytes"
	"fmt"
	"html"
	"io"

	"github.com/onefold/onefold/instrument/profile"
)

const pageHead = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>%s: causal profile</title>
<style>
body{font:15px/1.5 system-ui,sans-serif;color:#222;max-width:900px;margin:2em auto;padding:0 1em}
table{border-collapse:collapse;margin:1em 0;font-variant-numeric:tabular-nums}
th,td{padding:.25em .8em;border-bottom:1px solid #ddd;text-align:right}
th:first-child,td:first-child{text-align:left}
td.unreliable{color:#999}svg{max-width:100%%;height:auto}.warning{color:#9a3b00}
</style></head><body>
`

// HTML writes a page that needs no other file: the verdict, the plot, the table.
func HTML(w io.Writer, res *profile.Result) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, pageHead, html.EscapeString(res.Name))
	fmt.Fprintf(&b, "<h1>%s</h1>\n<p>%s</p>\n", html.EscapeString(res.Name), html.EscapeString(verdict(res)))
	plot(&b, res)
	fmt.Fprintf(&b, "<p>Now: %s requests/s.</p>\n", span(res.Baseline, "%.4g"))
	b.WriteString("<table><tr><th>service</th><th>faster by</th><th>requests/s</th><th>95 % interval</th><th>gain</th><th>capacity model</th><th>truth</th></tr>\n")
	for _, s := range res.Services {
		for _, p := range s.Points {
			row(&b, s, p)
		}
	}
	b.WriteString("</table>\n")
	for _, warning := range res.Warnings {
		fmt.Fprintf(&b, "<p class=\"warning\">%s</p>\n", html.EscapeString(warning))
	}
	b.WriteString("</body></html>\n")
	_, err := w.Write(b.Bytes())
	return err
}

func row(b *bytes.Buffer, s profile.ServiceResult, p profile.Point) {
	class, truth, analytic := "", "", ""
	if p.Unreliable {
		class = ` class="unreliable"`
	}
	if p.Truth != nil {
		truth = fmt.Sprintf("%.4g (%+.1f %%)", p.Truth.Value, 100*(p.Predicted.Value/p.Truth.Value-1))
	}
	if p.Analytic > 0 {
		analytic = fmt.Sprintf("%.4g", p.Analytic)
	}
	fmt.Fprintf(b, "<tr><td>%s</td><td>%g %%</td><td%s>%.4g</td><td%s>%.4g to %.4g</td><td%s>%.2fx</td><td>%s</td><td>%s</td></tr>\n",
		html.EscapeString(s.Name), round(100*p.Fraction), class, p.Predicted.Value, class, p.Predicted.Low, p.Predicted.High,
		class, p.Gain.Value, analytic, truth)
}
