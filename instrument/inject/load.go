package inject

import (
	"context"
	"errors"
	"fmt"
	"go/token"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/tools/go/packages"

	"github.com/onefold/onefold/compiler/diag"
)

// load reads the packages with their tests, typed; what they import is known by its
// export data only.
func load(ctx context.Context, opts Options) ([]*packages.Package, error) {
	conf := &packages.Config{
		Context: ctx, Dir: opts.Dir, Tests: true,
		Mode: packages.LoadSyntax | packages.NeedModule,
	}
	if len(opts.Tags) > 0 {
		conf.BuildFlags = []string{"-tags=" + strings.Join(opts.Tags, ",")}
	}
	patterns := opts.Patterns
	if len(patterns) == 0 {
		patterns = []string{"./..."}
	}
	for _, p := range patterns {
		if strings.HasSuffix(p, ".go") {
			return nil, fmt.Errorf("%s is a file: name the folder of its package", p)
		}
	}
	pkgs, err := packages.Load(conf, patterns...)
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		// What the go command wrote says it all; the rest is how it was run.
		if _, stderr, ok := strings.Cut(err.Error(), "stderr: "); ok {
			err = errors.New(strings.TrimSpace(stderr))
		}
		return nil, fmt.Errorf("load packages: %w", err)
	case len(pkgs) == 0:
		return nil, fmt.Errorf("no packages match %s", strings.Join(patterns, " "))
	}
	return pkgs, nil
}

// check reports what keeps the packages from being instrumented, and sets the module.
func (res *Result) check(pkgs []*packages.Package) bool {
	for _, pkg := range pkgs {
		typed := slices.ContainsFunc(pkg.Errors, func(e packages.Error) bool { return e.Kind != packages.UnknownError && e.Kind != packages.ListError })
		for _, e := range pkg.Errors {
			if typed && strings.HasPrefix(e.Msg, "# ") {
				continue // the same as the compiler says it
			}
			fix := ""
			if strings.Contains(e.Msg, "does not contain main module") {
				fix = "name packages below a go.mod, or make one with go mod init"
			}
			res.Diagnostics.Errorf(position(e.Pos), diag.Build, fix, "%s", strings.TrimSpace(e.Msg))
		}
		if pkg.Module == nil {
			continue // the main package of a test
		}
		at := Module{pkg.Module.Path, pkg.Module.Dir}
		switch {
		case !pkg.Module.Main:
			res.Diagnostics.Errorf(position(pkg.PkgPath), diag.Instrument, "copy the module, and run the command there", "the package is of %s, a dependency, which cannot be replaced", at.Path)
		case res.Module.Path == "":
			res.Module = at
		case res.Module != at:
			res.Diagnostics.Errorf(position(pkg.PkgPath), diag.Instrument, "name packages of one module", "packages of two modules, %s and %s: a request that passes both would be counted twice", res.Module.Path, at.Path)
		}
		if res.Diagnostics.HasErrors() {
			break
		}
	}
	if res.Module.Path == "" && !res.Diagnostics.HasErrors() {
		res.Diagnostics.Errorf(token.Position{}, diag.Instrument, "run go mod init", "the packages are in no module")
	}
	return !res.Diagnostics.HasErrors()
}

// position reads what package packages says of an error's position.
func position(s string) token.Position {
	var pos token.Position
	parts := strings.Split(s, ":")
	if len(parts) >= 3 {
		_, err := fmt.Sscan(parts[len(parts)-2]+" "+parts[len(parts)-1], &pos.Line, &pos.Column)
		if err == nil {
			parts = parts[:len(parts)-2]
		}
	}
	if s != "-" {
		pos.Filename = strings.Join(parts, ":")
	}
	return pos
}

const (
	onefold      = "github.com/onefold/onefold"
	slowpokePath = onefold + "/instrument/slowpoke"
	precisePath  = onefold + "/instrument/precise"
	// copied is where the runtime is put in a module.
	copied = "internal/onefold"
)

// runtimePath returns the import path of package slowpoke in the module: onefold's
// own where the module uses that already, and so must share its counters, or else
// that of a copy.
func runtimePath(m Module, pkgs []*packages.Package) string {
	if m.Path == onefold {
		return slowpokePath
	}
	for _, pkg := range pkgs {
		if imports(pkg, slowpokePath, map[*packages.Package]bool{}) {
			return slowpokePath
		}
	}
	return m.Path + "/" + copied + "/slowpoke"
}

// isRuntime reports whether a package is part of the runtime, which is not measured.
func (m *module) isRuntime(path string) bool {
	for _, root := range []string{m.Path + "/" + copied, slowpokePath, precisePath} {
		if path == root || strings.HasPrefix(path, root+"/") {
			return true
		}
	}
	return false
}

// copiedDir returns where the runtime is put.
func (m *module) copiedDir() string { return filepath.Join(m.Dir, filepath.FromSlash(copied)) }
