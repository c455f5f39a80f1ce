package compiler_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/onefold/onefold/compiler"
)

// BenchmarkCompile measures checking and generating whole programs of 4, 100 and
// 1,000 services in chains of ten, each in a package of its own with a dependency
// on the one before: the time should grow linearly. The build cache is warm.
func BenchmarkCompile(b *testing.B) {
	for _, n := range []int{4, 100, 1000} {
		b.Run(fmt.Sprintf("services=%d", n), func(b *testing.B) {
			dir := chain(b, n)
			compileChain(b, dir, n) // warms the build cache
			for b.Loop() {
				compileChain(b, dir, n)
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "µs/service")
		})
	}
}

// BenchmarkCompileTravel measures the travel application.
func BenchmarkCompileTravel(b *testing.B) {
	for b.Loop() {
		result, err := compiler.Compile(context.Background(), compiler.Options{Dir: "../testdata/apps/travel", Patterns: []string{"./..."}})
		if err != nil || len(result.Files) == 0 {
			b.Fatalf("%d files, %v", len(result.Files), err)
		}
	}
}

func compileChain(b *testing.B, dir string, n int) {
	b.Helper()
	result, err := compiler.Compile(context.Background(), compiler.Options{Dir: dir, Patterns: []string{"./..."}})
	if err != nil {
		b.Fatal(err)
	}
	if result.Diagnostics.HasErrors() {
		result.Diagnostics.Print(os.Stderr, dir)
		b.Fatal("errors")
	}
	if got := len(result.Program.Services); got != n {
		b.Fatalf("%d services, want %d", got, n)
	}
}

// chain writes a module of n services and returns its folder.
func chain(b *testing.B, n int) string {
	b.Helper()
	dir := b.TempDir()
	write(b, filepath.Join(dir, "go.mod"), "module example.com/chain\n\ngo 1.26\n")
	for i := range n {
		write(b, filepath.Join(dir, fmt.Sprintf("s%d", i), "service.go"), link(i))
	}
	return dir
}

// link returns the source of the i-th service of a chain.
func link(i int) string {
	dep, field, param, set, call := "", "", "", "", "0, nil"
	if i%10 > 0 {
		dep = fmt.Sprintf("\n\t\"example.com/chain/s%d\"\n", i-1)
		field = fmt.Sprintf("\tnext *s%d.S%d\n", i-1, i-1)
		param = fmt.Sprintf("next *s%d.S%d", i-1, i-1)
		set = "next: next, "
		call = "s.next.Count(ctx, key)"
	}
	return fmt.Sprintf(`// Package s%[1]d is one link of a chain.
package s%[1]d

import (
	"context"
	"errors"
%[2]s)

// ErrEmpty is returned for an empty key.
var ErrEmpty = errors.New("empty key")

// Item is what the service keeps.
type Item struct {
	Count int      `+"`json:\"count\"`"+`
	Users []string `+"`json:\"users\"`"+`
}

// S%[1]d keeps items.
//
//onefold:service
type S%[1]d struct {
	items map[string]Item
	total int
%[3]s}

// NewS%[1]d returns an empty service.
func NewS%[1]d(%[4]s) *S%[1]d {
	return &S%[1]d{%[5]sitems: map[string]Item{}}
}

// Put counts a user of key.
func (s *S%[1]d) Put(ctx context.Context, key, user string) error {
	if key == "" {
		return ErrEmpty
	}
	item := s.items[key]
	item.Count++
	item.Users = append(item.Users, user)
	s.items[key] = item
	s.total++
	return nil
}

// Count returns how many users of key this service and the next ones counted.
func (s *S%[1]d) Count(ctx context.Context, key string) (int, error) {
	below, err := s.below(ctx, key)
	if err != nil {
		return 0, err
	}
	return below + s.items[key].Count, nil
}

func (s *S%[1]d) below(ctx context.Context, key string) (int, error) {
	return %[6]s
}
`, i, dep, field, param, set, call)
}

func write(b *testing.B, name, text string) {
	b.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		b.Fatal(err)
	}
}
