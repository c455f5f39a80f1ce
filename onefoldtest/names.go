package onefoldtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"runtime"
	"strings"
	"sync"
)

// signature is what the source says of a method and reflection does not.
type signature struct {
	params   []string // names, without the context
	results  []string // names, without the error; nil where unnamed
	workflow bool
	schedule string // as package workflow wants it; empty for none
}

// signatures caches what was parsed, by the address of the method's code.
var signatures sync.Map // uintptr → signature

// signatureOf reads the signature of a method from its source.
func signatureOf(m reflect.Method) (signature, error) {
	pc := m.Func.Pointer()
	if s, ok := signatures.Load(pc); ok {
		return s.(signature), nil
	}
	file, line := runtime.FuncForPC(pc).FileLine(pc)
	fset := token.NewFileSet()
	tree, err := parser.ParseFile(fset, file, nil, parser.SkipObjectResolution|parser.ParseComments)
	if err != nil {
		return signature{}, fmt.Errorf("read the parameters of %s: %w", m.Name, err)
	}
	for _, decl := range tree.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if !ok || fn.Name.Name != m.Name || fn.Recv == nil {
			continue
		}
		if from, to := fset.Position(fn.Pos()).Line, fset.Position(fn.End()).Line; from <= line && line <= to {
			s := signatureIn(fn)
			signatures.Store(pc, s)
			return s, nil
		}
	}
	return signature{}, fmt.Errorf("read the parameters of %s: no such method at %s:%d", m.Name, file, line)
}

func signatureIn(fn *ast.FuncDecl) signature {
	s := signature{params: names(fn.Type.Params), results: names(fn.Type.Results)}
	if len(s.params) > 0 {
		s.params = s.params[1:]
	}
	if len(s.results) > 0 {
		s.results = s.results[:len(s.results)-1]
	}
	if fn.Doc != nil {
		s.directives(fn.Doc.List)
	}
	return s
}

// directives reads what the comments of a method say to onefold.
func (s *signature) directives(comments []*ast.Comment) {
	for _, c := range comments {
		directive, _ := strings.CutPrefix(c.Text, "//onefold:")
		switch verb, rest, _ := strings.Cut(directive, " "); {
		case verb == "workflow":
			s.workflow = true
		case verb == "every" && len(strings.Fields(rest)) > 1:
			s.schedule = "cron " + rest
		case verb == "every":
			s.schedule = directive
		}
	}
}

// names returns the names in a list of parameters, nil where they have none.
func names(list *ast.FieldList) []string {
	var names []string
	for _, field := range list.List {
		for _, name := range field.Names {
			names = append(names, name.Name)
		}
	}
	return names
}
