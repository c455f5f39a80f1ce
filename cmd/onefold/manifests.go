package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/onefold/onefold/backend"
	"github.com/onefold/onefold/compiler"
	"github.com/onefold/onefold/manifests"
)

const manifestsHelp = `Manifests prints what Kubernetes needs to run the application of the packages,
by default everything below the current folder: for Knative a Service for each
service of the spec, for plain Kubernetes Deployments with Services, autoscalers,
disruption budgets and network policies that follow the call graph. With -o it
writes one file for each service and a kustomization.

onefold.yaml in the current folder, if there is one, says how: replicas, resources,
store, images; --reference prints one with every key. Everything that is
printed has passed Knative's own validation.

The secrets that the manifests mention are yours to make: APPLICATION-foundationdb
with the key "fdb.cluster", and APPLICATION-keys with a file of keys for each service
that calls another one, named Caller.Callee: at least 16 random characters, which
only these two get. onefold deploy adds to the second what is missing in it. To
rotate a key without downtime, write the new one below the old one, then above it,
then remove the old one, and wait two minutes after each step, until it is in
all pods.`

const manifestsExample = `  onefold manifests ./... | kubectl apply -f -
  onefold manifests --target kubernetes -o deploy ./...
  onefold manifests -d -o deploy ./...          # what would change
  onefold manifests --check -o deploy ./...     # fail if anything would change
  onefold manifests --reference > onefold.yaml  # every key, explained`

// manifestFlags are the flags of commands that make manifests.
type manifestFlags struct {
	config, target, name, image string
}

func (f *manifestFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.config, "config", "", "read `file`; default onefold.yaml if it exists")
	cmd.Flags().StringVar(&f.target, "target", string(manifests.Knative), "`platform`: knative or kubernetes")
	cmd.Flags().StringVar(&f.name, "name", "", "call the application `name`; default is the folder of the packages")
	cmd.Flags().StringVar(&f.image, "image", "", "`reference` of the image, over what the configuration says")
}

func (t *tool) manifestsCommand() *cobra.Command {
	var f manifestFlags
	var out string
	var diff, check, reference bool
	cmd := &cobra.Command{
		Use:     "manifests [packages]",
		Short:   "print Knative or Kubernetes manifests",
		Long:    manifestsHelp,
		Example: manifestsExample,
		RunE: func(cmd *cobra.Command, args []string) error {
			if reference {
				_, err := fmt.Fprint(t.stdout, manifests.Reference)
				return err
			}
			if (diff || check) && out == "" {
				return usageError{errors.New("--diff and --check compare with a folder; name it with --output")}
			}
			files, err := t.emitManifests(cmd.Context(), args, f)
			if err != nil {
				return err
			}
			if out == "" {
				return t.printManifests(files)
			}
			changes, err := compareManifests(t.path(out), files)
			if err != nil {
				return err
			}
			if diff || check {
				return t.show(changes, check)
			}
			return applyAll(changes)
		},
	}
	f.add(cmd)
	cmd.Flags().StringVarP(&out, "output", "o", "", "write to `folder` instead of standard output")
	cmd.Flags().BoolVarP(&diff, "diff", "d", false, "print how the folder would change, and write nothing")
	cmd.Flags().BoolVar(&check, "check", false, "like --diff, and exit 1 if anything would change")
	cmd.Flags().BoolVar(&reference, "reference", false, "print a configuration with every key explained")
	t.compileFlags(cmd)
	cmd.AddCommand(t.patchCommand())
	return cmd
}

// emitManifests compiles the packages and returns their manifests.
func (t *tool) emitManifests(ctx context.Context, patterns []string, f manifestFlags) ([]manifests.File, error) {
	c, err := t.deployConfig(f)
	if err != nil {
		return nil, err
	}
	app, err := t.application(ctx, patterns, f)
	if err != nil {
		return nil, err
	}
	return manifests.Emit(app, c, manifests.Target(f.target))
}

// application compiles the packages and returns what a deployment needs to know.
func (t *tool) application(ctx context.Context, patterns []string, f manifestFlags) (manifests.App, error) {
	opts := t.options(patterns)
	opts.Name = f.name
	result, err := t.compiled(ctx, opts)
	if err != nil {
		return manifests.App{}, err
	}
	return manifests.NewApp(result.Program, result.Name, result.Version), nil
}

// compiled returns the compiled packages, which have no errors and have services.
func (t *tool) compiled(ctx context.Context, opts compiler.Options) (*compiler.Result, error) {
	result, err := compiler.Compile(ctx, opts)
	if err != nil {
		return nil, err
	}
	if err := t.report(result.Diagnostics); err != nil {
		return nil, err
	}
	if len(result.Program.Services) == 0 {
		return nil, errNoServices
	}
	return result, nil
}

// deployConfig reads the configuration of deployments.
func (t *tool) deployConfig(f manifestFlags) (*manifests.Config, error) {
	file := f.config
	if file == "" {
		file = "onefold.yaml"
	}
	data, err := os.ReadFile(t.path(file))
	if err != nil && (f.config != "" || !errors.Is(err, fs.ErrNotExist)) {
		return nil, err
	}
	c, err := manifests.ParseConfig(file, data)
	if err == nil && f.image != "" {
		c.Image, c.Registry = f.image, ""
	}
	return c, err
}

// printManifests prints the files as one stream. The kustomization is about files
// and has no place in it.
func (t *tool) printManifests(files []manifests.File) error {
	var all []string
	for _, f := range files {
		if f.Name != manifests.KustomizationFile {
			all = append(all, string(f.Data))
		}
	}
	_, err := fmt.Fprint(t.stdout, strings.Join(all, "---\n"))
	return err
}

// compareManifests returns how the folder differs from files.
func compareManifests(dir string, files []manifests.File) ([]change, error) {
	var wanted []backend.File
	for _, f := range files {
		wanted = append(wanted, backend.File(f))
	}
	return compareFolder(dir, wanted, ".yaml", manifests.Generated)
}
