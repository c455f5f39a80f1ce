package onefoldtest

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	goruntime "runtime"
	"strings"
	"testing"

	"github.com/onefold/onefold/runtime"
	"github.com/onefold/onefold/runtime/invoke"
	"github.com/onefold/onefold/runtime/store"

	bankaccount "github.com/onefold/onefold/testdata/apps/bank/account"
	bankaudit "github.com/onefold/onefold/testdata/apps/bank/audit"
	bankgen "github.com/onefold/onefold/testdata/apps/bank/gen"
	bankteller "github.com/onefold/onefold/testdata/apps/bank/teller"
)

func TestSwarm(t *testing.T) {
	Swarm(t, New(t, newLedger), compiledLedger(), Options{Seed: 1, Runs: short(40)})
}

// short returns a number of runs, which short mode has fewer of.
func short(runs int) int {
	if testing.Short() {
		return runs / 5
	}
	return runs
}

// TestSwarmOfProcesses has services in processes of their own, which call each other.
func TestSwarmOfProcesses(t *testing.T) {
	plain, compiled := bank(t)
	Swarm(t, plain, compiled, Options{Seed: 1, Runs: short(40), Generators: savings, Weights: transfers})
}

// bank is an application of three services.
func bank(t *testing.T) (*App, *runtime.App) {
	return New(t, bankteller.NewTeller, bankaccount.NewAccounts, bankaudit.NewLog), bankgen.App()
}

var (
	savings   = Generators{"cents": OneOf(1, 2, 5), "id": OneOf("a", "b"), "from": OneOf("a", "b"), "to": OneOf("a", "b"), "frozen": OneOf(false)}
	transfers = map[string]int{"Accounts.Open": 4, "Accounts.Deposit": 4, "Teller.Transfer": 4, "Teller.Batch": 4}
)

// TestSwarmIsDecidedByItsSeed makes runs twice: everything that happens must be
// the same, at the same time.
func TestSwarmIsDecidedByItsSeed(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector has goroutines take turns at random")
	}
	defer goruntime.GOMAXPROCS(goruntime.GOMAXPROCS(1))
	plain, compiled := bank(t)
	for seed := range uint64(8) {
		opts := Options{Seed: seed, Steps: 5, Clients: 3}
		run := func() string {
			s := runSwarm(t, plain, compiled, opts, newPlan(plain, compiled, opts))
			return fmt.Sprintf("%x\n%s\n%s", s.trace.sum, &s.history, s.report())
		}
		first := run()
		if second := run(); second != first {
			t.Fatalf("seed %d\n%s\nand then\n%s", seed, first, second)
		}
	}
}

// callMutants break what goes between processes.
var callMutants = []sourceMutant{
	{
		name:  "what a call read is forgotten",
		file:  "runtime/store/overlay/part.go",
		edits: []string{"		o.Observe(r)\n	}\n	if o.parent", "		_ = r\n	}\n	if o.parent"},
	},
	{
		name:  "pending writes stay behind",
		file:  "runtime/atomic/call.go",
		edits: []string{"		c.Pending = tx.overlay.Pending(a.runner.stateOf(touched))\n", ""},
	},
}

func TestSwarmCatchesMutantsOfCalls(t *testing.T) {
	if os.Getenv("ONEFOLD_SOAK") == "" {
		t.Skip("builds a test for each mutant; make soak runs it")
	}
	for _, m := range callMutants {
		t.Run(m.name, func(t *testing.T) { m.mustFail(t, "1", "^TestSwarmOfProcesses$") })
	}
}

// wireMutants are gateways that break the protocol.
var wireMutants = map[string]func(http.RoundTripper) http.RoundTripper{
	"a second delivery has an id of its own": func(next http.RoundTripper) http.RoundTripper {
		n := uint64(0)
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.Header.Get("Onefold-Id") != "" {
				n++
				r = r.Clone(r.Context())
				r.Header.Set("Onefold-Id", seededID(rand.New(rand.NewPCG(n, 0))))
			}
			return next.RoundTrip(r)
		})
	},
	"keys are forgotten": func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			r = r.Clone(r.Context())
			r.Header.Del("Idempotency-Key")
			return next.RoundTrip(r)
		})
	},
	"a lost reply is a refusal": func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) {
			resp, err := next.RoundTrip(r)
			if err == errCut && r.Method == http.MethodPost {
				w := httptest.NewRecorder()
				p := invoke.Problem{Type: invoke.TypeContention, Status: http.StatusServiceUnavailable}
				p.Write(w)
				return w.Result(), nil
			}
			return resp, err
		})
	},
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// telling are seeds shortly before one that tells a mutant from the real runtime, or did:
// they spare the search.
var telling = map[string]uint64{
	"a range read without its conflict range":  270,
	"no reads are conflicts but of the record": 25,
}

// TestSwarmIsMadeShort breaks something that shows without any fault of others.
func TestSwarmIsMadeShort(t *testing.T) {
	opts := Options{Seed: 1, Runs: 10, most: 1, wire: wireMutants["keys are forgotten"]}
	violations := swarms(t, New(t, newLedger), compiledLedger(), opts)
	if len(violations) != 1 || !strings.Contains(violations[0], "no faults") || strings.Count(violations[0], "\n") > 12 {
		t.Errorf("violations that could be shorter: %s", violations)
	}
}

// TestSwarmCatchesMutants breaks the runtime, or the gateway, in many ways.
func TestSwarmCatchesMutants(t *testing.T) {
	if testing.Short() {
		t.Skip("takes hundreds of runs")
	}
	catch := func(name string, opts Options) {
		t.Run(name, func(t *testing.T) {
			opts.Seed, opts.Runs, opts.most, opts.long = max(1, telling[name]), 1000, 1, true
			violations := swarms(t, New(t, newLedger), compiledLedger(), opts)
			if len(violations) == 0 {
				t.Fatal("nothing tells this one from the real one")
			}
			t.Logf("caught: %s", violations[0])
		})
	}
	for name, make := range mutants {
		catch(name, Options{wrap: func(e store.Engine) store.Engine {
			m := make()
			m.Engine = e
			return m
		}})
	}
	for name, wire := range wireMutants {
		catch(name, Options{wire: wire})
	}
}
