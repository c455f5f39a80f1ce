package suite_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/onefold/onefold/compiler/ir"
	"github.com/onefold/onefold/onefoldtest"
	"github.com/onefold/onefold/runtime"

	fulfilmentgen "github.com/onefold/onefold/testdata/apps/fulfilment/gen"
	fulfilmentinvoice "github.com/onefold/onefold/testdata/apps/fulfilment/invoice"
	fulfilmentmail "github.com/onefold/onefold/testdata/apps/fulfilment/mail"
	fulfilmentorder "github.com/onefold/onefold/testdata/apps/fulfilment/order"
	"github.com/onefold/onefold/testdata/apps/fulfilment/providertest"
	fulfilmentshipping "github.com/onefold/onefold/testdata/apps/fulfilment/shipping"
	fulfilmentstock "github.com/onefold/onefold/testdata/apps/fulfilment/stock"
	nightlygen "github.com/onefold/onefold/testdata/apps/nightly/gen"
	nightlyreport "github.com/onefold/onefold/testdata/apps/nightly/report"
	nightlysales "github.com/onefold/onefold/testdata/apps/nightly/sales"
	onboardinggen "github.com/onefold/onefold/testdata/apps/onboarding/gen"
	onboardingmail "github.com/onefold/onefold/testdata/apps/onboarding/mail"
	onboardingmember "github.com/onefold/onefold/testdata/apps/onboarding/member"
)

// workflowApplication is an application of testdata/apps that has workflows.
type workflowApplication struct {
	name     string
	plain    []any
	compiled func() *runtime.App
	script   func(t *testing.T) func(*onefoldtest.Simulation)
	opts     onefoldtest.Options // of random scripts
}

var workflowApplications = []workflowApplication{
	{
		name: "fulfilment",
		plain: []any{fulfilmentorder.NewOrders, fulfilmentstock.NewStock, fulfilmentshipping.NewShipping,
			fulfilmentinvoice.NewInvoices, fulfilmentmail.NewOutbox},
		compiled: fulfilmentgen.App,
		script:   orders,
		opts: onefoldtest.Options{
			Generators: generators{
				"sku":     oneOf("pen", "ink"),
				"count":   between(0, 4),
				"address": oneOf("", "1 Main Street", "2 Main Street"),
				"card":    oneOf("visa", "stolen"),
				"order.Order": func(r *rand.Rand) any {
					return fulfilmentorder.Order{
						Customer: "ann", Cents: 100 * r.IntN(5),
						Address: pick(r, 1, "", "1 Main Street", "2 Main Street")[0].(string),
						Card:    pick(r, 1, "visa", "visa", "stolen")[0].(string),
						Lines:   []fulfilmentstock.Line{{SKU: "pen", Count: r.IntN(3)}, {SKU: "ink", Count: 1}}[r.IntN(2):],
					}
				},
			},
			Weights: map[string]int{"Orders.Fulfil": 6, "Stock.Receive": 6},
		},
	},
	{
		name:     "onboarding",
		plain:    []any{onboardingmember.NewMembers, onboardingmail.NewOutbox},
		compiled: onboardinggen.App,
		script:   joiners,
		opts: onefoldtest.Options{
			Weights: map[string]int{"Members.Join": 4, "Members.Confirm": 4, "Members.Greet": 0},
		},
	},
	{
		name:     "nightly",
		plain:    []any{nightlyreport.NewReports, nightlysales.NewSales},
		compiled: nightlygen.App,
		script:   nights,
		opts: onefoldtest.Options{
			Generators: generators{"day": oneOf("1999-12-31", "2000-01-01", "2000-01-02")},
			Weights:    map[string]int{"Sales.Sell": 6},
		},
	},
}

// orders fulfils an order, and fails at two: of one the card is stolen, of the other the address is missing.
func orders(t *testing.T) func(*onefoldtest.Simulation) {
	return func(s *onefoldtest.Simulation) {
		provider := providertest.Install(t)
		order := func(card, address string) onefoldtest.Reply {
			return s.Call("Orders.Fulfil", fmt.Sprintf(`{"order":{"customer":"ann","card":%q,"address":%q,"cents":500,"lines":[{"sku":"pen","count":2}]}}`, card, address))
		}
		s.Call("Stock.Receive", `{"sku":"pen","count":5}`)
		s.Expect(order("visa", "1 Main Street"), `"parcel-1"`)
		order("stolen", "1 Main Street")
		order("visa", "")
		if keys := provider.Keys(); len(keys) != 4 || provider.Paid() != 500 {
			s.Errorf("the provider has %d cents, of 3 payments and 1 refund with keys %q; want 500 with 4 keys", provider.Paid(), keys)
		}
	}
}

// joiners has one who confirms in time and one who does not.
func joiners(*testing.T) func(*onefoldtest.Simulation) {
	return func(s *onefoldtest.Simulation) {
		ann := s.Start("Members.Join", `{"email":"ann"}`)
		bob := s.Start("Members.Join", `{"email":"bob"}`)
		s.Skip(24 * time.Hour)
		s.Expect(s.Call("Members.Confirm", `{"email":"ann"}`), `null`)
		s.Expect(ann.Wait(), `"confirmed"`)
		s.Expect(bob.Wait(), `"expired"`)
		s.Call("Members.Confirm", `{"email":"bob"}`)
	}
}

// nights sells in two shops, and closes the tills twice.
func nights(*testing.T) func(*onefoldtest.Simulation) {
	return func(s *onefoldtest.Simulation) {
		s.Skip(9 * time.Hour)
		for range 2 {
			s.Call("Sales.Sell", `{"shop":"north","cents":5}`)
			s.Call("Sales.Sell", `{"shop":"south","cents":7}`)
			s.Skip(24 * time.Hour)
		}
		s.Expect(s.Call("Reports.Day", `{"day":"2000-01-01"}`), `{"north":5,"south":7}`)
		s.Expect(s.Call("Reports.Day", `{"day":"2000-01-02"}`), `{"north":5,"south":7}`)
	}
}

// TestRandomWorkflows is the oracle test of workflows: random scripts on both sides.
func TestRandomWorkflows(t *testing.T) {
	for _, app := range workflowApplications {
		t.Run(app.name, func(t *testing.T) {
			for seed := range scripts(t) {
				t.Run(fmt.Sprint(seed), func(t *testing.T) {
					plain, opts := onefoldtest.New(t, app.plain...), app.opts
					opts.Seed = seed
					script := onefoldtest.RandomScript(plain, opts)
					onefoldtest.Simulate(t, plain, app.compiled(), func(s *onefoldtest.Simulation) {
						providertest.Install(t)
						script(s)
					})
				})
			}
		})
	}
}

// scripts yields the seeds of random scripts.
func scripts(t *testing.T) func(yield func(uint64) bool) {
	first, n := uint64(1), 10
	switch soak := number(t, "ONEFOLD_SOAK", 0); {
	case soak > 0:
		first, n = uint64(time.Now().UnixNano()), int(soak)*100
	case testing.Short():
		n = 3
	}
	return func(yield func(uint64) bool) {
		for seed := first; seed < first+uint64(n) && yield(seed); seed++ {
		}
	}
}

// TestCrashWorkflows tries faults at the store operations of scripts; all of them with ONEFOLD_SOAK.
func TestCrashWorkflows(t *testing.T) {
	for _, app := range workflowApplications {
		t.Run(app.name, func(t *testing.T) {
			opts := onefoldtest.Options{Runs: 120}
			switch {
			case number(t, "ONEFOLD_SOAK", 0) > 0:
				opts.Runs = 0
			case testing.Short():
				opts.Runs = 25
			}
			opts.Seed = number(t, "ONEFOLD_SEED", 0)
			onefoldtest.CrashWorkflows(t, onefoldtest.New(t, app.plain...), app.compiled(), app.script(t), opts)
		})
	}
}

// TestWorkflowHistories checks orders that are fulfilled beside requests for the same stock.
func TestWorkflowHistories(t *testing.T) {
	app := workflowApplications[0]
	opts := app.opts
	opts.Seed, opts.Runs = 1, 8
	opts.Random = []string{"Outbox.letters"}
	opts.Weights = map[string]int{"Orders.Fulfil": 8, "Stock.Receive": 6, "Stock.Free": 2, "Outbox.Letters": 0, "Outbox.Send": 0}
	switch soak := number(t, "ONEFOLD_SOAK", 0); {
	case soak > 0:
		opts.Seed, opts.Runs = 0, int(soak)*100
	case testing.Short():
		opts.Runs = 2
	}
	providertest.Install(t)
	onefoldtest.WorkflowHistories(t, onefoldtest.New(t, app.plain...), app.compiled(), opts)
}

// TestCommitsOfWorkflows asserts the exact number of commits that workflows of the
// applications make, children apart: what n steps take is no more than n+2, where an await with a timeout is two.
func TestCommitsOfWorkflows(t *testing.T) {
	type count struct{ Steps, Commits int }
	got := map[string]count{}
	measure := func(app *runtime.App, name string, method, args string, first ...onefoldtest.Request) {
		predicted := methods(t, app.Name)[method].Effects.Commits.Most
		onefoldtest.Simulate(t, onefoldtest.New(t, plainOf(app.Name)...), app, func(s *onefoldtest.Simulation) {
			providertest.Install(t)
			for _, req := range first {
				s.Call(req.Method, req.Args)
			}
			flow := s.Start(method, args)
			flow.Wait()
			h := flow.History()
			if h == nil {
				return // the plain side
			}
			c := count{Commits: flow.Commits()}
			for _, step := range h.Steps {
				c.Steps++
				if step.Kind == "await" && !step.Due.IsZero() {
					c.Steps++
				}
			}
			if c.Commits > c.Steps+2 {
				s.Errorf("%s: %d commits of %d steps, want at most 2 more than steps", name, c.Commits, c.Steps)
			}
			if most, known := predicted.Eval(func(ir.Times) (int, bool) { return 0, false }); known && c.Commits > most {
				s.Errorf("%s: %d commits, predicted %d at most", name, c.Commits, most)
			}
			got[name] = c
		})
	}
	pens := onefoldtest.Request{Method: "Stock.Receive", Args: `{"sku":"pen","count":5}`}
	order := `{"order":{"customer":"ann","card":"visa","address":%q,"cents":500,"lines":[{"sku":"pen","count":2}]}}`
	measure(fulfilmentgen.App(), "order", "Orders.Fulfil", fmt.Sprintf(order, "1 Main Street"), pens)
	measure(fulfilmentgen.App(), "order undone", "Orders.Fulfil", fmt.Sprintf(order, ""), pens)
	measure(fulfilmentgen.App(), "delivery", "Shipping.Deliver", `{"orderID":"a","address":"x"}`)
	measure(onboardinggen.App(), "expired", "Members.Join", `{"email":"ann"}`)
	measure(nightlygen.App(), "night of one shop", "Reports.Nightly", `{}`, onefoldtest.Request{Method: "Sales.Sell", Args: `{"shop":"a","cents":1}`})
	want := map[string]count{
		"delivery":          {Steps: 3, Commits: 4},
		"expired":           {Steps: 11, Commits: 9},
		"night of one shop": {Steps: 3, Commits: 4},
		"order":             {Steps: 6, Commits: 7},
		"order undone":      {Steps: 9, Commits: 10},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("commits (-want +got):\n%s", diff)
	}
}

// plainOf returns the constructors of an application.
func plainOf(name string) []any {
	for _, app := range workflowApplications {
		if app.name == name {
			return app.plain
		}
	}
	return nil
}
