package alias_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/onefold/onefold/compiler/check/alias"
	"github.com/onefold/onefold/compiler/compiletest"
	"github.com/onefold/onefold/compiler/diag"
)

// The time grows linearly with the services, here a chain of them that pass a
// document along.
func BenchmarkCheck(b *testing.B) {
	for _, n := range []int{10, 100, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			prog, _ := compiletest.Parse("chain", chain(n)).Build(b)
			for b.Loop() {
				diags := new(diag.List)
				alias.Check(prog, diags)
				if len(diags.Sorted()) > 0 {
					b.Fatal("the chain is refused")
				}
			}
		})
	}
}

// chain returns a program of n services, each of which calls the next.
func chain(n int) string {
	var b strings.Builder
	b.WriteString(`-- app/app.go --
package app

import (
	"context"
	"sort"
)

type Doc struct {
	Title string
	Tags  []string
	Lines [][]string
}
`)
	for i := range n {
		field, param, value, call := "", "", "", "return nil"
		if i+1 < n {
			field, param, value = fmt.Sprintf("next *S%d", i+1), fmt.Sprintf("next *S%d", i+1), "next: next, "
			call = `d, err := s.next.Get(ctx, id)
	if err != nil {
		return err
	}
	d.Tags = append(d.Tags, id)
	return s.next.Put(ctx, id, d)`
		}
		link := strings.NewReplacer("$i", fmt.Sprint(i), "$field", field, "$param", param, "$value", value, "$call", call)
		b.WriteString(link.Replace(`
//onefold:service
type S$i struct {
	docs  map[string]Doc
	names map[string][]string
	$field
}

func NewS$i($param) *S$i { return &S$i{$valuedocs: map[string]Doc{}, names: map[string][]string{}} }

func (s *S$i) Get(ctx context.Context, id string) (Doc, error) { return s.docs[id], nil }

func (s *S$i) Names(ctx context.Context, id string) ([]string, error) {
	names := append([]string(nil), s.names[id]...)
	sort.Strings(names)
	return names, nil
}

func (s *S$i) Put(ctx context.Context, id string, d Doc) error {
	s.docs[id] = d
	s.names[id] = append(s.names[id], d.Title)
	$call
}
`))
	}
	return b.String()
}
