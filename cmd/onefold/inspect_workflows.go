package main

import (
	"context"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/onefold/onefold/inspect"
)

func (i *inspector) listCommand() *cobra.Command {
	var f inspect.Filter
	var since string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "list workflows, the youngest first",
		Example: `  onefold inspect list
  onefold inspect list --status suspended --method Orders.Fulfil
  onefold inspect list --since 2h --json | jq -r '.workflows[].id'`,
		Args: noArgs,
		RunE: i.with(func(ctx context.Context, c *inspect.Client, _ []string) error {
			var err error
			if f.Since, err = parseSince(since, time.Now()); err != nil {
				return err
			}
			list, err := c.List(ctx, f)
			if err != nil {
				return err
			}
			return i.print(list, func(s *inspect.Screen) error { return s.Workflows(list) })
		}),
	}
	cmd.Flags().StringVar(&f.Status, "status", "", "only with this `status`: running, suspended, parked, completed, failed or cancelled")
	cmd.Flags().StringVar(&f.Method, "method", "", "only of this `service` or service.method")
	cmd.Flags().StringVar(&since, "since", "", "only started so long ago, or since that `time`")
	cmd.Flags().IntVar(&f.Limit, "limit", 50, "at most `n`")
	cmd.Flags().StringVar(&f.Cursor, "cursor", "", "go on at the `place` that an earlier list ended with")
	complete(cmd, "status", inspect.Statuses)
	complete(cmd, "method", nil)
	return cmd
}

// complete offers words as the value of a flag.
func complete(cmd *cobra.Command, flag string, words []string) {
	err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(slices.Clone(words), cobra.ShellCompDirectiveNoFileComp))
	if err != nil {
		panic(err) // there is no such flag
	}
}

func (i *inspector) showCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "show ID",
		Short:             "show what is known of a workflow",
		Example:           "  onefold inspect show 0193c9e2-7b1c-7000-8000-000000000001",
		Args:              nArgs(1, 1, "one workflow's id"),
		ValidArgsFunction: i.completeWorkflows(""),
		RunE: i.with(func(ctx context.Context, c *inspect.Client, args []string) error {
			w, err := c.Workflow(ctx, args[0])
			if err != nil {
				return err
			}
			return i.print(w, func(s *inspect.Screen) error { return s.Workflow(w) })
		}),
	}
}

func (i *inspector) historyCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "history ID",
		Short: "show the steps of a workflow as a tree",
		Long: `History shows the steps of a workflow, and below them those of its children: when each
began, how long it took, and what it returned.

With --json it prints the whole history, with which onefold replay checks new code.`,
		Example: `  onefold inspect history 0193c9e2-7b1c-7000-8000-000000000001
  onefold inspect history 0193c9e2-7b1c-7000-8000-000000000001 --json > testdata/histories/order.json`,
		Args:              nArgs(1, 1, "one workflow's id"),
		ValidArgsFunction: i.completeWorkflows(""),
		RunE: i.with(func(ctx context.Context, c *inspect.Client, args []string) error {
			h, err := c.History(ctx, args[0])
			if err != nil {
				return err
			}
			return i.print(h, func(s *inspect.Screen) error { return s.History(h) })
		}),
	}
}

func (i *inspector) deadCommand() *cobra.Command {
	var limit int
	var cursor string
	cmd := &cobra.Command{
		Use:   "dead",
		Short: "list dead letters, the oldest first",
		Long: `Dead lists what is parked: workflows and messages that failed too often, and workflows
whose log does not fit the code. They do nothing until they are retried or cancelled.`,
		Example: `  onefold inspect dead
  onefold inspect dead --json | jq -r '.dead[].id' | xargs onefold inspect retry`,
		Args: noArgs,
		RunE: i.with(func(ctx context.Context, c *inspect.Client, _ []string) error {
			list, err := c.Dead(ctx, limit, cursor)
			if err != nil {
				return err
			}
			return i.print(list, func(s *inspect.Screen) error { return s.Dead(list) })
		}),
	}
	cmd.Flags().IntVar(&limit, "limit", 50, "at most `n`")
	cmd.Flags().StringVar(&cursor, "cursor", "", "go on at the `place` that an earlier list ended with")
	return cmd
}
