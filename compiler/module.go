package compiler

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"golang.org/x/mod/modfile"
)

// module is a Go module on disk.
type module struct {
	dir  string // absolute
	path string
}

// moduleOf returns the module that the folder dir, which need not exist, lies in.
func moduleOf(dir string) (module, error) {
	for at := dir; ; at = filepath.Dir(at) {
		data, err := os.ReadFile(filepath.Join(at, "go.mod"))
		if err == nil {
			name := modfile.ModulePath(data)
			if name == "" {
				return module{}, fmt.Errorf("%s has no module line", filepath.Join(at, "go.mod"))
			}
			return module{dir: at, path: name}, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return module{}, err
		}
		if at == filepath.Dir(at) {
			return module{}, fmt.Errorf("%s is in no Go module: no go.mod there or above; run go mod init", dir)
		}
	}
}

// importPath returns the import path of the folder dir inside the module.
func (m module) importPath(dir string) string {
	rel, err := filepath.Rel(m.dir, dir)
	if err != nil || rel == "." {
		return m.path
	}
	return path.Join(m.path, filepath.ToSlash(rel))
}
