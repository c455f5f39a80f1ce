package onefoldtest

import "testing"

func TestDifferential(t *testing.T) {
	Differential(t, New(t, newLedger), compiledLedger(), Options{Seed: 1})
}

func TestCrashPoints(t *testing.T) {
	CrashPoints(t, New(t, newLedger), compiledLedger(), Options{Seed: 1})
}

func TestHistories(t *testing.T) {
	Histories(t, New(t, newLedger), compiledLedger(), Options{Seed: 1})
}

// TestHistoriesOfSavepoints has nothing but requests that can tell whether what was
// read in a savepoint is a conflict after it was rolled back.
func TestHistoriesOfSavepoints(t *testing.T) {
	weights := map[string]int{"Ledger.Hit": 0, "Ledger.Claim": 0, "Ledger.Leave": 0, "Ledger.Both": 0, "Ledger.Race": 0, "Ledger.Sum": 0}
	Histories(t, New(t, newLedger), compiledLedger(), Options{Seed: 1, Runs: 200, Clients: 2, Steps: 4, Weights: weights,
		Generators: Generators{"who": OneOf("a"), "n": Between(1, 2)}})
}
