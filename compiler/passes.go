package compiler

import (
	"github.com/onefold/onefold/compiler/check"
	"github.com/onefold/onefold/compiler/lower"
	"github.com/onefold/onefold/compiler/pass"
)

// stage is a group of passes; the compiler stops after one that found errors.
type stage struct {
	name   string
	why    string // it stands where it does
	edits  bool   // its passes rewrite text
	passes func(*lower.Program) []*pass.Pass
}

// stages is the one ordered table of what happens between the frontend and the
// emitters. The passes themselves say in their Doc why they stand where they do.
var stages = []stage{
	{
		name:   "check",
		why:    "all facts are gathered and all mistakes reported while the program is as the user wrote it",
		passes: func(*lower.Program) []*pass.Pass { return check.Passes() },
	},
	{
		name:   "lower",
		why:    "relies on everything that the checks refuse",
		edits:  true,
		passes: (*lower.Program).Passes,
	},
}

// Passes returns the names of all passes in the order in which they run.
func Passes() []string {
	var names []string
	for _, s := range stages {
		for _, p := range s.passes(&lower.Program{}) {
			names = append(names, p.Name)
		}
	}
	return names
}
