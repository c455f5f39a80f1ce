package suite_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/onefold/onefold/compiler"
	"github.com/onefold/onefold/compiler/ir"
	"github.com/onefold/onefold/onefoldtest"
	"github.com/onefold/onefold/runtime/invoke"
)

// TestCounts holds what requests ask of the store and of other services against what the
// compiler predicts for their methods, which `onefold check -v` prints: over all
// applications, in one process and in a process for each service. (That a request takes
// one read version at most, and one commit with one record or none, Differential
// asserts of every request, in all tests.)
func TestCounts(t *testing.T) {
	t.Run("one process", func(t *testing.T) {
		overCounts(t, 12, func(t *testing.T, c *counting, opts onefoldtest.Options) { c.run(t, opts) }, (*counting).reached)
	})
	t.Run("one process on the remote store", func(t *testing.T) {
		overCounts(t, 2, func(t *testing.T, c *counting, opts onefoldtest.Options) {
			opts.Store = remoteStore
			c.run(t, opts)
		}, nil)
	})
	t.Run("processes on the remote store", func(t *testing.T) {
		overCounts(t, 4, func(t *testing.T, c *counting, opts onefoldtest.Options) {
			opts.Store, opts.Processes = remoteStore, true
			c.run(t, opts)
		}, (*counting).called)
	})
}

// overCounts counts the requests of some runs of each application, fewer in short mode, and
// then looks at all of an application together. The runs are short, so that fields stay
// small: a scan of a large one takes a round for each page.
func overCounts(t *testing.T, runs uint64, run func(*testing.T, *counting, onefoldtest.Options), all func(*counting, *testing.T)) {
	if testing.Short() {
		runs, all = 1, nil
	}
	for _, app := range slices.Concat(applications, withoutWorkflows()) {
		t.Run(app.name, func(t *testing.T) {
			c := &counting{app: app, methods: methods(t, app.name), most: map[string]onefoldtest.Usage{}}
			for seed := range runs {
				opts := app.opts
				opts.Seed, opts.Steps = 4*seed+1, 50 // by these seeds branches run in parallel
				run(t, c, opts)
			}
			if all != nil {
				all(c, t)
			}
		})
	}
}

// withoutWorkflows are the applications with workflows, of which only requests are counted that
// are done when their reply is there; TestCommitsOfWorkflows counts the others.
func withoutWorkflows() (apps []application) {
	weights := map[string]int{
		"Orders.Fulfil": 0, "Shipping.Deliver": 0, "Members.Join": 0, "Reports.Nightly": 0, // workflows
		"Orders.Complete": 0, "Orders.Fail": 0, "Members.Greet": 0, "Members.Write": 0, // send messages
		"Members.Confirm": 0, // sends a signal
		"Stock.Receive":   6, "Sales.Sell": 6,
	}
	for _, app := range workflowApplications {
		opts := app.opts
		opts.Weights = weights
		apps = append(apps, application{name: app.name, plain: app.plain, compiled: app.compiled, opts: opts})
	}
	return apps
}

// counting is the requests to an application whose counts are held against the predictions.
type counting struct {
	app     application
	methods map[string]*ir.Method
	most    map[string]onefoldtest.Usage // by method, the most of each count
}

// run is one run of random requests.
func (c *counting) run(t *testing.T, opts onefoldtest.Options) {
	opts.Rounds = true
	opts.Observe = func(req onefoldtest.Request, reply onefoldtest.Reply, used onefoldtest.Usage) {
		m := c.methods[req.Method]
		failed := reply.Type == invoke.TypeApplication
		if reply.Replayed || reply.Status != http.StatusOK && !failed {
			return
		}
		if !opts.Processes && used.Calls != 0 {
			t.Errorf("%s made %d calls in one process", req, used.Calls)
		}
		if what := disagree(m, req, used, failed, opts.Processes); what != "" {
			t.Errorf("%s (status %d): %s", req, reply.Status, what)
		}
		if !failed {
			most := c.most[req.Method]
			c.most[req.Method] = onefoldtest.Usage{
				Rounds: max(most.Rounds, used.Rounds-unrecorded(m, req)), Calls: max(most.Calls, used.Calls), Commits: max(most.Commits, used.Commits),
			}
		}
	}
	onefoldtest.Differential(t, onefoldtest.New(t, c.app.plain...), c.app.compiled(), opts)
}

// meeting are the methods of whose branches one reads what another writes, under a mutex:
// then an attempt starts again, with the branches in turn.
var meeting = []string{"Checkout.Restock"}

// disagree returns how the counts of a request are not those that were predicted. Of a
// request that failed only the rounds are predicted.
func disagree(m *ir.Method, req onefoldtest.Request, used onefoldtest.Usage, failed, processes bool) string {
	args := argumentsOf(req)
	rounds := ir.Range{Most: m.Effects.Rounds}
	if !within(rounds, used.Rounds-unrecorded(m, req), args) {
		return fmt.Sprintf("%d rounds, predicted %s", used.Rounds, m.Effects.Rounds)
	}
	if failed {
		return ""
	}
	commits := m.Effects.Commits
	if req.Key != "" {
		commits.Least = commits.Most // the reply is recorded
	}
	if !within(commits, used.Commits, args) {
		return fmt.Sprintf("%d commits, predicted %s", used.Commits, commits)
	}
	if processes && !slices.Contains(meeting, req.Method) && !within(m.Effects.Hops, used.Calls, args) {
		return fmt.Sprintf("%d calls between processes, predicted %s", used.Calls, m.Effects.Hops)
	}
	return ""
}

// unrecorded is -1 for a request that reads only the record of requests with an identity,
// which is predicted, and has none.
func unrecorded(m *ir.Method, req onefoldtest.Request) int {
	if m.Kind == ir.Atomic && len(m.Effects.Reads) == 0 && req.Key == "" {
		return -1
	}
	return 0
}

// within reports whether n is in a range, as far as the arguments tell what that is.
func within(r ir.Range, n int, count func(ir.Times) (int, bool)) bool {
	least, _ := r.Least.Eval(count)
	most, known := r.Most.Eval(count)
	return least <= n && (!known || n <= most)
}

// argumentsOf returns what the arguments of a request say of how often things happen.
func argumentsOf(req onefoldtest.Request) func(ir.Times) (int, bool) {
	var args any
	if err := json.Unmarshal([]byte(req.Args), &args); err != nil {
		panic(err) // the request was understood
	}
	return func(t ir.Times) (int, bool) {
		if t.Param == nil {
			return 0, false
		}
		value := args
		for _, name := range append([]string{t.Param.Name()}, t.Path...) {
			object, _ := value.(map[string]any)
			value = object[name]
		}
		switch v := value.(type) {
		case nil:
			return 0, len(t.Path) == 0
		case float64:
			return max(0, int(v)), true
		case []any:
			return len(v), true
		case map[string]any:
			return len(v), true
		}
		return 0, false
	}
}

// reached reports an error unless three quarters of the methods took as many rounds and
// commits as predicted.
func (c *counting) reached(t *testing.T) {
	reached, all := 0, 0
	for _, name := range slices.Sorted(maps.Keys(c.most)) {
		e, most := c.methods[name].Effects, c.most[name]
		if len(e.Rounds.Terms) > 0 {
			continue
		}
		all++
		if most.Rounds == e.Rounds.Fixed && most.Commits == e.Commits.Most.Fixed {
			reached++
		} else {
			t.Logf("%s took at most %d rounds, predicted %s, and %d commits, predicted %s", name, most.Rounds, e.Rounds, most.Commits, e.Commits)
		}
	}
	if reached*4 < all*3 {
		t.Errorf("%d of %d methods took as many rounds as predicted, want three quarters", reached, all)
	}
}

// called reports an error unless nine methods of ten that call others made as many calls as predicted.
func (c *counting) called(t *testing.T) {
	reached, all := 0, 0
	for _, name := range slices.Sorted(maps.Keys(c.most)) {
		e, most := c.methods[name].Effects, c.most[name]
		if len(e.Hops.Most.Terms) > 0 || e.Hops.Most.Fixed == 0 || slices.Contains(meeting, name) {
			continue
		}
		all++
		if most.Calls == e.Hops.Most.Fixed {
			reached++
		} else {
			t.Logf("%s made at most %d calls, predicted %s", name, most.Calls, e.Hops)
		}
	}
	if reached*10 < all*9 {
		t.Errorf("%d of %d methods made as many calls as predicted, want nine of ten", reached, all)
	}
}

// methods returns the endpoints of an application of testdata/apps as the compiler sees them.
func methods(t *testing.T, app string) map[string]*ir.Method {
	t.Helper()
	checked, _ := programs.LoadOrStore(app, sync.OnceValues(func() (map[string]*ir.Method, error) {
		result, err := compiler.Check(t.Context(), compiler.Options{Dir: filepath.Join("../../testdata/apps", app), Patterns: []string{"./..."}})
		if err != nil {
			return nil, err
		}
		all := map[string]*ir.Method{}
		for _, s := range result.Program.Services {
			for _, m := range s.Methods {
				all[s.Name+"."+m.Name] = m
			}
		}
		return all, nil
	}))
	all, err := checked.(func() (map[string]*ir.Method, error))()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// programs are the applications that were checked.
var programs sync.Map
