package onefoldtest

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A sourceMutant is a runtime whose source was changed in a few places.
type sourceMutant struct {
	name  string
	file  string   // below the module's root
	edits []string // old, new, old, new…; each old occurs once
}

var sourceMutants = []sourceMutant{
	{
		name: "reads of a rolled-back savepoint forgotten",
		file: "runtime/store/overlay/overlay.go",
		edits: []string{
			"	stats   Stats\n", "	stats   Stats\n	before  map[Mark]int\n",
			"	o.frozen = len(o.ops)\n	return Mark(len(o.ops))", "	if o.before == nil {\n		o.before = map[Mark]int{}\n	}\n	o.before[Mark(len(o.ops))] = len(o.reads.ranges)\n	o.frozen = len(o.ops)\n	return Mark(len(o.ops))",
			"	o.frozen = int(m)\n", "	o.frozen = int(m)\n	o.reads.ranges = o.reads.ranges[:o.before[m]]\n",
		},
	},
	{
		name:  "branch effects merged out of order",
		file:  "runtime/atomic/group.go",
		edits: []string{"	for _, b := range g.branches {\n		g.tx.merge(b.tx)", "	for i := range g.branches {\n		b := g.branches[len(g.branches)-1-i]\n		g.tx.merge(b.tx)"},
	},
	{
		name:  "branches that read what a sibling wrote are merged",
		file:  "runtime/store/overlay/fork.go",
		edits: []string{"child.overtaken(o.ops[child.own:])", "false"},
	},
	{
		name:  "an attempt sees the live memory of the one before",
		file:  "runtime/atomic/run.go",
		edits: []string{"	a := r.begin(ctx)\n", "	a := r.begin(ctx)\n	if r.last != nil {\n		a.root.instances, a.root.tracked = r.last.root.instances, r.last.root.tracked\n		for i := range a.root.tracked {\n			a.root.tracked[i].live.Rebase(&a.root)\n		}\n	}\n	r.last = a\n", "	tried      int\n", "	tried      int\n	last       *attempt\n"},
	},
}

// TestSuitesCatchSourceMutants runs the tests of this package, in processes of
// their own, with changed sources of the runtime: they must fail. Who meets whom in
// a concurrent history is chance, so there are several tries.
func TestSuitesCatchSourceMutants(t *testing.T) {
	for _, m := range sourceMutants {
		t.Run(m.name, func(t *testing.T) {
			m.mustFail(t, "6", "^(TestDifferential|TestCrashPoints|TestHistories|TestHistoriesOfSavepoints)$")
		})
	}
}

// mustFail runs tests of this package on the mutant, several times, and fails if none of them does.
func (m sourceMutant) mustFail(t *testing.T, times, tests string) {
	t.Helper()
	cmd := exec.Command("go", "test", "-vet=off", "-count", times, "-failfast", "-timeout", "4m", "-overlay", overlay(t, []sourceMutant{m}), "-run", tests, ".")
	out, err := cmd.CombinedOutput()
	report := string(out)
	switch {
	case err == nil:
		t.Error("nothing tells this runtime from the real one")
	case !strings.Contains(report, "--- FAIL: Test"):
		t.Errorf("the mutant was not even tested:\n%s", report)
	default:
		t.Logf("caught: %.1000s", report)
	}
}

// overlay writes mutants and returns the file for -overlay.
func overlay(t *testing.T, mutants []sourceMutant) string {
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	dir, sources := t.TempDir(), map[string]string{}
	for _, m := range mutants {
		path := filepath.Join(root, filepath.FromSlash(m.file))
		if sources[path] == "" {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			sources[path] = string(text)
		}
		sources[path] = m.mutated(t, sources[path])
	}
	replace := map[string]string{}
	for path, text := range sources {
		replace[path] = filepath.Join(dir, fmt.Sprint(len(replace), ".go"))
		if err := os.WriteFile(replace[path], []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(file, list, 0o666); err != nil {
		t.Fatal(err)
	}
	return file
}

// mutated returns the source with the mutant in it.
func (m *sourceMutant) mutated(t *testing.T, text string) string {
	for i := 0; i < len(m.edits); i += 2 {
		if n := strings.Count(text, m.edits[i]); n != 1 {
			t.Fatalf("%s has %d places like this, want 1; the mutant must follow the source:\n%s", m.file, n, m.edits[i])
		}
		text = strings.Replace(text, m.edits[i], m.edits[i+1], 1)
	}
	return text
}

// workflowSource is the runtime of workflows with the mutants of workflowSourceMutants
// in it, of which the environment picks one: so there is only one to be compiled.
var workflowSource = sourceMutant{
	file:  "runtime/workflow/hooks.go",
	edits: []string{"package workflow\n", "package workflow\n\nimport \"os\"\n\nfunc mutant(name string) bool { return os.Getenv(\"ONEFOLD_MUTANT\") == name }\n"},
}

var workflowSourceMutants = []sourceMutant{
	{
		name:  "no epoch check",
		file:  "runtime/workflow/commit.go",
		edits: []string{"	return false, errFenced\n", "	if mutant(\"no epoch check\") {\n		return false, nil\n	}\n	return false, errFenced\n"},
	},
	{
		name:  "an effect without intent",
		file:  "runtime/workflow/do.go",
		edits: []string{"func (r *Run) ready(name string) {\n", "func (r *Run) ready(name string) {\n	if mutant(\"an effect without intent\") {\n		return\n	}\n"},
	},
	{
		name:  "another idempotency key in each execution",
		file:  "runtime/workflow/do.go",
		edits: []string{"	key := run.exec.id + \"/\" + s.path.String()\n", "	key := run.exec.id + \"/\" + s.path.String()\n	if mutant(\"another idempotency key in each execution\") {\n		key += string(rune(run.exec.owner % 1000))\n	}\n"},
	},
	{
		name:  "leases are not renewed",
		file:  "runtime/workflow/conclude.go",
		edits: []string{"func (x *execution) startRenewal() {\n", "func (x *execution) startRenewal() {\n	if mutant(\"leases are not renewed\") {\n		return\n	}\n"},
	},
	{
		name:  "a message that was delivered is delivered again",
		file:  "runtime/workflow/message.go",
		edits: []string{"	if _, ok := tx.Get(d.key); !ok {\n", "	if mutant(\"a message that was delivered is delivered again\") {\n		return nil, nil\n	}\n	if _, ok := tx.Get(d.key); !ok {\n"},
	},
	{
		name:  "a step's result is not recorded",
		file:  "runtime/workflow/commit.go",
		edits: []string{"		rec.value, rec.err = reply.Body, f\n		c.rec = rec\n		t.setRecord(c.step.path, rec)\n", "		rec.value, rec.err = reply.Body, f\n		c.rec = rec\n		if !mutant(\"a step's result is not recorded\") {\n			t.setRecord(c.step.path, rec)\n		}\n"},
	},
	{
		name:  "a commit whose result was unknown is made again",
		file:  "runtime/workflow/commit.go",
		edits: []string{"	if c.tries == 1 {\n", "	if c.tries == 1 || mutant(\"a commit whose result was unknown is made again\") {\n"},
	},
}

// TestSuitesCatchWorkflowSourceMutants runs the tests of workflows with each mutant: some must
// fail. Some faults are random, so there are several tries.
func TestSuitesCatchWorkflowSourceMutants(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "mutants.test")
	build := exec.Command("go", "test", "-c", "-o", binary, "-vet=off", "-overlay", overlay(t, append(workflowSourceMutants, workflowSource)), ".")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the mutants: %v\n%s", err, out)
	}
	tests := "^(TestEffects.*|TestCrashWorkflows)$"
	for _, m := range workflowSourceMutants {
		t.Run(m.name, func(t *testing.T) {
			run := exec.Command(binary, "-test.run", tests, "-test.count", "8", "-test.failfast", "-test.timeout", "4m")
			run.Env = append(os.Environ(), "ONEFOLD_MUTANT="+m.name, "ONEFOLD_SOAK=1")
			out, err := run.CombinedOutput()
			switch report := string(out); {
			case err == nil:
				t.Error("nothing tells this runtime from the real one")
			case !strings.Contains(report, "--- FAIL: Test"):
				t.Errorf("the mutant was not even tested:\n%s", report)
			default:
				t.Logf("caught: %.300s", report)
			}
		})
	}
}
