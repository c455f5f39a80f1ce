package diag

// The codes, grouped as DESIGN presents the rules they enforce.
const (
	// The program as a whole.
	Build      Code = "build"
	Mark       Code = "mark"
	Service    Code = "service"
	Clash      Code = "clash"
	Recursion  Code = "recursion"
	Dependency Code = "dependency"
	Foreign    Code = "foreign"

	// Services.
	Signature    Code = "signature"
	Constructor  Code = "constructor"
	Embedded     Code = "embedded"
	Unstorable   Code = "unstorable"
	Config       Code = "config"
	Schedule     Code = "schedule"
	Receiver     Code = "receiver"
	Around       Code = "around"
	Address      Code = "address"
	ServiceValue Code = "servicevalue"
	MethodValue  Code = "methodvalue"

	// State.
	Unmade      Code = "unmade"
	NilMap      Code = "nilmap"
	Evaluation  Code = "evaluation"
	Order       Code = "order"
	TimeEqual   Code = "timeequal"
	Swallowed   Code = "swallowed"
	ErrorType   Code = "errortype"
	Transaction Code = "transaction"

	// Workflows.
	Workflow      Code = "workflow"
	Deterministic Code = "deterministic"
	Effect        Code = "effect"
	Message       Code = "message"
	Signal        Code = "signal"

	// Memory that the plain program shares.
	Mutated Code = "mutated"
	Shared  Code = "shared"
	Race    Code = "race"

	// What a method may not do.
	Goroutine Code = "goroutine"
	Channel   Code = "channel"
	IO        Code = "io"
	Log       Code = "log"
	Sleep     Code = "sleep"
	Exit      Code = "exit"
	Global    Code = "global"
	Context   Code = "context"
	Recover   Code = "recover"
	Branches  Code = "branches"
	Mutex     Code = "mutex"
	Unsafe    Code = "unsafe"

	// Programs that onefold did not compile.
	Instrument Code = "instrument"
)
