// Package deterministic knows what differs when a workflow runs again: the clock,
// chance, the process. Some of it has a form that a workflow can replay; the checks
// refuse the rest, and lowering writes the forms.
package deterministic

import (
	"go/types"
	"slices"
)

// Form is how a call reads in a workflow: a template with the holes $h and $run, which
// lead to the workflow, $args for the arguments, and $pkg for a package.
type Form struct {
	Text   string
	Import string // path of $pkg; "" for none
	Name   string // what that package is called
}

// forms by import path and function.
var forms = map[string]map[string]Form{
	"time": {
		"Now":   {Text: "$h.$run.Now()"},
		"Since": {Text: "$h.$run.Since($args)"},
		"Until": {Text: "$h.$run.Until($args)"},
		"Sleep": {Text: "$h.$run.Sleep($args)"},
	},
	randPath: randForms(map[string]string{"Intn": "IntN", "Int31n": "Int32N", "Int63n": "Int64N", "Int31": "Int32", "Int63": "Int64"}),
	randPath + "/v2": randForms(map[string]string{"IntN": "IntN", "Int32N": "Int32N", "Int64N": "Int64N", "UintN": "UintN", "Uint32N": "Uint32N",
		"Uint64N": "Uint64N", "Int32": "Int32", "Int64": "Int64", "Uint": "Uint"}),
	uuidPath: {
		"New":       {Text: "$pkg.UUID($h.$run.UUID())", Import: uuidPath, Name: "uuid"},
		"NewString": {Text: "$pkg.UUID($h.$run.UUID()).String()", Import: uuidPath, Name: "uuid"},
	},
}

const (
	randPath = "math/rand"
	uuidPath = "github.com/google/uuid"
)

// randForms returns the forms of the functions of a package of random numbers: all that
// are called the same in both versions, and these, under the name that version 2 has.
func randForms(renamed map[string]string) map[string]Form {
	all := map[string]Form{}
	add := func(name, method string) {
		all[name] = Form{Text: "$pkg.New($h.$run.Rand())." + method + "($args)", Import: randPath + "/v2", Name: "rand"}
	}
	for _, name := range []string{"Int", "Uint32", "Uint64", "Float32", "Float64", "NormFloat64", "ExpFloat64", "Perm", "Shuffle"} {
		add(name, name)
	}
	for name, method := range renamed {
		add(name, method)
	}
	return all
}

// FormOf returns the form of calls of fn.
func FormOf(fn *types.Func) (Form, bool) {
	if fn == nil || fn.Pkg() == nil || fn.Signature().Recv() != nil {
		return Form{}, false
	}
	form, ok := forms[fn.Pkg().Path()][fn.Name()]
	return form, ok
}

// A refusal says why a workflow may not use something, and what to do.
type refusal struct {
	why, fix string
	all      bool     // everything in the package
	names    []string // functions, variables, Type.Method, or types with all their methods
	fine     []string // exceptions from all
}

const (
	chance  = "is another one when the workflow runs again"
	process = "tells about the process, and a workflow may go on in another one"
	shared  = "orders what runs side by side, which a workflow that runs again cannot repeat"
	drawFix = "draw it by math/rand/v2 or uuid.New, or inside an onefold.Do"
	doFix   = "ask for it inside an onefold.Do, whose result is recorded"
)

var refusals = map[string][]refusal{
	"time": {
		{why: "is the zone of the process", fix: "name the zone: time.UTC or time.LoadLocation", names: []string{"Local", "Time.Local"}},
	},
	randPath: {{why: chance, fix: "use the functions of math/rand/v2", names: []string{"Read", "Seed"}}},
	randPath + "/v2": {
		{why: chance, fix: "use rand.IntN, rand.Int64N and the like", names: []string{"N"}},
	},
	"crypto/rand": {{why: chance, fix: drawFix, all: true}},
	uuidPath: {{why: chance, fix: "use uuid.New or uuid.NewString", names: []string{"NewRandom", "NewRandomFromReader", "NewUUID", "NewV6", "NewV7", "NewV7FromReader",
		"NewDCESecurity", "NewDCEGroup", "NewDCEPerson", "GetTime", "ClockSequence", "NodeID", "NodeInterface", "EnableRandPool"}}},
	"runtime":       {{why: process, fix: doFix, all: true, fine: []string{"Gosched", "KeepAlive", "Goexit", "Error", "TypeAssertionError"}}},
	"runtime/debug": {{why: process, fix: doFix, all: true}},
	"hash/maphash":  {{why: "has another seed in each process", fix: "use hash/fnv or a hash of package crypto", all: true}},
	"context": {
		{why: "goes by the clock of the process", fix: "give onefold.Await a timeout, or use it inside an onefold.Do", names: []string{"WithTimeout", "WithTimeoutCause", "WithDeadline", "WithDeadlineCause"}},
		{why: "depends on when the process looks", fix: "look at the errors of calls instead", names: []string{"Cause", "Context.Done", "Context.Err", "Context.Deadline"}},
		{why: "belongs to no workflow", fix: "pass on the context that the workflow was given", names: []string{"Background", "TODO"}},
	},
	"sync":        {{why: shared, fix: "give each branch variables of its own, and put them together after Wait", names: []string{"Mutex", "RWMutex", "Map", "Pool", "Cond", "WaitGroup", "Locker"}}},
	"sync/atomic": {{why: shared, fix: "give each branch variables of its own, and put them together after Wait", all: true}},
	"reflect":     {{why: "visits a map in another order each time", fix: "sort the keys", names: []string{"Value.MapRange", "Value.MapKeys", "Value.Seq", "Value.Seq2"}}},
}

// Refused returns why a workflow may not use obj outside an onefold.Do, and what to do
// instead; "" where it may.
func Refused(obj types.Object) (why, fix string) {
	if obj == nil || obj.Pkg() == nil {
		return "", ""
	}
	name, owner := obj.Name(), ""
	switch obj := obj.(type) {
	case *types.Func:
		if recv := obj.Signature().Recv(); recv != nil {
			owner = typeName(recv.Type())
			name = owner + "." + name
		}
	case *types.Var:
		if obj.IsField() {
			return "", ""
		}
	default:
		return "", ""
	}
	for _, r := range refusals[obj.Pkg().Path()] {
		listed := slices.Contains(r.names, name) || owner != "" && slices.Contains(r.names, owner)
		spared := slices.Contains(r.fine, name) || owner != "" && slices.Contains(r.fine, owner)
		if listed || r.all && !spared {
			return r.why, r.fix
		}
	}
	return "", ""
}

func typeName(t types.Type) string {
	if ptr, ok := types.Unalias(t).(*types.Pointer); ok {
		t = ptr.Elem()
	}
	if named, ok := types.Unalias(t).(*types.Named); ok {
		return named.Obj().Name()
	}
	return ""
}
