// Package names decides what the declarations that onefold adds to the user's
// packages are called: readable names made of the user's own, none of which any
// file of the package mentions already, so that nothing clashes and no local
// variable hides them.
package names

import (
	"go/ast"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/onefold/onefold/compiler/ir"
)

// Table holds the names of one program.
type Table struct {
	packages map[*ir.Package]*Scope
	services map[*ir.Service]*Service
	values   map[*ir.Package]*values
}

// Service holds the names that belong to one service.
type Service struct {
	Tx         string // field of the service struct: the transaction
	State      string // type of the plain state
	Client     string // type that other services call
	NewClient  string // its constructor
	Bind       string // function: the service as a transaction sees it
	Key        string // variable: the service's key in a transaction
	Descriptor string // variable: what the runtime knows of the service
	Init       string // function: commits the initial state
	Config     string // variable: what the config fields are set to
	Configure  string // function: sets them
	Run        string // field of the service struct: the workflow that runs
	BindRun    string // function: the service as a workflow sees it
	Self       string // method: the service as a client of itself
	Steps      string // function: a client whose calls are steps of a workflow
	fields     map[*ir.Field]string
	calls      map[*ir.Method]string
	durable    map[*ir.Method]Durable
	serves     map[*ir.Method]string
}

// Durable holds what is added for a method that workflows call, that messages
// are sent to or that is a workflow.
type Durable struct {
	Args   string // type of its parameters
	Result string // type of its results where there are several
	Method string // variable: how logs name and call it
	Later  string // method of the client: sends it a message
}

// Durable returns the names of m.
func (s *Service) Durable(m *ir.Method) Durable { return s.durable[m] }

// Field returns the variable that describes where f lives in the store.
func (s *Service) Field(f *ir.Field) string { return s.fields[f] }

// Call returns the function that decodes the arguments of m, calls it and encodes its results.
func (s *Service) Call(m *ir.Method) string { return s.calls[m] }

// Serve returns the function that does the same for a call from another process.
func (s *Service) Serve(m *ir.Method) string { return s.serves[m] }

// New names everything in prog.
func New(prog *ir.Program) *Table {
	t := &Table{packages: map[*ir.Package]*Scope{}, services: map[*ir.Service]*Service{}, values: map[*ir.Package]*values{}}
	for _, p := range prog.Packages {
		t.packages[p] = newScope(p)
	}
	for _, s := range prog.Services {
		t.services[s] = newService(t.packages[s.Pkg], s)
	}
	return t
}

// Service returns the names of s.
func (t *Table) Service(s *ir.Service) *Service { return t.services[s] }

// Package returns the scope of a rewritten package.
func (t *Table) Package(p *ir.Package) *Scope { return t.packages[p] }

func newService(scope *Scope, s *ir.Service) *Service {
	lower, upper := Lower(s.Name), s.Name
	n := &Service{
		Tx:         member(s, "tx"),
		State:      scope.Take(lower + "State"),
		Client:     scope.Take(upper + "Client"),
		Bind:       scope.Take("bind" + upper),
		Key:        scope.Take(lower + "Key"),
		Descriptor: scope.Take(upper + "Service"),
		Init:       scope.Take("init" + upper),
		Config:     scope.Take(lower + "Config"),
		Configure:  scope.Take("configure" + upper),
		Run:        member(s, "run"),
		BindRun:    scope.Take("run" + upper),
		Self:       member(s, "self"),
		Steps:      scope.Take(upper + "Steps"),
		fields:     map[*ir.Field]string{},
		calls:      map[*ir.Method]string{},
		durable:    map[*ir.Method]Durable{},
		serves:     map[*ir.Method]string{},
	}
	n.NewClient = scope.Take("New" + n.Client)
	for _, f := range s.Fields {
		if f.Kind.Persistent() {
			n.fields[f] = scope.Take(lower + Upper(f.Name))
		}
	}
	for _, m := range s.Methods {
		n.calls[m] = scope.Take("call" + upper + Upper(m.Name))
		n.durable[m] = newDurable(scope, s, m)
		n.serves[m] = scope.Take("serve" + upper + Upper(m.Name))
	}
	return n
}

func newDurable(scope *Scope, s *ir.Service, m *ir.Method) Durable {
	base := Lower(s.Name) + Upper(m.Name)
	return Durable{
		Args:   scope.Take(base + "Args"),
		Result: scope.Take(base + "Result"),
		Method: scope.Take(base + "Method"),
		Later:  member(s, m.Name+"Later"),
	}
}

// member returns a name for a further field of s that is neither a field nor a
// method of it.
func member(s *ir.Service, name string) string {
	taken := map[string]bool{}
	for _, f := range s.Fields {
		taken[f.Name] = true
	}
	for m := range s.All() {
		taken[m.Name] = true
	}
	return free(name, func(n string) bool { return taken[n] })
}

// Scope is the package block of one package.
type Scope struct{ taken map[string]bool }

func newScope(p *ir.Package) *Scope {
	s := &Scope{taken: map[string]bool{}}
	for _, name := range p.Types.Scope().Names() {
		s.taken[name] = true
	}
	for _, f := range p.Files {
		ast.Inspect(f.Syntax, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				s.taken[id.Name] = true
			}
			return true
		})
	}
	return s
}

// Take returns name, or name with a number where it is taken, and takes it.
func (s *Scope) Take(name string) string {
	name = free(name, s.Taken)
	s.taken[name] = true
	return name
}

// Taken reports whether a file of the package mentions name, or Take gave it away.
func (s *Scope) Taken(name string) bool { return s.taken[name] }

func free(name string, taken func(string) bool) string {
	candidate := name
	for n := 2; taken(candidate); n++ {
		candidate = name + strconv.Itoa(n)
	}
	return candidate
}

// Lower returns name as an unexported identifier: Hotel is hotel, URLMap is urlMap.
func Lower(name string) string {
	name = camel(name)
	runes := []rune(name)
	for i, r := range runes {
		if !unicode.IsUpper(r) || i > 0 && i+1 < len(runes) && unicode.IsLower(runes[i+1]) {
			break
		}
		runes[i] = unicode.ToLower(r)
	}
	return string(runes)
}

// Upper returns name with a capital first letter.
func Upper(name string) string {
	name = camel(name)
	r, size := utf8.DecodeRuneInString(name)
	return string(unicode.ToUpper(r)) + name[size:]
}

// camel joins the words of a name that has underscores.
func camel(name string) string {
	var b strings.Builder
	for i, word := range strings.FieldsFunc(name, func(r rune) bool { return r == '_' }) {
		if i > 0 {
			r, size := utf8.DecodeRuneInString(word)
			word = string(unicode.ToUpper(r)) + word[size:]
		}
		b.WriteString(word)
	}
	if b.Len() == 0 {
		return "x"
	}
	return b.String()
}
