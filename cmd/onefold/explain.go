package main

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/onefold/onefold/compiler/diag"
)

func (t *tool) explainCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "explain CODE",
		Short: "explain a diagnostic by its code",
		Long: `Explain tells what a diagnostic means, with an example and its fix. The code is
the word in parentheses at the end of the diagnostic. Without one, explain lists
all codes.`,
		Example: "  onefold explain unstorable",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usageError{fmt.Errorf("explain takes one code, not %d", len(args))}
			}
			return nil
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			var codes []string
			for _, c := range diag.Codes() {
				codes = append(codes, string(c))
			}
			return codes, cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				for _, c := range diag.Codes() {
					fmt.Fprintln(t.stdout, c)
				}
				return nil
			}
			return diag.Explain(t.stdout, diag.Code(args[0]))
		},
	}
}

func (t *tool) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "print the version of onefold",
		Args:  noArgs,
		Run:   func(*cobra.Command, []string) { fmt.Fprintln(t.stdout, "onefold", version()) },
	}
}

func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("%s takes no arguments", cmd.Name())}
	}
	return nil
}

// version returns the module version that this binary was built from, with the
// commit where the version control system was asked.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	if v == "" {
		v = "(devel)"
	}
	return v + " " + info.GoVersion
}
