// Package compiler compiles plain Go service specs: it loads and checks them,
// lowers their methods, and emits the packages, clients, codecs and descriptions
// that run on the store. It reads files and writes none.
package compiler

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"slices"
	"strings"

	modpath "golang.org/x/mod/module"

	"github.com/onefold/onefold/backend"
	"github.com/onefold/onefold/backend/gosource"
	"github.com/onefold/onefold/backend/openapi"
	"github.com/onefold/onefold/compiler/check"
	"github.com/onefold/onefold/compiler/diag"
	"github.com/onefold/onefold/compiler/ir"
	"github.com/onefold/onefold/compiler/lower"
	"github.com/onefold/onefold/compiler/names"
	"github.com/onefold/onefold/compiler/pass"
	"github.com/onefold/onefold/frontend"
)

// Options say what to compile. The zero value compiles the package in the
// current folder.
type Options struct {
	Dir      string   // folder that patterns are relative to; "" for the current one
	Patterns []string // packages, as for the go command; none for the package in Dir
	Out      string   // output folder, absolute or relative to Dir; "gen" where empty
	Name     string   // of the application; made of the packages' common folder where empty
	Tags     []string // build tags

	// PerService adds a command for each service, with the code of the services alone that
	// it reaches.
	PerService bool

	// AbsoluteLines makes line directives name the specs by their absolute path,
	// for output that will not stay in its place.
	AbsoluteLines bool

	// Dump names a pass; the program is written to DumpTo after it.
	Dump   string
	DumpTo io.Writer
}

// Result is what Compile made.
type Result struct {
	// Diagnostics are the findings, warnings included. With an error among them
	// there are no files.
	Diagnostics *diag.List
	// Program is the program with all facts that the passes found; nil where the
	// packages have build errors.
	Program *ir.Program
	// Files is the output, sorted by name.
	Files []backend.File
	// Out is the absolute output folder, and OutPath its import path.
	Out, OutPath string
	// Name is the application's.
	Name string
	// Version changes with the output.
	Version string
}

// Command returns the folder, in the output, of the command for a service that
// Options.PerService asks for, or for "" of that for all.
func (r *Result) Command(service string) string {
	if service == "" {
		return path.Join("cmd", r.Name)
	}
	return gosource.Command(r.Name, service)
}

// Check reports all that Compile would, and emits nothing.
func Check(ctx context.Context, opts Options) (*Result, error) {
	c, err := load(ctx, opts)
	if err != nil {
		return nil, err
	}
	if c.Program == nil {
		return c.Result, nil
	}
	return c.Result, c.run(ctx, stages)
}

// Compile loads, checks and lowers the packages and emits the output. It has the
// same output for the same input.
func Compile(ctx context.Context, opts Options) (*Result, error) {
	c, err := load(ctx, opts)
	if err != nil {
		return nil, err
	}
	if c.Program == nil {
		return c.Result, nil
	}
	if err := c.run(ctx, stages); err != nil || c.Diagnostics.HasErrors() {
		return c.Result, err
	}
	return c.Result, c.emit()
}

// compilation is one run of the compiler.
type compilation struct {
	*Result
	opts    Options
	names   *names.Table
	lowered *lower.Program
}

// load reads the packages and builds the program.
func load(ctx context.Context, opts Options) (*compilation, error) {
	dir, err := filepath.Abs(opts.Dir)
	if err != nil {
		return nil, err
	}
	opts.Dir = dir
	if len(opts.Patterns) == 0 {
		opts.Patterns = []string{"."}
	}
	c := &compilation{opts: opts, Result: &Result{Out: filepath.Join(dir, cmp.Or(opts.Out, "gen"))}}
	if filepath.IsAbs(opts.Out) {
		c.Out = opts.Out
	}
	module, err := moduleOf(c.Out)
	if err != nil {
		return nil, err
	}
	c.OutPath = module.importPath(c.Out)
	src, diags, err := frontend.Load(ctx, dir, opts.Patterns, frontend.LoadOptions{Tags: opts.Tags})
	if err != nil {
		return nil, err
	}
	c.Diagnostics = diags
	if diags.HasErrors() {
		return c, nil
	}
	c.Program, c.Diagnostics = frontend.Build(src, frontend.BuildOptions{Out: c.OutPath, Base: path.Dir(c.OutPath)})
	c.Name = cmp.Or(opts.Name, applicationName(c.Program, module.path))
	return c, nil
}

// applicationName returns the name of the folder that holds the packages of all
// services, or of the module where no folder of it does.
func applicationName(prog *ir.Program, module string) string {
	parent := module
	for i, s := range prog.Services {
		if i == 0 {
			parent = path.Dir(s.Pkg.Path)
		}
		for strings.HasPrefix(parent, module) && !strings.HasPrefix(s.Pkg.Path, parent+"/") {
			parent = path.Dir(parent)
		}
	}
	if !strings.HasPrefix(parent+"/", module+"/") {
		parent = module
	}
	if prefix, _, ok := modpath.SplitPathVersion(parent); ok {
		parent = prefix // example.com/app/v2 is app
	}
	name := strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' {
			return r
		}
		return -1
	}, path.Base(parent))
	return cmp.Or(name, "app")
}

// run runs the passes of the given stages, and stops after a stage that found errors.
func (c *compilation) run(ctx context.Context, stages []stage) error {
	if c.Diagnostics.HasErrors() { // of the frontend: what else is wrong is reported in the same run
		return pass.Run(ctx, c.Program, c.Diagnostics, check.Passes(), pass.Options{})
	}
	c.names = names.New(c.Program)
	c.lowered = lower.New(c.Program, c.names)
	if c.opts.Dump != "" && !slices.Contains(Passes(), c.opts.Dump) {
		return fmt.Errorf("no pass is called %s; there are %s", c.opts.Dump, strings.Join(Passes(), ", "))
	}
	for _, s := range stages {
		var dumped error
		opts := pass.Options{Verify: true, After: func(name string, _ *ir.Program) {
			if name == c.opts.Dump && c.opts.DumpTo != nil {
				dumped = c.dump(s)
			}
		}}
		if err := pass.Run(ctx, c.Program, c.Diagnostics, s.passes(c.lowered), opts); err != nil || dumped != nil {
			return cmp.Or(err, dumped)
		}
		if c.Diagnostics.HasErrors() {
			return nil
		}
	}
	return nil
}

// dump writes the program as it is after a pass of s: the IR, or the files as
// rewritten so far.
func (c *compilation) dump(s stage) error {
	if !s.edits {
		return ir.Dump(c.opts.DumpTo, c.Program)
	}
	for _, pkg := range c.Program.Packages {
		for _, f := range pkg.Files {
			out, err := c.lowered.File(f).Bytes("", "")
			if err != nil {
				return err
			}
			fmt.Fprintf(c.opts.DumpTo, "-- %s --\n%s", path.Join(pkg.OutDir, filepath.Base(f.Name)), out)
		}
	}
	return nil
}

// emit renders the output.
func (c *compilation) emit() error {
	files, err := c.rewritten()
	if err != nil {
		return err
	}
	added, err := gosource.Emit(c.Program, c.names)
	if err != nil {
		return err
	}
	files = append(files, added...)
	sortFiles(files)
	c.Version = gosource.Version(files)
	app := gosource.App{Name: c.Name, OutPath: c.OutPath, Version: c.Version}
	document, err := openapi.Document(c.Program, app.Name, app.Version)
	if err != nil {
		return err
	}
	own, err := gosource.EmitApp(c.Program, c.names, app)
	if err != nil {
		return err
	}
	if c.opts.PerService {
		commands, err := gosource.EmitServices(c.Program, c.names, app, document)
		if err != nil {
			return err
		}
		files = append(files, commands...)
	}
	files = append(append(files, own...), backend.File{Name: gosource.OpenAPIFile, Data: document})
	sortFiles(files)
	c.Files = files
	return nil
}

// rewritten renders the lowered files of the user's packages.
func (c *compilation) rewritten() ([]backend.File, error) {
	var files []backend.File
	for _, pkg := range c.Program.Packages {
		for _, f := range pkg.Files {
			source, err := filepath.Rel(filepath.Join(c.Out, pkg.OutDir), f.Name)
			if err != nil || c.opts.AbsoluteLines {
				source = f.Name
			}
			data, err := c.lowered.File(f).Bytes(backend.Header, filepath.ToSlash(source))
			if err != nil {
				return nil, fmt.Errorf("%s: %w", f.Name, err)
			}
			files = append(files, backend.File{Name: path.Join(pkg.OutDir, filepath.Base(f.Name)), Data: data})
		}
	}
	return files, nil
}

func sortFiles(files []backend.File) {
	slices.SortFunc(files, func(a, b backend.File) int { return strings.Compare(a.Name, b.Name) })
}
