package alias_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/onefold/onefold/compiler/check/alias"
	"github.com/onefold/onefold/compiler/compiletest"
)

// The applications that users learn from are all accepted.
func TestApps(t *testing.T) {
	const apps = "../../../testdata/apps"
	folders, err := os.ReadDir(apps)
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		if !folder.IsDir() {
			continue
		}
		t.Run(folder.Name(), func(t *testing.T) {
			archive := app(t, apps, folder.Name())
			if len(archive.Files) == 0 {
				return
			}
			c := compiletest.Of(folder.Name(), archive)
			prog, diags := c.Build(t)
			if diags.HasErrors() {
				t.Logf("the frontend refuses it")
			}
			alias.Check(prog, diags)
			c.Want(t, diags)
		})
	}
}

// app reads an application's packages as if they were in compiletest.Module.
func app(t *testing.T, apps, name string) *txtar.Archive {
	archive := new(txtar.Archive)
	err := fs.WalkDir(os.DirFS(apps), name, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if d != nil && d.Name() == "gen" {
				return fs.SkipDir
			}
			return err
		}
		if filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		data, err := os.ReadFile(filepath.Join(apps, path))
		data = bytes.ReplaceAll(data, []byte("github.com/onefold/onefold/testdata/apps/"), []byte(compiletest.Module+"/"))
		archive.Files = append(archive.Files, txtar.File{Name: path, Data: data})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return archive
}
