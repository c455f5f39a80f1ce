// Package inject puts package slowpoke into the programs of any Go module: it finds,
// by type, where handlers are registered, where servers and clients of HTTP and gRPC
// are made, and puts a function of the runtime around each such place.
//
//	mux.HandleFunc("GET /rooms", rooms)   →  slowpoke.HandleFunc(mux.HandleFunc)("GET /rooms", rooms)
//	http.Server{Handler: mux}             →  http.Server{Handler: slowpoke.Handler(mux)}
//	gin.New()                             →  slowgin.Engine(gin.New())
//
// What is put around a place has the type of what was there, and evaluates the same in
// the same order. Reads of a field that was wrapped are unwrapped, so that the module
// finds in it what it put there. The runtime comes along as source below the module's
// own internal folder, so that go.mod stays as it is.
package inject

import (
	"cmp"
	"context"
	"go/token"
	"slices"

	"golang.org/x/tools/go/packages"

	"github.com/onefold/onefold/compiler/diag"
)

// Options say what to instrument.
type Options struct {
	Dir      string   // where patterns start; default the working directory
	Patterns []string // packages; default ./...
	Tags     []string // build tags
	// Out says that the result is written there, not put over the source: line
	// directives then lead to the source. In the module's own folder there are none.
	Out string
}

// Result is an instrumented module.
type Result struct {
	Module      Module
	Files       []File // by name
	Sites       []Site // by position
	Diagnostics diag.List
}

// Module is the module that was instrumented.
type Module struct {
	Path string `json:"path"`
	Dir  string `json:"dir"`
}

// File is a file of the module with its new content, or a new one.
type File struct {
	Name string // absolute
	Data []byte
}

// Kind is what a site is about.
type Kind string

// The kinds of sites.
const (
	Route  Kind = "route"  // a handler is registered
	Server Kind = "server" // a server is made
	Client Kind = "client" // a client is made
	Point  Kind = "point"  // a unit of work that is no request
)

// Site is a place that is measured, or is left out for a reason.
type Site struct {
	Pos     token.Position
	Kind    Kind
	What    string // the function or field
	Name    string // the route, if the source says it
	Skipped string // why it is not measured; "" if it is
}

// Instrument reads the packages and returns what their module becomes. Findings about
// places that cannot be instrumented are in the result; the error tells that the
// packages could not be read.
func Instrument(ctx context.Context, opts Options) (*Result, error) {
	pkgs, err := load(ctx, opts)
	if err != nil {
		return nil, err
	}
	res := &Result{}
	if !res.check(pkgs) {
		return res, nil
	}
	m := &module{Module: res.Module, result: res, runtime: runtimePath(res.Module, pkgs), used: map[string]string{}, seen: map[string]bool{}, out: opts.Out}
	for _, pkg := range pkgs {
		if err := m.instrument(pkg); err != nil {
			return nil, err
		}
	}
	if err := m.addRuntime(pkgs); err != nil {
		return nil, err
	}
	slices.SortFunc(res.Files, func(a, b File) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(res.Sites, func(a, b Site) int {
		return cmp.Or(cmp.Compare(a.Pos.Filename, b.Pos.Filename), cmp.Compare(a.Pos.Offset, b.Pos.Offset))
	})
	return res, nil
}

// module is a module while it is instrumented.
type module struct {
	Module
	result  *Result
	runtime string            // import path of package slowpoke
	used    map[string]string // packages of routers: what they measure, by name
	seen    map[string]bool   // files that have been looked at
	out     string
}

// instrument looks at the files of a package.
func (m *module) instrument(pkg *packages.Package) error {
	if m.isRuntime(pkg.PkgPath) || pkg.TypesInfo == nil {
		return nil
	}
	for _, syntax := range pkg.Syntax {
		name := pkg.Fset.File(syntax.FileStart).Name()
		if m.seen[name] {
			continue
		}
		m.seen[name] = true
		f, err := m.open(pkg, syntax, name)
		if err != nil {
			return err
		}
		f.find()
		data, err := f.bytes()
		if err != nil {
			return err
		}
		if data != nil {
			m.result.Files = append(m.result.Files, File{name, data})
		}
	}
	return nil
}
