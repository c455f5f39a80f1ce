package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/spf13/cobra"

	"github.com/onefold/onefold/compiler"
	"github.com/onefold/onefold/frontend"
	"github.com/onefold/onefold/manifests"
	"github.com/onefold/onefold/manifests/image"
)

const imageHelp = `Build compiles the packages, by default everything below the current folder, and
makes one container image of the application, without a container engine. The
image holds one program, which is any part of the application that its environment
names, poker, which starts it, and a bill of materials. Nothing is written to your tree.

The image is the same for the same packages and tools: build it twice and
compare. Its reference comes from onefold.yaml, or --image; with --push it goes to that
registry with the credentials of docker login, and the reference with
its digest is printed.

With "images: services" in onefold.yaml there is an image for each service besides, with the
code of the services alone that it reaches; --output then names a folder for all of
them.

Without --base there is nothing else in the image. The FoundationDB engine needs the
FoundationDB client, which is C: build with --tags foundationdb, and name a
base image that has it.`

const imageExample = `  onefold build --push ./...
  onefold build -o tar:travel.tar ./... && docker load -i travel.tar
  onefold build -o oci:layout --platform linux/amd64,linux/arm64 ./...
  onefold build -o dir:root ./...    # the files of the image
  onefold manifests --image "$(onefold build --push ./...)" ./... | kubectl apply -f -`

// imageFlags are the flags of build.
type imageFlags struct {
	manifestFlags
	outputs, platforms []string
	base               string
	push, json         bool
}

func (t *tool) imageCommand() *cobra.Command {
	var f imageFlags
	cmd := &cobra.Command{
		Use:     "build [packages]",
		Short:   "make a container image",
		Long:    imageHelp,
		Example: imageExample,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(); err != nil {
				return usageError{err}
			}
			return t.buildImage(cmd.Context(), args, f)
		},
	}
	cmd.Flags().StringSliceVarP(&f.outputs, "output", "o", nil, "write the image to `tar:FILE`, oci:FOLDER (a layout) or dir:FOLDER (its files)")
	cmd.Flags().BoolVar(&f.push, "push", false, "send the image to its registry")
	cmd.Flags().StringSliceVar(&f.platforms, "platform", []string{"linux/" + runtime.GOARCH}, "build for `platforms`, with commas between them")
	cmd.Flags().StringVar(&f.base, "base", "", "start with the image of a `reference`; default is nothing")
	cmd.Flags().StringVar(&f.config, "config", "", "read `file`; default onefold.yaml if it exists")
	cmd.Flags().StringVar(&f.name, "name", "", "call the application `name`; default is the folder of the packages")
	cmd.Flags().StringVar(&f.image, "image", "", "`reference` of the image, over what the configuration says")
	cmd.Flags().BoolVar(&f.json, "json", false, "print reference, digest and platforms as JSON")
	t.compileFlags(cmd)
	return cmd
}

// check finds wrong usage.
func (f *imageFlags) check() error {
	if len(f.outputs) == 0 && !f.push {
		return errors.New("name where the image goes, with --output or --push")
	}
	for _, out := range f.outputs {
		kind, name, _ := strings.Cut(out, ":")
		switch {
		case !slices.Contains([]string{"tar", "oci", "dir"}, kind) || name == "":
			return fmt.Errorf("--output is %q; want tar:FILE, oci:FOLDER or dir:FOLDER", out)
		case kind != "oci" && len(f.platforms) > 1:
			return fmt.Errorf("--output %s holds one platform; want oci:FOLDER or --push for several", out)
		}
	}
	for _, p := range f.platforms {
		if platform, err := v1.ParsePlatform(p); err != nil || platform.OS != "linux" || platform.Architecture == "" {
			return fmt.Errorf("--platform is %q; want linux and an architecture, such as linux/arm64", p)
		}
	}
	return nil
}

// imageBuilder builds the images of one application.
type imageBuilder struct {
	*builder
	result  *compiler.Result
	module  *userModule
	flags   []string // of the go command
	overlay string
}

func (t *tool) buildImage(ctx context.Context, patterns []string, f imageFlags) error {
	c, err := t.deployConfig(f.manifestFlags)
	if err != nil {
		return err
	}
	if err := t.imageable(f); err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "onefold-build-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	b := &imageBuilder{builder: &builder{tool: t, work: work, patterns: patterns, name: f.name}}
	if err := b.prepare(ctx, c.Images == manifests.ImagesOfServices); err != nil {
		return err
	}
	app := manifests.NewApp(b.result.Program, b.result.Name, b.result.Version)
	wanted, err := c.ImagesOf(app)
	if err != nil {
		return err
	}
	for _, w := range wanted {
		var images []v1.Image
		for _, p := range f.platforms {
			img, err := b.image(ctx, app, w.Service, p, f.base)
			if err != nil {
				return err
			}
			images = append(images, img)
		}
		folder := ""
		if len(wanted) > 1 {
			folder = w.Name
		}
		if err := t.deliver(ctx, f, folder, w.Reference, images); err != nil {
			return err
		}
	}
	return nil
}

// imageable finds what would fail at the end of a build.
func (t *tool) imageable(f imageFlags) error {
	if slices.Contains(t.tags, foundationdbTag) && f.base == "" {
		return errors.New("the FoundationDB engine needs the FoundationDB client; name an image that has it with --base")
	}
	for _, out := range f.outputs {
		if kind, dir, _ := strings.Cut(out, ":"); kind != "tar" {
			if err := image.Vacant(t.path(dir)); err != nil {
				return err
			}
		}
	}
	return nil
}

// foundationdbTag is the build tag of the FoundationDB engine, which is C.
const foundationdbTag = "foundationdb"

// prepare compiles the packages as generate would, into an overlay.
func (b *imageBuilder) prepare(ctx context.Context, perService bool) error {
	b.progress("compiling")
	opts := b.options(b.patterns)
	opts.Name, opts.PerService = b.name, perService
	var err error
	if b.result, err = b.compiled(ctx, opts); err != nil {
		return err
	}
	if b.module, err = findModule(b.result.Out); err != nil {
		return err
	}
	if b.overlay, err = b.overlayOver(b.result); err != nil {
		return err
	}
	b.flags, err = b.modFlags(b.module)
	return err
}

// overlayOver writes an overlay in which the output folder holds the result, and
// nothing that an older compilation left there.
func (b *imageBuilder) overlayOver(result *compiler.Result) (string, error) {
	name, err := b.builder.overlay(result)
	if err != nil {
		return "", err
	}
	stale, err := generated(result.Out, ".go", frontend.Generated)
	if err != nil {
		return "", err
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return "", err
	}
	var overlay struct{ Replace map[string]string }
	if err := json.Unmarshal(data, &overlay); err != nil {
		return "", err
	}
	for file := range stale {
		if _, wanted := overlay.Replace[file]; !wanted {
			overlay.Replace[file] = "" // as if it were not there
		}
	}
	if data, err = json.Marshal(overlay); err != nil {
		return "", err
	}
	return name, os.WriteFile(name, data, 0o666)
}

// image builds the binaries for a platform, of one service or of the whole application, and
// returns the image of them.
func (b *imageBuilder) image(ctx context.Context, app manifests.App, service, platform, base string) (v1.Image, error) {
	p, err := v1.ParsePlatform(platform)
	if err != nil {
		return nil, err
	}
	c := image.Contents{Application: app.Name, Version: app.Version, Platform: *p}
	command := b.result.Command(service)
	for _, s := range app.Services {
		if service == "" || service == s.Name {
			c.Services = append(c.Services, s.Name)
		}
	}
	if base != "" {
		b.progress("pulling %s", base)
		if c.Base, err = image.Pull(ctx, base, *p); err != nil {
			return nil, fmt.Errorf("pull the base image: %w", err)
		}
	}
	b.progress("building %s for %s", path.Base(command), platform)
	if c.Program, err = b.binary(ctx, p, "service", path.Join(b.result.OutPath, command)); err != nil {
		return nil, err
	}
	if c.Poker, err = b.binary(ctx, p, "poker", onefoldModule+"/cmd/poker"); err != nil {
		return nil, err
	}
	return image.Build(c)
}

// binary builds a command, static unless it needs the FoundationDB client.
func (b *imageBuilder) binary(ctx context.Context, p *v1.Platform, name, pkg string) (string, error) {
	out := filepath.Join(b.work, name+"-"+p.Architecture+p.Variant)
	tags := append(slices.Clone(b.tags), "timetzdata")
	cgo := "0"
	if slices.Contains(b.tags, foundationdbTag) && name == "service" {
		cgo = "1"
	}
	args := []string{"build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -buildid=", "-tags", strings.Join(tags, ","), "-overlay", b.overlay, "-o", out}
	cmd := exec.CommandContext(ctx, "go", append(append(args, b.flags...), pkg)...)
	cmd.Dir = b.module.dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "CGO_ENABLED="+cgo, "GOOS="+p.OS, "GOARCH="+p.Architecture)
	if v, ok := strings.CutPrefix(p.Variant, "v"); ok && p.Architecture == "arm" {
		cmd.Env = append(cmd.Env, "GOARM="+v)
	}
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("build %s for %s: %w\n%s", pkg, p, err, output.Bytes())
	}
	return out, nil
}

// deliver writes and sends the images to where they shall be, in a folder of that if
// one is given, and prints the reference with the digest.
func (t *tool) deliver(ctx context.Context, f imageFlags, folder, reference string, images []v1.Image) error {
	for _, out := range f.outputs {
		kind, name, _ := strings.Cut(out, ":")
		name = filepath.Join(t.path(name), folder)
		if kind == "tar" && folder != "" {
			if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
				return err
			}
			name += ".tar"
		}
		var err error
		switch kind {
		case "tar":
			err = image.SaveTar(name, reference, images[0])
		case "oci":
			err = image.SaveLayout(name, images)
		case "dir":
			err = image.Unpack(name, images[0])
		}
		if err != nil {
			return err
		}
	}
	if f.push {
		t.progress("pushing %s", reference)
		if err := image.Push(ctx, reference, images); err != nil {
			return fmt.Errorf("push %s: %w", reference, err)
		}
	}
	digest, err := image.Digest(images)
	if err != nil {
		return err
	}
	pinned := reference + "@" + digest
	if f.json {
		return json.NewEncoder(t.stdout).Encode(map[string]any{"reference": pinned, "digest": digest, "platforms": f.platforms})
	}
	_, err = fmt.Fprintln(t.stdout, pinned)
	return err
}
