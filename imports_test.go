package onefold_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/onefold/onefold"

// layers lists, for each group of packages, the groups it may import; a group
// is a package of the module or a folder with everything below it. Imports go
// down only, the compiler and the runtime never meet, and a new edge is a
// reviewed line here.
var layers = []struct {
	group string
	may   []string
}{
	{".", []string{"onefoldtest/snapshot", "internal/plain"}},
	{"cmd", []string{"compiler", "compiler/diag", "compiler/check", "compiler/ir", "backend", "frontend", "inspect",
		"control/stage", "control/cgroup", "runtime/gateway",
		"instrument/profile", "instrument/load", "instrument/poker", "instrument/slowpoke/page", "instrument/inject",
		"manifests", "manifests/image", "manifests/patch", "manifests/deploy"}},

	// The compiler: cmd → compiler → phases → ir → diag.
	{"compiler", []string{"frontend", "compiler/check", "compiler/lower", "backend", "compiler/pass", "compiler/names", "compiler/rewrite", "compiler/ir", "compiler/diag"}},
	{"compiler/compiletest", []string{"frontend", "compiler/ir", "compiler/diag"}},
	{"compiler/check", []string{"compiler/pass", "compiler/deterministic", "compiler/storable", "compiler/ir", "compiler/diag"}},
	{"compiler/lower", []string{"compiler/pass", "compiler/deterministic", "compiler/names", "compiler/rewrite", "compiler/storable", "compiler/ir", "compiler/diag"}},
	{"compiler/pass", []string{"compiler/ir", "compiler/diag"}},
	{"compiler/names", []string{"compiler/ir"}},
	{"compiler/rewrite", nil},
	{"compiler/storable", nil},
	{"compiler/deterministic", nil},
	{"compiler/ir", []string{"compiler/diag"}},
	{"compiler/diag", nil},
	{"frontend", []string{"compiler/storable", "compiler/ir", "compiler/diag"}},
	{"backend", []string{"compiler/names", "compiler/storable", "compiler/ir", "compiler/rewrite"}},

	// Deployment: ir → YAML, binaries → images, both → a cluster.
	{"manifests", []string{"compiler/ir"}},
	{"manifests/image", nil},
	{"manifests/patch", nil},
	{"manifests/deploy", nil},
	{"e2e", nil},

	// Clients of running servers.
	{"inspect", nil},

	// The runtime: what generated code calls, down to the engines.
	{"runtime/local", []string{"runtime", "runtime/peer", "runtime/console", "runtime/example", "runtime/invoke", "runtime/workflow", "runtime/atomic", "runtime/codec", "runtime/store", "instrument/slowpoke"}},
	{"runtime/local/localtest", []string{"runtime", "runtime/local", "runtime/store", "runtime/workflow", "runtime/state", "runtime/atomic", "runtime/codec"}},
	{"runtime/peer", []string{"runtime", "runtime/atomic", "runtime/codec", "runtime/store"}},
	{"runtime/gateway", []string{"runtime/invoke"}},
	{"runtime/console", []string{"runtime", "runtime/example", "runtime/state", "runtime/atomic"}},
	{"runtime/example", nil},
	{"runtime/invoke", []string{"runtime", "runtime/workflow", "runtime/atomic", "runtime/codec", "runtime/store"}},
	{"runtime", []string{"runtime/workflow", "runtime/atomic", "runtime/state", "runtime/codec"}},
	{"runtime/workflow", []string{"runtime/atomic", "runtime/codec", "runtime/store"}},
	{"runtime/state", []string{"runtime/atomic", "runtime/codec", "runtime/store", "onefoldtest/snapshot"}},
	{"runtime/atomic", []string{"runtime/store"}},
	{"runtime/codec", []string{"runtime/store"}},
	{"runtime/store", nil},

	// Measuring live services, whether onefold compiled them or not.
	{"instrument/profile", []string{"instrument/load", "instrument/poker", "instrument/gauge", "instrument/precise", "instrument/slowpoke", "instrument/slowpoke/page"}},
	{"instrument/load", []string{"instrument/precise"}},
	{"instrument/inject", []string{"instrument", "instrument/slowpoke", "instrument/slowpoke/page", "compiler/rewrite", "compiler/diag"}},
	{"instrument", nil}, // the source of what follows
	{"instrument/routers", nil},
	{"instrument/poker", []string{"instrument/gauge", "instrument/slowpoke/page", "instrument/precise"}},
	{"instrument/gauge", []string{"instrument/precise"}},
	{"instrument/slowpoke", []string{"instrument/slowpoke/page", "instrument/precise"}},
	{"instrument/slowpoke/page", []string{"instrument/precise"}},
	{"instrument/precise", nil},
	// What runs and steers a compiled application on one machine.
	{"control/cgroup", nil},
	{"control/stage", []string{"control/cgroup", "runtime/gateway", "runtime/peer"}},

	// What measures the whole.
	{"bench", []string{"runtime/peer", "runtime/codec", "runtime/store", "testdata/apps"}},
	{"testdata/apps", nil}, // which ./... leaves out

	// For users' tests: both sides, plain and compiled.
	{"onefoldtest/snapshot", nil},
	{"internal/plain", nil},
	{"onefoldtest", []string{"onefoldtest/snapshot", "internal/plain", "runtime", "runtime/peer", "runtime/state", "runtime/local", "runtime/gateway", "runtime/invoke", "runtime/workflow", "runtime/atomic", "runtime/codec", "runtime/store"}},
}

// group returns the longest group of layers that holds the package.
func group(pkg string) string {
	best := ""
	for _, l := range layers {
		if (pkg == l.group || strings.HasPrefix(pkg, l.group+"/")) && len(l.group) > len(best) {
			best = l.group
		}
	}
	return best
}

func TestImportDirections(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`, "./...").Output()
	if err != nil {
		t.Fatalf("list packages: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		from := relative(fields[0])
		fromGroup := group(from)
		if fromGroup == "" {
			t.Errorf("package %s is in no layer; add a row", from)
			continue
		}
		i := slices.IndexFunc(layers, func(l struct {
			group string
			may   []string
		}) bool {
			return l.group == fromGroup
		})
		for _, imp := range fields[1:] {
			if !strings.HasPrefix(imp, module) {
				continue
			}
			to := group(relative(imp))
			if to != fromGroup && !slices.Contains(layers[i].may, to) {
				t.Errorf("%s imports %s: %s may import only %v", from, relative(imp), fromGroup, layers[i].may)
			}
		}
	}
}

func relative(path string) string {
	if path == module {
		return "."
	}
	return strings.TrimPrefix(path, module+"/")
}
