package backend

// The packages that generated code imports.
const (
	Runtime = "github.com/onefold/onefold/runtime"
	Atomic  = "github.com/onefold/onefold/runtime/atomic"
	State   = "github.com/onefold/onefold/runtime/state"
	Codec   = "github.com/onefold/onefold/runtime/codec"
	Local   = "github.com/onefold/onefold/runtime/local"

	Workflow = "github.com/onefold/onefold/runtime/workflow"
)

// Version is the version of the runtime's interface that generated code is
// written for. Generated code refuses to compile against a runtime that does not
// know it.
const Version = 1
