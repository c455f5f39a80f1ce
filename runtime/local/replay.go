package local

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"github.com/onefold/onefold/runtime"
	"github.com/onefold/onefold/runtime/atomic"
	"github.com/onefold/onefold/runtime/store/memory"
	"github.com/onefold/onefold/runtime/workflow"
)

// A verdict is what a replay says of one history.
type verdict struct {
	File     string `json:"file"`
	ID       string `json:"id"`
	Method   string `json:"method"`
	OK       bool   `json:"ok"`
	Step     string `json:"step,omitempty"`     // where the code differs from the log
	Recorded string `json:"recorded,omitempty"` // what the log has there
	Found    string `json:"found,omitempty"`    // what the code asks for there
	Error    string `json:"error,omitempty"`
}

// replay is the command that checks the application's code against histories: it
// runs each workflow against its log, with no effect. It returns the exit code.
func replay(app *runtime.App, args []string, stdout, stderr io.Writer) int {
	flags := pflag.NewFlagSet(app.Name+" replay", pflag.ContinueOnError)
	flags.SetOutput(io.Discard)
	asJSON := flags.Bool("json", false, "print a verdict on each history as JSON")
	err := flags.Parse(args)
	switch {
	case errors.Is(err, pflag.ErrHelp):
		fmt.Fprintf(stdout, "Usage: %s replay [--json] FILE|FOLDER…\n\nChecks the code against histories of workflows.\n\nFlags:\n%s", app.Name, flags.FlagUsages())
		return 0
	case err == nil && flags.NArg() == 0:
		err = errors.New("no files")
	}
	if err != nil {
		fmt.Fprintf(stderr, "%s replay: %v\n", app.Name, err)
		return 2
	}
	verdicts, err := check(app, flags.Args())
	if err != nil {
		fmt.Fprintf(stderr, "%s: %v\n", app.Name, err)
		return 1
	}
	return report(verdicts, *asJSON, stdout, stderr)
}

// check replays all histories in the files.
func check(app *runtime.App, names []string) ([]verdict, error) {
	if err := configure(app, os.LookupEnv); err != nil {
		return nil, err
	}
	files, err := histories(names)
	if err != nil {
		return nil, err
	}
	engine, err := workflow.New(atomic.NewRunner(memory.New(), atomic.Options{App: app.Name}), app.Workflows(), workflow.Options{})
	if err != nil {
		return nil, err
	}
	verdicts := []verdict{}
	for _, file := range files {
		list, err := readHistories(file)
		if err != nil {
			return nil, err
		}
		for _, h := range list {
			verdicts = judge(verdicts, engine, file, h)
		}
	}
	return verdicts, nil
}

// histories returns the files that names are, or the .json files in the folders that they are.
func histories(names []string) ([]string, error) {
	var files []string
	for _, name := range names {
		before := len(files)
		err := filepath.WalkDir(name, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && !entry.IsDir() && (path == name || filepath.Ext(path) == ".json") {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		if len(files) == before {
			return nil, fmt.Errorf("%s holds no .json file; export histories with onefold inspect history ID --json", name)
		}
	}
	return files, nil
}

// readHistories reads a file with one history after the other.
func readHistories(file string) ([]*workflow.History, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var list []*workflow.History
	for dec := json.NewDecoder(f); ; {
		h := new(workflow.History)
		err := dec.Decode(h)
		if err == io.EOF && len(list) > 0 {
			return list, nil
		}
		if err == nil && h.Method == "" {
			err = errors.New("no workflow method in it")
		}
		if err != nil {
			return nil, fmt.Errorf("%s is no history as onefold inspect history ID --json prints it: %w", file, err)
		}
		list = append(list, h)
	}
}

// judge appends the verdicts on a history and those of its children.
func judge(verdicts []verdict, engine *workflow.Engine, file string, h *workflow.History) []verdict {
	v := verdict{File: file, ID: h.ID, Method: h.Method, OK: true}
	if err := engine.Check(h); err != nil {
		v.OK, v.Error = false, err.Error()
		var diverged *workflow.DivergedError
		if errors.As(err, &diverged) {
			v.Step, v.Recorded, v.Found = diverged.Step, diverged.Recorded, diverged.Found
		}
	}
	verdicts = append(verdicts, v)
	for _, step := range h.Steps {
		if step.Child != nil {
			verdicts = judge(verdicts, engine, file, step.Child)
		}
	}
	return verdicts
}

// report prints the verdicts, as text those alone that are bad, and returns the exit code.
func report(verdicts []verdict, asJSON bool, stdout, stderr io.Writer) int {
	code := 0
	for _, v := range verdicts {
		if v.OK {
			continue
		}
		code = 1
		if !asJSON {
			fmt.Fprintf(stderr, "%s: workflow %s of %s: %s\n", v.File, v.ID, v.Method, strings.TrimPrefix(v.Error, "workflow: "))
		}
	}
	if asJSON {
		enc := json.NewEncoder(stdout)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		enc.Encode(verdicts)
	}
	return code
}
