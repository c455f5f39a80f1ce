// Package ir is the program as the compiler sees it after the frontend: services
// with their fields and methods, each with its syntax and position, kinds and
// effects decided. Later passes read it; the syntax it points to is never changed.
package ir

import (
	"go/ast"
	"go/token"
	"go/types"
)

// Program is one compilation: every package that is rewritten and every service in them.
type Program struct {
	Fset     *token.FileSet
	Packages []*Package // rewritten packages, dependencies before dependents
	Imported []*Package // other packages of the user's that these import, unchanged; in the same order
	Services []*Service // by name

	// Functions are the functions of all packages with a body, in source order.
	// The effects pass makes them.
	Functions []*Function

	// Blind holds the statements that add to an integer field without needing
	// its value, and the field. The effects pass fills it.
	Blind map[ast.Stmt]*Field

	index
}

// Package is one package of the user's that is rewritten into the output: it
// declares services, or refers to such a package, or declares a named type that is
// stored or crosses a service call.
type Package struct {
	Path    string // import path of the spec
	Name    string
	Dir     string // absolute
	OutPath string // import path of the rewritten package; "" for one that is imported unchanged
	OutDir  string // slash-separated, relative to the output folder
	Files   []*File
	Other   []string // files of other languages beside the Go files
	Types   *types.Package
	Info    *types.Info
}

// File is one source file of a rewritten package.
type File struct {
	Pkg    *Package
	Name   string // absolute path
	Syntax *ast.File
	Source []byte
}

// Service is a struct type marked //onefold:service.
type Service struct {
	Name        string // unique in the program
	Pkg         *Package
	Obj         *types.TypeName
	Spec        *ast.TypeSpec
	Doc         string
	Fields      []*Field     // in declaration order
	Methods     []*Method    // exported methods (endpoints), in source order
	Helpers     []*Method    // unexported methods, in source order
	Constructor *Constructor // nil where the spec has none: the zero value
}

// Constructor is the function NewX(deps…) *X of a service.
type Constructor struct {
	Func *types.Func
	Decl *ast.FuncDecl
	File *File
	Deps []*Service // one a parameter
}

// FieldKind says how a field of a service is kept.
type FieldKind uint8

// The field kinds.
const (
	Map        FieldKind = iota + 1 // map[K]V: one store key an entry
	Slice                           // []V: one store key an element, and the length
	Value                           // anything else: one value
	Dependency                      // pointer to another service
	Config                          // tagged onefold:"config"; set at start
	Mutex                           // sync.Mutex or sync.RWMutex; lowered to nothing
)

// Persistent reports whether the field lives in the store.
func (k FieldKind) Persistent() bool { return k == Map || k == Slice || k == Value }

func (k FieldKind) String() string {
	switch k {
	case Map:
		return "map"
	case Slice:
		return "slice"
	case Value:
		return "value"
	case Dependency:
		return "dependency"
	case Config:
		return "config"
	case Mutex:
		return "mutex"
	}
	return "invalid"
}

// Field is one field of a service.
type Field struct {
	Service  *Service
	Name     string
	Var      *types.Var
	Kind     FieldKind
	Key      types.Type // of a Map
	Elem     types.Type // of a Map, Slice or Value
	Target   *Service   // of a Dependency
	Embedded bool
	Pos      token.Pos
	Doc      string
	Made     bool // a Map field that the constructor makes (or sets from a call)
}

// MethodKind is how much of the store a method needs; DESIGN section 2.
type MethodKind uint8

// The method kinds, from the cheapest to the dearest.
const (
	Stateless MethodKind = iota + 1 // touches no store, nor does anything it calls
	ReadOnly                        // commits nothing
	Atomic                          // the call tree below a request commits once
	Workflow                        // durable execution; one commit a step
)

func (k MethodKind) String() string {
	switch k {
	case Stateless:
		return "stateless"
	case ReadOnly:
		return "read-only"
	case Atomic:
		return "atomic"
	case Workflow:
		return "workflow"
	}
	return "invalid"
}

// Method is a method of a service: an endpoint where exported, a helper otherwise.
type Method struct {
	Service *Service
	Name    string
	Func    *types.Func
	Decl    *ast.FuncDecl
	File    *File
	Doc     string
	Kind    MethodKind
	Params  []*Param // without the context
	Results []*Param // without the error
	Effects Effects

	// Schedule is when a workflow starts by itself, as "every 5m" or "cron 0 3 * * *"; "" for never.
	Schedule string
	// Step says that workflows call the method, Message that onefold.Go does; the
	// effects pass finds out.
	Step, Message bool
}

// Param is a parameter or result of an endpoint.
type Param struct {
	Name string // of a result: "" where unnamed
	Type types.Type
}

// Effects is what a method and everything it calls may do to the store.
type Effects struct {
	Reads  []*Field   // persistent fields read, own and of services called, sorted by service and name
	Writes []*Field   // persistent fields written with a value
	Adds   []*Field   // fields written only by blind updates, which read nothing
	Calls  []*Method  // endpoints of other services called directly, sorted
	Reach  []*Service // services reached, itself included, sorted

	// What a request takes that succeeds, or one attempt at it.
	Rounds  Formula // sequential store round trips on the longest path: read version, reads, commit
	Commits Range   // of a workflow, the most is what counts
	Hops    Range   // calls from one service to another, all the way down; none of a workflow, whose steps are apart
}
