package check_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/onefold/onefold/compiler/compiletest"
	"github.com/onefold/onefold/compiler/pass"
	"github.com/onefold/onefold/frontend"
)

// services returns n services, ten a package, each calling the one before it in its package.
func services(n int) string {
	var b strings.Builder
	for i := range n {
		if i%10 == 0 {
			fmt.Fprintf(&b, "-- p%d/p.go --\npackage p%d\n\nimport \"context\"\n", i/10, i/10)
		}
		dep, call := "", "return s.n, nil"
		if i%10 > 0 {
			dep = fmt.Sprintf("dep *S%d", i-1)
			call = "return s.dep.Add(ctx, k)"
		}
		fmt.Fprintf(&b, `
//onefold:service
type S%[1]d struct {
	n int
	m map[string]int
	%[2]s
}

func NewS%[1]d(%[2]s) *S%[1]d { return &S%[1]d{m: map[string]int{}%[4]s} }

func (s *S%[1]d) Add(ctx context.Context, k string) (int, error) {
	s.m[k]++
	s.n += s.m[k]
	%[3]s
}

func (s *S%[1]d) Get(ctx context.Context, k string) (int, error) { return s.m[k], nil }
`, i, dep, call, map[bool]string{true: ", dep: dep"}[dep != ""])
	}
	return b.String()
}

// The time grows with the number of services, not faster.
func BenchmarkChecks(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			src, diags := compiletest.Parse("services", services(n)).Source()
			if diags.HasErrors() {
				b.Fatal(diags.Sorted()[0])
			}
			for b.Loop() {
				prog, diags := frontend.Build(src, frontend.BuildOptions{})
				if err := pass.Run(context.Background(), prog, diags, own(), pass.Options{}); err != nil {
					b.Fatal(err)
				}
				if diags.HasErrors() {
					b.Fatal(diags.Sorted()[0])
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "µs/service")
		})
	}
}
