package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/onefold/onefold/inspect"
)

func (i *inspector) stateCommand() *cobra.Command {
	var w inspect.Window
	cmd := &cobra.Command{
		Use:   "state [SERVICE.FIELD [KEY]]",
		Short: "show what services keep",
		Long: `State lists the persistent fields, the entries of one of them, or shows the value of
one key. Keys that are strings or integers are given as they are, others as JSON;
the key of a slice is the index.`,
		Example: `  onefold inspect state
  onefold inspect state Hotel.rooms --from r
  onefold inspect state Hotel.rooms ritz`,
		Args:              nArgs(0, 2, "a field, as in Hotel.rooms, and a key"),
		ValidArgsFunction: i.completeFields(),
		RunE: i.with(func(ctx context.Context, c *inspect.Client, args []string) error {
			switch len(args) {
			case 0:
				return i.fields(ctx, c)
			case 1:
				rows, err := c.State(ctx, args[0], w)
				if err != nil {
					return err
				}
				return i.print(rows, func(s *inspect.Screen) error { return s.Rows(rows) })
			}
			row, err := c.Value(ctx, args[0], args[1])
			if err != nil {
				return err
			}
			return i.print(row.Value, func(s *inspect.Screen) error { return s.Value(row) })
		}),
	}
	cmd.Flags().StringVar(&w.From, "from", "", "begin at this `key`, or the first one after it")
	cmd.Flags().IntVar(&w.Limit, "limit", 100, "at most `n` entries")
	cmd.Flags().StringVar(&w.Cursor, "cursor", "", "go on at the `place` that an earlier page ended with")
	return cmd
}

func (i *inspector) fields(ctx context.Context, c *inspect.Client) error {
	app, err := c.App(ctx)
	if err != nil {
		return err
	}
	list := []map[string]string{}
	for _, f := range app.Fields() {
		list = append(list, map[string]string{"field": f[0], "type": f[1]})
	}
	return i.print(list, func(s *inspect.Screen) error { return s.Fields(app) })
}
