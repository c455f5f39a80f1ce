package patch_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
	"golang.org/x/tools/txtar"

	"github.com/onefold/onefold/manifests/patch"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// options are the same in all cases, so that a case is its manifests.
var options = patch.Options{
	Poker:       "/usr/bin/poker",
	Target:      "cart",
	Variables:   []patch.Variable{{Name: "SLOWPOKE_DELAY_MICROS", Value: "50"}, {Name: "SLOWPOKE_IS_TARGET_SERVICE", Value: "false"}},
	OfTarget:    []patch.Variable{{Name: "SLOWPOKE_DELAY_MICROS", Value: "0"}, {Name: "SLOWPOKE_IS_TARGET_SERVICE", Value: "true"}},
	Annotations: []patch.Variable{{Name: "onefold.dev/throttle-ratio", Value: "0.1"}},
	Containers:  map[string]string{"sidecar": "app"},
	Entrypoints: map[string]string{"bare": "/app/bare"},
}

// Each archive of testdata has a file of manifests, and how it is patched or
// what is wrong with it.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no test data", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			in := archive.Files[0]
			result, err := patch.Patch(in.Name, in.Data, options)
			got := txtar.File{Name: "want", Data: result.Data}
			if err != nil {
				got.Data = []byte(err.Error() + "\n")
			} else {
				keeps(t, in.Data, result.Data)
			}
			warnings := txtar.File{Name: "warnings", Data: []byte(strings.Join(append(result.Warnings, ""), "\n"))}
			archive.Files = append(archive.Files[:1], got, warnings)
			compare(t, file, archive)
		})
	}
}

func compare(t *testing.T, file string, archive *txtar.Archive) {
	got := txtar.Format(archive)
	if *update {
		if err := os.WriteFile(file, got, 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// keeps checks that the result is YAML, that patching it again changes nothing,
// and that all comments are still there, in their order.
func keeps(t *testing.T, in, out []byte) {
	t.Helper()
	for d := yaml.NewDecoder(bytes.NewReader(out)); ; {
		var n yaml.Node
		if err := d.Decode(&n); err != nil {
			if err.Error() != "EOF" {
				t.Errorf("the result is no YAML: %v", err)
			}
			break
		}
	}
	again, err := patch.Patch("again", out, options)
	if err != nil {
		t.Errorf("patch again: %v", err)
	} else if diff := cmp.Diff(string(out), string(again.Data)); diff != "" {
		t.Errorf("patching again changes it (-once +twice):\n%s", diff)
	}
	if diff := cmp.Diff(comments(in), comments(out)); diff != "" {
		t.Errorf("comments (-before +after):\n%s", diff)
	}
}

func comments(data []byte) []string {
	var all []string
	for line := range strings.Lines(string(data)) {
		if _, comment, ok := strings.Cut(line, "#"); ok {
			all = append(all, comment)
		}
	}
	return all
}

func FuzzPatch(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.txtar")
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(archive.Files[0].Data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _ = patch.Patch("fuzz", data, options) // does not panic
	})
}
