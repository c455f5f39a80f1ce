package main

import (
	"context"
	"errors"
	"os"
	"os/exec"

	"github.com/spf13/cobra"
)

const replayHelp = `Replay compiles the packages, by default everything below the current folder, and
runs their workflows against recorded histories: each step must be the one that the
log has. Nothing is called and nothing is stored. It exits 1 and names the workflow,
the step, what the log has and what the code does, where a workflow that is under
way would stop after a deployment of this code, or one that has ended would end
otherwise.

Histories come from onefold inspect history ID --json. A file may hold several, one
after the other; of a folder all .json files are taken.`

const replayExample = `  onefold inspect history 0193c9e2-7b1c-7000-8000-000000000001 --json > testdata/histories/order.json
  onefold replay --history testdata/histories ./...`

func (t *tool) replayCommand() *cobra.Command {
	var files []string
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "replay --history FILE [packages]",
		Short:   "check new code against the histories of workflows",
		Long:    replayHelp,
		Example: replayExample,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(files) == 0 {
				return usageError{errors.New("replay wants --history FILE, once or several times")}
			}
			return t.replay(cmd.Context(), args, files, asJSON)
		},
	}
	cmd.Flags().StringArrayVar(&files, "history", nil, "`file or folder` of histories; may be repeated")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print a verdict on each history as JSON")
	t.compileFlags(cmd)
	return cmd
}

// replay builds the server and has it check the histories.
func (t *tool) replay(ctx context.Context, patterns, files []string, asJSON bool) error {
	work, err := os.MkdirTemp("", "onefold-replay-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	b := &builder{tool: t, work: work, patterns: patterns}
	if _, err := b.build(ctx); err != nil {
		return err
	}
	args := []string{"replay"}
	if asJSON {
		args = append(args, "--json")
	}
	cmd := exec.CommandContext(ctx, b.server(), append(append(args, "--"), files...)...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = t.dir, t.stdout, t.stderr
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return statusError(max(exit.ExitCode(), exitFailure))
	}
	return err
}
