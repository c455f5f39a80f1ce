package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/onefold/onefold/inspect"
)

func (i *inspector) retryCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "retry ID…",
		Short: "try dead letters again",
		Long: `Retry has workflows and messages that are parked tried again at once, as often as if
they had not failed before.`,
		Example:           "  onefold inspect retry 0193c9e2-7b1c-7000-8000-000000000001",
		Args:              nArgs(1, -1, "the ids of dead letters"),
		ValidArgsFunction: i.completeWorkflows("parked"),
		RunE: i.with(func(ctx context.Context, c *inspect.Client, args []string) error {
			return i.each(args, "retried", func(id string) error { return c.Retry(ctx, id) })
		}),
	}
}

func (i *inspector) cancelCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "cancel ID…",
		Short: "cancel workflows, or throw dead messages away",
		Long: `Cancel ends workflows, and their children with them: the step under way does not
commit, no later one begins, and no compensation runs. A workflow that is to
compensate needs a signal that tells it to end. A dead letter that is a message is
thrown away.`,
		Example:           "  onefold inspect cancel 0193c9e2-7b1c-7000-8000-000000000001",
		Args:              nArgs(1, -1, "the ids of workflows or dead letters"),
		ValidArgsFunction: i.completeWorkflows(""),
		RunE: i.with(func(ctx context.Context, c *inspect.Client, args []string) error {
			return i.each(args, "cancelled", func(id string) error { return c.Cancel(ctx, id) })
		}),
	}
}

func (i *inspector) signalCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "signal ID NAME [JSON]",
		Short: "send a workflow a signal",
		Long: `Signal sends a workflow a signal that it waits for, or will. The value is JSON, null if
it is left out, and read from standard input where it is "-".`,
		Example: `  onefold inspect signal 0193c9e2-7b1c-7000-8000-000000000001 approve '"ann"'
  onefold inspect signal 0193c9e2-7b1c-7000-8000-000000000001 order - < order.json`,
		Args:              nArgs(2, 3, "a workflow's id, the signal's name, and its value as JSON"),
		ValidArgsFunction: i.completeWorkflows("suspended"),
		RunE: i.with(func(ctx context.Context, c *inspect.Client, args []string) error {
			value, err := i.readJSON(append(args, "null")[2])
			if err != nil {
				return err
			}
			return i.each(args[:1], "signalled", func(id string) error { return c.Signal(ctx, id, args[1], value) })
		}),
	}
}

// each does something with each id, up to the first that fails. What was done is said
// as JSON only.
func (i *inspector) each(ids []string, what string, do func(id string) error) error {
	for _, id := range ids {
		if err := do(id); err != nil {
			return err
		}
		done := map[string]string{"id": id, "done": what}
		if err := i.print(done, func(*inspect.Screen) error { return nil }); err != nil {
			return err
		}
	}
	return nil
}
