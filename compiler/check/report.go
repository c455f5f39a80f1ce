package check

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/onefold/onefold/compiler/ir"
)

// Report is what the effect analysis found out, for people and for tools.
type Report struct {
	Services []ServiceReport `json:"services"`
}

// ServiceReport is the report of one service.
type ServiceReport struct {
	Name    string         `json:"name"`
	Package string         `json:"package"`
	Fields  []FieldReport  `json:"fields"`
	Methods []MethodReport `json:"methods"`
}

// FieldReport says how a field is kept.
type FieldReport struct {
	Name string `json:"name"`
	Kind string `json:"kind"`
	Type string `json:"type"`
}

// MethodReport says what an endpoint does to the store. Fields and methods are
// named Service.Name.
type MethodReport struct {
	Name    string   `json:"name"`
	Kind    string   `json:"kind"`
	Reads   []string `json:"reads"`
	Writes  []string `json:"writes"`
	Adds    []string `json:"adds"` // blind updates
	Calls   []string `json:"calls"`
	Reach   []string `json:"reach"`
	Rounds  string   `json:"rounds"`  // sequential store rounds on the longest path
	Commits Count    `json:"commits"` // of a request that succeeds
	Hops    Count    `json:"hops"`    // its calls from one service to another, all the way down
	Every   string   `json:"schedule,omitempty"`
}

// Count is a count, printed as in "0..3", and at least and at most. Both are numbers, or formulas where loops decide:
// in "1 + 2×len(items)" items is a parameter, and in "2×loop(hotel.go:41)" only the run can
// tell how often the loop in that line runs.
type Count struct {
	Text  string `json:"text"`
	Least string `json:"least"`
	Most  string `json:"most"`
}

func newCount(r ir.Range) Count { return Count{r.String(), r.Least.String(), r.Most.String()} }

// NewReport returns the report of prog, whose effects have been analysed.
func NewReport(prog *ir.Program) *Report {
	r := &Report{Services: []ServiceReport{}}
	for _, s := range prog.Services {
		sr := ServiceReport{Name: s.Name, Package: s.Pkg.Path, Fields: []FieldReport{}, Methods: []MethodReport{}}
		for _, f := range s.Fields {
			sr.Fields = append(sr.Fields, FieldReport{Name: f.Name, Kind: f.Kind.String(), Type: typeName(f.Var.Type())})
		}
		for _, m := range s.Methods {
			sr.Methods = append(sr.Methods, methodReport(m))
		}
		r.Services = append(r.Services, sr)
	}
	return r
}

func methodReport(m *ir.Method) MethodReport {
	e := &m.Effects
	return MethodReport{
		Name: m.Name, Kind: m.Kind.String(),
		Reads: names(e.Reads), Writes: names(e.Writes), Adds: names(e.Adds),
		Calls: names(e.Calls), Reach: names(e.Reach),
		Rounds: e.Rounds.String(), Commits: newCount(e.Commits), Hops: newCount(e.Hops), Every: m.Schedule,
	}
}

func names[T fmt.Stringer](list []T) []string {
	out := make([]string, len(list))
	for i, item := range list {
		out[i] = item.String()
	}
	return out
}

// Text writes the report as a table, one line a method.
func (r *Report) Text(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(tw, "METHOD\tKIND\tROUNDS\tCOMMITS\tHOPS\tREADS\tWRITES\tADDS\tCALLS")
	for _, s := range r.Services {
		for _, m := range s.Methods {
			rounds, commits, hops := m.Rounds, m.Commits.Text, m.Hops.Text
			if m.Kind == ir.Workflow.String() {
				rounds, commits, hops = "-", m.Commits.Most, "-"
			}
			fmt.Fprintf(tw, "%s.%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", s.Name, m.Name, m.Kind, rounds, commits, hops,
				short(s.Name, m.Reads), short(s.Name, m.Writes), short(s.Name, m.Adds), short(s.Name, m.Calls))
		}
	}
	return tw.Flush()
}

// short joins names, those of the service itself without its name.
func short(service string, list []string) string {
	if len(list) == 0 {
		return "-"
	}
	out := make([]string, len(list))
	for i, name := range list {
		out[i] = strings.TrimPrefix(name, service+".")
	}
	return strings.Join(out, " ")
}
