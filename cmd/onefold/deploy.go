package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/onefold/onefold/manifests"
	"github.com/onefold/onefold/manifests/deploy"
)

const deployHelp = `Deploy brings the application of the packages, by default everything below the
current folder, to the cluster of your kubeconfig: it applies the manifests, waits until
every service is ready, and says why one is not: conditions, events, the last lines
of the log. When a roll-out fails, all that served before serves again.

The image must be in its registry; see onefold build --push. Keys that are missing
in the secret of keys are made.`

const deployExample = `  onefold deploy ./...
  onefold deploy --image "$(onefold build --push ./...)" ./...
  onefold deploy --dry-run ./...    # the cluster checks, and changes nothing
  onefold deploy --target kubernetes --kube-context staging ./...`

// deployFlags are the flags of deploy.
type deployFlags struct {
	manifestFlags
	kubeconfig, context string
	dryRun              bool
	timeout             time.Duration
}

func (t *tool) deployCommand() *cobra.Command {
	var f deployFlags
	cmd := &cobra.Command{
		Use:     "deploy [packages]",
		Short:   "apply the manifests and wait until everything is ready",
		Long:    deployHelp,
		Example: deployExample,
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.timeout <= 0 {
				return usageError{fmt.Errorf("--timeout is %v; want more than zero", f.timeout)}
			}
			return t.deploy(cmd.Context(), args, f)
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&f.kubeconfig, "kubeconfig", "", "read `file` instead of the usual kubeconfig")
	cmd.Flags().StringVar(&f.context, "kube-context", "", "use another `context` of the kubeconfig than the current one")
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "let the cluster check everything, and change nothing")
	cmd.Flags().DurationVar(&f.timeout, "timeout", 5*time.Minute, "when everything must be ready")
	t.compileFlags(cmd)
	return cmd
}

func (t *tool) deploy(ctx context.Context, patterns []string, f deployFlags) error {
	c, err := t.deployConfig(f.manifestFlags)
	if err != nil {
		return err
	}
	app, err := t.application(ctx, patterns, f.manifestFlags)
	if err != nil {
		return err
	}
	target := manifests.Target(f.target)
	files, err := manifests.Emit(app, c, target)
	if err != nil {
		return err
	}
	var documents [][]byte
	for _, file := range files {
		if file.Name != manifests.KustomizationFile {
			documents = append(documents, file.Data)
		}
	}
	objects, err := deploy.Objects(documents...)
	if err != nil {
		return err
	}
	secrets := c.Secrets(app, target)
	cluster, err := deploy.Connect(f.kubeconfig, f.context, secrets.Namespace, t.stdout)
	if err != nil {
		return err
	}
	return cluster.Deploy(ctx, objects, deploy.Options{DryRun: f.dryRun, Timeout: f.timeout, Keys: secrets.Keys, KeyNames: secrets.KeyNames, Needs: secrets.Needs})
}
