package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/onefold/onefold/instrument/inject"
)

// writeInstrumented writes a copy of the module.
func (t *tool) writeInstrumented(res *inject.Result, out, given string) error {
	changed := map[string]bool{}
	var changes []change
	for _, f := range res.Files {
		rel, err := filepath.Rel(res.Module.Dir, f.Name)
		if err != nil {
			return err
		}
		changed[rel] = true
		changes = append(changes, change{file: filepath.Join(out, rel), new: f.Data})
	}
	if out != res.Module.Dir {
		if err := copyModule(res.Module.Dir, out, changed); err != nil {
			return err
		}
	}
	if err := applyAll(changes); err != nil {
		return err
	}
	fmt.Fprintf(t.stdout, "%s\n\n\tgo build -C %s ./...\n", summary(res), given)
	return nil
}

// copyModule copies the files of a module but for the named ones.
func copyModule(dir, out string, without map[string]bool) error {
	if err := mayCopy(dir, out); err != nil {
		return err
	}
	err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		switch {
		case d.IsDir() && (name == out || slices.Contains([]string{".git", ".onefold", "node_modules"}, d.Name())):
			return filepath.SkipDir
		case d.IsDir() || without[rel] || !d.Type().IsRegular():
			return nil
		}
		return copyFile(name, filepath.Join(out, rel))
	})
	if err != nil {
		return err
	}
	return moveReplaced(dir, out)
}

// moveReplaced makes the go.mod in out find the folders outside of the module that the
// one in dir names.
func moveReplaced(dir, out string) error {
	m, err := findModule(out)
	if err != nil {
		return err
	}
	moved := false
	for _, r := range slices.Clone(m.mod.Replace) {
		if r.New.Version != "" || filepath.IsAbs(r.New.Path) {
			continue
		}
		to := filepath.Join(dir, r.New.Path)
		if inside, err := filepath.Rel(dir, to); err != nil || !strings.HasPrefix(inside, "..") {
			continue
		}
		if to, err = filepath.Rel(out, to); err != nil {
			return err
		}
		if err := m.mod.AddReplace(r.Old.Path, r.Old.Version, filepath.ToSlash(to), ""); err != nil {
			return err
		}
		moved = true
	}
	if !moved {
		return nil
	}
	data, err := m.mod.Format()
	if err != nil {
		return err
	}
	return os.WriteFile(m.file, data, 0o666)
}

func copyFile(from, to string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
		return err
	}
	return os.WriteFile(to, data, info.Mode().Perm())
}

// mayCopy refuses to write into a folder that holds something else.
func mayCopy(dir, out string) error {
	entries, err := os.ReadDir(out)
	if err != nil && !os.IsNotExist(err) || len(entries) == 0 {
		return nil // copying says what is wrong
	}
	from, err := findModule(dir)
	if err != nil {
		return err
	}
	to, err := findModule(out)
	if err != nil || to.dir != out || to.mod.Module.Mod.Path != from.mod.Module.Mod.Path {
		return fmt.Errorf("%s is not empty and no copy of the module; name another folder", out)
	}
	return nil
}
