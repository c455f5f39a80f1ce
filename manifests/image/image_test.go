package image_test

import (
	"io"
	"log"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/onefold/onefold/manifests"
	"github.com/onefold/onefold/manifests/image"
)

// contents returns an image's contents, in files that were just written. The
// program is a small one that is there anyway.
func contents(t *testing.T) image.Contents {
	t.Helper()
	dir := t.TempDir()
	gofmt, err := exec.LookPath("gofmt")
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(gofmt)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, data []byte) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	return image.Contents{
		Application: "travel", Version: "0123456789abcdef", Services: []string{"Flight", "Hotel"},
		Program: write("program", program), Poker: write("poker", []byte("poker")),
		Platform: v1.Platform{OS: "linux", Architecture: "amd64"},
	}
}

func build(t *testing.T, c image.Contents) v1.Image {
	t.Helper()
	img, err := image.Build(c)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func digest(t *testing.T, img v1.Image) string {
	t.Helper()
	d, err := img.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return d.String()
}

// The same contents are the same image, whenever and from wherever it is built.
func TestReproducible(t *testing.T) {
	first := build(t, contents(t))
	c := contents(t)
	if err := os.Chtimes(c.Poker, time.Now(), time.Now().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	if a, b := digest(t, first), digest(t, build(t, c)); a != b {
		t.Errorf("the first build is %s, the second %s", a, b)
	}
	if err := os.WriteFile(c.Poker, []byte("other"), 0o600); err != nil {
		t.Fatal(err)
	}
	if a, b := digest(t, first), digest(t, build(t, c)); a == b {
		t.Error("another poker makes the same image")
	}
}

func TestConfiguration(t *testing.T) {
	file, err := build(t, contents(t)).ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(file.Config.Entrypoint, " "), manifests.Poker+" -- "+manifests.Program; got != want {
		t.Errorf("entrypoint %q, want %q", got, want)
	}
	if file.Config.User != "65532" || file.OS != "linux" || file.Architecture != "amd64" {
		t.Errorf("user %s on %s/%s", file.Config.User, file.OS, file.Architecture)
	}
	if got := file.Config.Labels["dev.onefold.services"]; got != "Flight,Hotel" {
		t.Errorf("services %q", got)
	}
	if !file.Created.Time.Equal(time.Unix(0, 0)) {
		t.Errorf("created at %v", file.Created)
	}
}

func TestUnpack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "root")
	if err := image.Unpack(dir, build(t, contents(t))); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]os.FileMode{
		image.Program: 0o555, image.Poker: 0o555, "/tmp": 0o777 | os.ModeDir | os.ModeSticky, "/data": 0o700 | os.ModeDir, "/etc/passwd": 0o444,
	} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
		} else if info.Mode() != want {
			t.Errorf("%s: mode %v, want %v", name, info.Mode(), want)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, image.SBOM)); err != nil {
		t.Error(err)
	}
	if err := image.Unpack(dir, build(t, contents(t))); err == nil || !strings.Contains(err.Error(), "is not empty") {
		t.Errorf("unpack over another image: %v", err)
	}
}

func TestBase(t *testing.T) {
	c := contents(t)
	c.Base = build(t, contents(t))
	c.Application = "other"
	img := build(t, c)
	layers, err := img.Layers()
	if err != nil {
		t.Fatal(err)
	}
	base, err := c.Base.Layers()
	if err != nil {
		t.Fatal(err)
	}
	if len(layers) != len(base)+2 {
		t.Errorf("%d layers on %d of the base, want two more", len(layers), len(base))
	}
}

// What goes to a registry, an archive or a layout comes back the same.
func TestSave(t *testing.T) {
	img := build(t, contents(t))
	want := digest(t, img)
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	reference := strings.TrimPrefix(server.URL, "http://") + "/travel:v1"
	if err := image.Push(t.Context(), reference, []v1.Image{img}); err != nil {
		t.Fatal(err)
	}
	pulled, err := image.Pull(t.Context(), reference, v1.Platform{OS: "linux", Architecture: "amd64"})
	if err != nil {
		t.Fatal(err)
	}
	if got := digest(t, pulled); got != want {
		t.Errorf("pulled %s, want %s", got, want)
	}
	if err := validate.Image(pulled); err != nil {
		t.Error(err)
	}

	dir := t.TempDir()
	file := filepath.Join(dir, "travel.tar")
	if err := image.SaveTar(file, "travel:v1", img); err != nil {
		t.Fatal(err)
	}
	loaded, err := tarball.ImageFromPath(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Image(loaded); err != nil {
		t.Error(err)
	}
	if err := image.SaveLayout(filepath.Join(dir, "layout"), []v1.Image{img}); err != nil {
		t.Fatal(err)
	}
	index, err := layout.ImageIndexFromPath(filepath.Join(dir, "layout"))
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(index); err != nil {
		t.Error(err)
	}
}

// Several platforms are one reference.
func TestPlatforms(t *testing.T) {
	amd, arm := contents(t), contents(t)
	arm.Platform.Architecture = "arm64"
	images := []v1.Image{build(t, amd), build(t, arm)}
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	reference := strings.TrimPrefix(server.URL, "http://") + "/travel:v1"
	if err := image.Push(t.Context(), reference, images); err != nil {
		t.Fatal(err)
	}
	for i, p := range []v1.Platform{amd.Platform, arm.Platform} {
		pulled, err := image.Pull(t.Context(), reference, p)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := digest(t, pulled), digest(t, images[i]); got != want {
			t.Errorf("%s: pulled %s, want %s", p, got, want)
		}
	}
	ref, err := name.ParseReference(reference)
	if err != nil {
		t.Fatal(err)
	}
	head, err := remote.Head(ref)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := image.Digest(images); err != nil || got != head.Digest.String() {
		t.Errorf("digest %s, %v, want %s", got, err, head.Digest)
	}
}
