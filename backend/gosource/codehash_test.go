package gosource_test

import (
	"strings"
	"testing"

	"github.com/onefold/onefold/backend/gosource"
	"github.com/onefold/onefold/compiler/check/effects"
	"github.com/onefold/onefold/compiler/compiletest"
)

const hashed = `-- shop/shop.go --
package shop

import (
	"context"
	"time"
)

const days = 2

var names = []string{"ann", "bob"}

type Item struct{ Name string }

//onefold:service
type Shop struct{ sold int }

// Flow waits, and counts.
//
//onefold:workflow
func (s *Shop) Flow(ctx context.Context, n int) error {
	time.Sleep(s.pause() * days)
	for range names {
		if err := s.Count(ctx, n, Item{}); err != nil {
			return err
		}
	}
	return nil
}

func (s *Shop) pause() time.Duration { return time.Hour }

// Count counts.
func (s *Shop) Count(ctx context.Context, n int, item Item) error {
	s.sold += n
	return nil
}

// Other is another one.
//
//onefold:workflow
func (s *Shop) Other(ctx context.Context) error { return s.Count(ctx, 1, Item{}) }
`

// hashOf returns the hash of Shop.Flow in a spec.
func hashOf(t *testing.T, spec string) string {
	t.Helper()
	prog, diags := compiletest.Parse("hash", spec).Build(t)
	if diags.HasErrors() {
		t.Fatal(diags.Sorted())
	}
	effects.Analyze(prog)
	return gosource.CodeHash(prog, prog.Services[0].Method("Flow"))
}

// The hash changes with what a replay depends on, and with nothing else.
func TestCodeHash(t *testing.T) {
	before := hashOf(t, hashed)
	for _, test := range []struct {
		name, old, new string
		changes        bool
	}{
		{"comment", "// Flow waits, and counts.", "// Flow counts and waits.", false},
		{"layout", "\ttime.Sleep(s.pause() * days)\n", "\n\n\ttime.Sleep(\n\t\ts.pause() * days) // sleep\n\n", false},
		{"body of a step", "s.sold += n", "s.sold -= n", false},
		{"another workflow", "return s.Count(ctx, 1, Item{})", "return s.Count(ctx, 2, Item{})", false},
		{"line", "time.Sleep(s.pause() * days)", "time.Sleep(s.pause())", true},
		{"constant", "days = 2", "days = 3", true},
		{"variable", `"ann", "bob"`, `"ann", "bob", "eve"`, true},
		{"helper", "return time.Hour", "return time.Minute", true},
		{"type of a step's argument", "type Item struct{ Name string }", "type Item struct{ Name string; N int }", true},
		{"argument", "Flow(ctx context.Context, n int)", "Flow(ctx context.Context, n int, m int)", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			spec := strings.Replace(hashed, test.old, test.new, 1)
			if spec == hashed {
				t.Fatal("nothing is replaced")
			}
			if changed := hashOf(t, spec) != before; changed != test.changes {
				t.Errorf("changed is %v, want %v", changed, test.changes)
			}
		})
	}
}
