package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/onefold/onefold/compiler"
	"github.com/onefold/onefold/compiler/diag"
)

// isVetTool reports whether go vet runs this program, which it does with one of
// the arguments -V=full and -flags, or with the file that describes a package.
func isVetTool(args []string) bool {
	if len(args) == 0 {
		return false
	}
	last := args[len(args)-1]
	if len(args) > 1 && !strings.HasPrefix(args[0], "-") {
		return false // a command of onefold that ends in such an argument
	}
	return last == "-V=full" || last == "-flags" || strings.HasSuffix(last, ".cfg")
}

// vetConfig is as much of go vet's description of a package as a check needs.
type vetConfig struct {
	ID         string
	Dir        string
	ImportPath string
	GoFiles    []string
	VetxOnly   bool
	VetxOutput string
}

// vetTool speaks go vet's protocol: see golang.org/x/tools/go/analysis/unitchecker.
func vetTool(args []string, stdout, stderr io.Writer) int {
	switch last := args[len(args)-1]; last {
	case "-V=full":
		// The go command caches results by this line, so it changes with the program.
		fmt.Fprintf(stdout, "onefold version devel buildID=%s\n", ownHash())
		return exitOK
	case "-flags":
		fmt.Fprintln(stdout, "[]")
		return exitOK
	default:
		found, err := vetPackage(last, stderr)
		switch {
		case err != nil:
			fmt.Fprintf(stderr, "onefold: %v\n", err)
			return exitFailure
		case found:
			return exitFailure
		}
		return exitOK
	}
}

func ownHash() string {
	name, err := os.Executable()
	if err != nil {
		return "unknown"
	}
	f, err := os.Open(name)
	if err != nil {
		return "unknown"
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "unknown"
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

// vetPackage checks the package that the file describes, with all that it
// imports, and prints what it finds in the package's own files.
func vetPackage(file string, stderr io.Writer) (found bool, err error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return false, err
	}
	var cfg vetConfig
	if err := json.Unmarshal(data, &cfg); err != nil {
		return false, err
	}
	if cfg.VetxOutput != "" { // facts for dependents: there are none, but the file must exist
		if err := os.WriteFile(cfg.VetxOutput, nil, 0o666); err != nil {
			return false, err
		}
	}
	if cfg.VetxOnly || cfg.ID != cfg.ImportPath || !cfg.marked() { // a dependency, a test variant, or nothing to do
		return false, nil
	}
	result, err := compiler.Check(context.Background(), compiler.Options{Dir: cfg.Dir})
	if err != nil {
		return false, err
	}
	var own diag.List
	for _, d := range result.Diagnostics.Sorted() {
		if filepath.Dir(d.Pos.Filename) == cfg.Dir {
			own.Add(d)
		}
	}
	own.Print(stderr, "")
	return own.HasErrors(), nil
}

// marked reports whether a file of the package declares a service.
func (c *vetConfig) marked() bool {
	for _, name := range c.GoFiles {
		if !filepath.IsAbs(name) {
			name = filepath.Join(c.Dir, name)
		}
		if data, err := os.ReadFile(name); err == nil && strings.Contains(string(data), "//onefold:service") {
			return true
		}
	}
	return false
}
