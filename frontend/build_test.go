package frontend_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold/compiler/compiletest"
	"github.com/onefold/onefold/compiler/ir"
	"github.com/onefold/onefold/frontend"
)

// Each archive's section "ir" is the program that Build makes of it.
func TestBuild(t *testing.T) {
	compiletest.Run(t, "testdata/*.txtar", func(t *testing.T, c *compiletest.Case) {
		prog, diags := c.Build(t)
		c.Want(t, diags)
		if err := ir.Verify(prog); err != nil {
			t.Error(err)
		}
		var b strings.Builder
		if err := ir.Dump(&b, prog); err != nil {
			t.Fatal(err)
		}
		c.Golden(t, "ir", b.String())
	})
}

// Packages keep their places below the output folder, and get others where
// these are taken or reserved.
func TestOutputFolders(t *testing.T) {
	service := func(pkg, name string) string {
		return "package " + pkg + "\n\n//onefold:service\ntype " + name + " struct{}\n"
	}
	archive := "-- hotel/hotel.go --\n" + service("hotel", "A") +
		"-- app.go --\n" + service("app", "B") +
		"-- cmd/tool/tool.go --\n" + service("tool", "C") +
		"-- x/internal/hotel/hotel.go --\n" + service("hotel", "D") +
		"-- y/hotel/hotel.go --\n" + service("hotel", "E")
	for _, test := range []struct {
		name string
		opts frontend.BuildOptions
		want map[string]string
	}{
		{"below the base", frontend.BuildOptions{Base: "example.com/app", Out: "example.com/app/gen"}, map[string]string{
			"A": "example.com/app/gen/hotel", "B": "example.com/app/gen/app", "C": "example.com/app/gen/spec/cmd/tool",
			"D": "example.com/app/gen/x/internal/hotel", "E": "example.com/app/gen/y/hotel",
		}},
		{"elsewhere", frontend.BuildOptions{Base: "example.com/other", Out: "example.com/other/out"}, map[string]string{
			"A": "example.com/other/out/hotel", "B": "example.com/other/out/app", "C": "example.com/other/out/tool",
			"D": "example.com/other/out/internal/hotel", "E": "example.com/other/out/hotel2",
		}},
		{"by default", frontend.BuildOptions{}, map[string]string{
			"A": "example.com/gen/app/hotel", "B": "example.com/gen/app", "C": "example.com/gen/app/cmd/tool",
			"D": "example.com/gen/app/x/internal/hotel", "E": "example.com/gen/app/y/hotel",
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			src, diags := compiletest.Parse(test.name, archive).Source()
			if diags.HasErrors() {
				t.Fatal(printed(diags, ""))
			}
			prog, _ := frontend.Build(src, test.opts)
			got := map[string]string{}
			for _, s := range prog.Services {
				got[s.Name] = s.Pkg.OutPath
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("output packages (-want +got):\n%s", diff)
			}
		})
	}
}

func TestGenerated(t *testing.T) {
	for source, want := range map[string]bool{
		frontend.Header:                          true,
		frontend.Header + "\n\npackage p":        true,
		frontend.Header + "\r\npackage p":        true,
		frontend.Header + " Really.\n":           false,
		"\n" + frontend.Header:                   false,
		"package p // " + frontend.Header + "\n": false,
	} {
		if got := frontend.Generated([]byte(source)); got != want {
			t.Errorf("Generated(%q) = %v, want %v", source, got, want)
		}
	}
}
