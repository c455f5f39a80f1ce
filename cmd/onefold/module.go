package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"

	"golang.org/x/mod/modfile"
)

// onefoldModule is the module of this program and of the runtime.
const onefoldModule = "github.com/onefold/onefold"

// userModule is the user's module.
type userModule struct {
	dir  string
	file string // go.mod
	mod  *modfile.File
}

// findModule returns the module that dir, which need not exist, lies in.
func findModule(dir string) (*userModule, error) {
	for at := dir; ; at = filepath.Dir(at) {
		file := filepath.Join(at, "go.mod")
		data, err := os.ReadFile(file)
		if err == nil {
			mod, err := modfile.Parse(file, data, nil)
			if err != nil {
				return nil, err
			}
			return &userModule{dir: at, file: file, mod: mod}, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if at == filepath.Dir(at) {
			return nil, fmt.Errorf("%s is in no Go module; run go mod init", dir)
		}
	}
}

// requires reports whether the module is, or requires, the one at path.
func (m *userModule) requires(path string) bool {
	if m.mod.Module != nil && m.mod.Module.Mod.Path == path {
		return true
	}
	for _, r := range m.mod.Require {
		if r.Mod.Path == path {
			return true
		}
	}
	return false
}

// checkoutDir returns the folder of the checkout that this program was built
// from, or "" where it was built from a published version.
func checkoutDir() string {
	_, file, _, ok := runtime.Caller(0)
	if !ok {
		return ""
	}
	dir := filepath.Dir(filepath.Dir(filepath.Dir(file)))
	data, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil || modfile.ModulePath(data) != onefoldModule {
		return ""
	}
	return dir
}

// releaseVersion returns the version of onefold that this program was built
// from, or "" for a checkout.
func releaseVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Path != onefoldModule || info.Main.Version == "(devel)" {
		return ""
	}
	return info.Main.Version
}
