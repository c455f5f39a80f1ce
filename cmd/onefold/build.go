package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"

	"github.com/onefold/onefold/backend"
	"github.com/onefold/onefold/compiler"
)

// builder builds the server of the packages in a folder of its own.
type builder struct {
	*tool
	work     string // temporary folder
	patterns []string
	name     string // of the application, "" for the default
	builds   int
}

// out returns where the overlay's files really are.
func (b *builder) out() string { return filepath.Join(b.work, "gen") }

// server returns the latest binary.
func (b *builder) server() string { return filepath.Join(b.work, fmt.Sprintf("server%d", b.builds)) }

// build compiles the packages and builds the server. Each build has a file of
// its own, so that the running one stays.
func (b *builder) build(ctx context.Context) (*compiler.Result, error) {
	result, m, err := b.compile(ctx)
	if err != nil {
		return nil, err
	}
	return result, b.link(ctx, result, m)
}

// link builds the server of what was compiled.
func (b *builder) link(ctx context.Context, result *compiler.Result, m *userModule) error {
	overlay, err := b.overlay(result)
	if err != nil {
		return err
	}
	flags, err := b.modFlags(m)
	if err != nil {
		return err
	}
	b.progress("building %s", result.Name)
	b.builds++
	args := []string{"build", "-overlay", overlay, "-o", b.server()}
	if len(b.tags) > 0 {
		args = append(args, "-tags", strings.Join(b.tags, ","))
	}
	args = append(append(args, flags...), path.Join(result.OutPath, "cmd", result.Name))
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = m.dir
	cmd.Env = append(os.Environ(), "GOWORK=off")
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Run(); err != nil {
		b.builds--
		return fmt.Errorf("build the compiled packages: %w\n%s", err, output.Bytes())
	}
	return nil
}

// overlay writes the output to the work folder, and a file that makes the go
// command see it in the user's module.
func (b *builder) overlay(result *compiler.Result) (string, error) {
	if err := os.RemoveAll(b.out()); err != nil {
		return "", err
	}
	replace := map[string]string{}
	for _, f := range result.Files {
		actual := filepath.Join(b.out(), filepath.FromSlash(f.Name))
		replace[filepath.Join(result.Out, filepath.FromSlash(f.Name))] = actual
		if err := (change{file: actual, new: f.Data}).apply(); err != nil {
			return "", err
		}
	}
	data, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	name := filepath.Join(b.work, "overlay.json")
	return name, os.WriteFile(name, data, 0o666)
}

// modFlags returns flags that make the go command work with a copy of the user's
// go.mod that requires onefold. The user's own files stay as they are.
func (b *builder) modFlags(m *userModule) ([]string, error) {
	if m.mod.Module.Mod.Path == onefoldModule {
		return nil, nil
	}
	mod, err := m.withRuntime()
	if err != nil {
		return nil, err
	}
	name := filepath.Join(b.work, "go.mod")
	if err := os.WriteFile(name, mod, 0o666); err != nil {
		return nil, err
	}
	sum, err := m.sums()
	if err != nil {
		return nil, err
	}
	return []string{"-modfile", name, "-mod=mod"}, os.WriteFile(filepath.Join(b.work, "go.sum"), sum, 0o666)
}

// withRuntime returns the module's go.mod with a requirement of onefold: the one
// it has, or else the version of this program, or the checkout it was built from.
func (m *userModule) withRuntime() ([]byte, error) {
	if m.requires(onefoldModule) {
		return m.mod.Format()
	}
	mod, err := modfile.Parse(m.file, modfile.Format(m.mod.Syntax), nil)
	if err != nil {
		return nil, err
	}
	checkout, version := checkoutDir(), releaseVersion()
	if checkout == "" && version == "" {
		return nil, fmt.Errorf("%s does not require %s, and this program does not know where it came from; run go get %s", m.file, onefoldModule, path.Join(onefoldModule, strings.TrimPrefix(backend.Local, onefoldModule)))
	}
	if checkout != "" {
		version = "v0.0.0"
		if err := mod.AddReplace(onefoldModule, "", checkout, ""); err != nil {
			return nil, err
		}
		if err := raiseGo(mod, filepath.Join(checkout, "go.mod")); err != nil {
			return nil, err
		}
	}
	if err := mod.AddRequire(onefoldModule, version); err != nil {
		return nil, err
	}
	return mod.Format()
}

// raiseGo gives mod at least the Go version of the module file. It refuses to
// cross Go 1.22, which gave loops new variables: the same code would mean
// something else.
func raiseGo(mod *modfile.File, file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	runtime, err := modfile.Parse(file, data, nil)
	if err != nil {
		return err
	}
	have := "1.16"
	if mod.Go != nil {
		have = mod.Go.Version
	}
	if semver.Compare("v"+have, "v1.22") < 0 {
		return errors.New("the module's go.mod is for a Go before 1.22, where loop variables mean something else; raise its go line first")
	}
	if semver.Compare("v"+have, "v"+runtime.Go.Version) < 0 {
		return mod.AddGoStmt(runtime.Go.Version)
	}
	return nil
}

// sums returns the checksums of the user's module and of onefold's checkout.
func (m *userModule) sums() ([]byte, error) {
	files := []string{filepath.Join(m.dir, "go.sum")}
	if checkout := checkoutDir(); checkout != "" && !m.requires(onefoldModule) {
		files = append(files, filepath.Join(checkout, "go.sum"))
	}
	var all []string
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		for line := range strings.Lines(string(data)) {
			all = append(all, strings.TrimSuffix(line, "\n")+"\n")
		}
	}
	slices.Sort(all)
	return []byte(strings.Join(slices.Compact(all), "")), nil
}
