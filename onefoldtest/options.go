package onefoldtest

import (
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"

	"github.com/onefold/onefold/runtime"
	"github.com/onefold/onefold/runtime/store"
	"github.com/onefold/onefold/runtime/store/memory"
)

// Options say what requests a suite makes. The zero value works.
type Options struct {
	// Seed makes a run repeatable. 0 takes a random one, which the test's log names.
	Seed uint64
	// Steps is how many requests a run makes, of one client in Histories. Each suite
	// has a default of its own.
	Steps int
	// Runs is how many runs Histories makes, and how many runs with random faults
	// CrashPoints makes of each request. Each has a default of its own.
	Runs int
	// Clients is how many clients Histories has. Default 3.
	Clients int
	// Scenario are the requests that CrashPoints makes, and that come before those of
	// the clients in Histories. CrashPoints without one makes them up.
	Scenario []Request
	// Generators make arguments where their types alone would make dull ones.
	Generators Generators
	// Weights are how often methods are called, by "Service.Method", relative to
	// the others, which have 1. A method with 0 is not called.
	Weights map[string]int
	// Random names fields ("Service.field") and methods ("Service.Method") whose values and
	// replies depend on chance in a way that the suite cannot feed to both sides.
	// Of them only the number of elements is compared.
	Random []string
	// AnyError names methods ("Service.Method") with branches of which several may fail
	// at once: a plain errgroup reports whichever error comes first, the compiled one the
	// first in program order. Which one it is is not compared.
	AnyError []string
	// Processes runs each service of the compiled application in a process of its own,
	// which call each other over connections that lose, double and delay calls wherever
	// the suite makes faults. Default: one process.
	Processes bool
	// Store opens an empty store for the compiled application. Default: an embedded one
	// in memory, used directly.
	Store func(t testing.TB) Store
	// Rounds has Differential count the store rounds of each request, by letting each take
	// a nanosecond of virtual time. Times in replies and in the state are not compared then.
	Rounds bool
	// Observe, if set, is told what each request of Differential asked of the store.
	Observe func(req Request, reply Reply, used Usage)

	// wrap breaks the runtime on purpose: it stands between it and the store.
	wrap func(store.Engine) store.Engine
	// wire breaks the gateway on purpose: it stands between it and the network.
	wire func(http.RoundTripper) http.RoundTripper
	// shared tells processes that they share the store.
	shared bool
	// long leaves a swarm that fails as long as it is.
	long bool
	// most is after how many violations a suite ends. Default 5.
	most int
}

// seeded returns the options with a seed, which it logs.
func (o Options) seeded(t testing.TB) Options {
	t.Helper()
	for o.Seed == 0 {
		o.Seed = rand.Uint64()
	}
	t.Logf("seed %d", o.Seed)
	return o
}

// rand returns a source of the seed and a number that tells its uses apart.
func (o Options) rand(use uint64) *rand.Rand { return rand.New(rand.NewPCG(o.Seed, use)) }

// parallel reports whether the branches of the compiled side run in parallel: by
// most seeds they do, by some they run in turn.
func (o Options) parallel() bool { return o.Seed%4 != 0 }

// open opens the store of a run.
func (o Options) open(t testing.TB) Store {
	t.Helper()
	if o.Store == nil {
		return openEmbedded(t)
	}
	return o.Store(t)
}

// openQuiet opens the store of a run in which years may pass: by default one that
// does nothing by itself.
func (o Options) openQuiet(t testing.TB) Store {
	t.Helper()
	if o.Store == nil {
		return storeOf(memory.New())
	}
	return o.Store(t)
}

// wrapped returns what the runtime gets instead of engine.
func (o Options) wrapped(engine store.Engine) store.Engine {
	if o.wrap == nil {
		return engine
	}
	return o.wrap(engine)
}

// wired returns what the gateway gets instead of network.
func (o Options) wired(network http.RoundTripper) http.RoundTripper {
	if o.wire == nil {
		return network
	}
	return o.wire(network)
}

// withoutWorkflows ends a test of an application that its suite cannot run: the plain side
// would see messages and workflows through at once, the compiled one later. Options that
// leave them out are taken: those whose weights are 0 for all workflows, and for something.
func withoutWorkflows(t testing.TB, compiled *runtime.App, opts Options, suite string) {
	t.Helper()
	if !isDurable(compiled) {
		return
	}
	out := slices.Contains(slices.Collect(maps.Values(opts.Weights)), 0)
	for _, s := range compiled.Services {
		for _, m := range s.Methods {
			weight, given := opts.Weights[s.Name+"."+m.Name]
			out = out && (m.Kind != runtime.Workflow || given && weight == 0)
		}
	}
	if !out {
		t.Fatalf("%s is for applications without workflows and messages, and %s has some: use Simulate(t, plain, compiled, RandomScript(plain, Options{})), CrashWorkflows and WorkflowHistories, or set the weights of workflows and of methods that send messages to 0", suite, compiled.Name)
	}
}
