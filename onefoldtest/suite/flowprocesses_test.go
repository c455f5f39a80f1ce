package suite_test

import (
	"testing"

	"github.com/onefold/onefold/onefoldtest"
	"github.com/onefold/onefold/testdata/apps/fulfilment/providertest"
)

// overFlowProcesses runs a suite over all applications with workflows, every service in
// a process of its own, each with a connection of its own to the store.
func overFlowProcesses(t *testing.T, suite func(t *testing.T, app workflowApplication, plain *onefoldtest.App, opts onefoldtest.Options)) {
	for _, app := range workflowApplications {
		t.Run(app.name, func(t *testing.T) {
			opts := app.opts
			opts.Processes, opts.Store = true, remoteMemory
			opts.Runs = 10
			switch {
			case number(t, "ONEFOLD_SOAK", 0) > 0:
				opts.Runs = 0
			case testing.Short():
				opts.Runs = 3
			}
			opts.Seed = number(t, "ONEFOLD_SEED", 0)
			suite(t, app, onefoldtest.New(t, app.plain...), opts)
		})
	}
}

// TestCrashWorkflowsOfProcesses also has calls between processes run into trouble.
func TestCrashWorkflowsOfProcesses(t *testing.T) {
	overFlowProcesses(t, func(t *testing.T, app workflowApplication, plain *onefoldtest.App, opts onefoldtest.Options) {
		onefoldtest.CrashWorkflows(t, plain, app.compiled(), app.script(t), opts)
	})
}

// TestRandomWorkflowsOfProcesses is the oracle test: a random script, without faults and with a few.
func TestRandomWorkflowsOfProcesses(t *testing.T) {
	overFlowProcesses(t, func(t *testing.T, app workflowApplication, plain *onefoldtest.App, opts onefoldtest.Options) {
		opts.Steps, opts.Runs = 10, opts.Runs/5+1
		script := onefoldtest.RandomScript(plain, opts)
		onefoldtest.CrashWorkflows(t, plain, app.compiled(), func(s *onefoldtest.Simulation) {
			providertest.Install(t)
			script(s)
		}, opts)
	})
}

// TestSwarmOfWorkflows is TestSwarm of applications with workflows. What only messages
// change is not looked at, and signals are not sent.
func TestSwarmOfWorkflows(t *testing.T) {
	providertest.Install(t)
	for _, app := range workflowApplications {
		t.Run(app.name, func(t *testing.T) {
			opts := swarming(t, app.opts)
			opts.Random = []string{"Outbox.letters"}
			opts.Weights = map[string]int{
				"Orders.Fulfil": 8, "Stock.Receive": 6, "Stock.Free": 2,
				"Members.Join": 8, "Members.Confirm": 0, "Members.Greet": 0,
				"Outbox.Letters": 0, "Outbox.Send": 0,
				"Sales.Sell": 6,
			}
			onefoldtest.Swarm(t, onefoldtest.New(t, app.plain...), app.compiled(), opts)
		})
	}
}
