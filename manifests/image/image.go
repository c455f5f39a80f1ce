// Package image makes container images of built programs, without a container
// engine: layers of reproducible tar archives, a configuration, and a bill of materials.
package image

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Where things are in an image; package manifests agrees.
const (
	Program = "/service"
	Poker   = "/poker"
	SBOM    = "/usr/share/sbom/service.spdx.json"
)

// nonRoot is the user that processes run as.
const nonRoot = 65532

// Contents says what an image is made of.
type Contents struct {
	Application string
	Version     string
	Services    []string
	Program     string      // file of the service's binary
	Poker       string      // file of poker's
	Base        v1.Image    // nil for an image with nothing else in it
	Platform    v1.Platform // of the binaries
}

// Build returns the image. It is the same for the same contents.
func Build(c Contents) (v1.Image, error) {
	bill, err := billOf(c)
	if err != nil {
		return nil, err
	}
	img := c.Base
	if img == nil {
		if img, err = scratch(); err != nil {
			return nil, err
		}
	}
	// The program comes last: it changes most.
	for _, layer := range [][]entry{
		{{name: Poker, mode: 0o555, file: c.Poker}},
		{{name: SBOM, mode: 0o444, data: bill}, {name: Program, mode: 0o555, file: c.Program}},
	} {
		if img, err = add(img, layer); err != nil {
			return nil, err
		}
	}
	return configure(img, c)
}

// scratch returns the least that processes expect: a user, and folders to write to.
func scratch() (v1.Image, error) {
	img := mutate.MediaType(empty.Image, types.OCIManifestSchema1)
	img = mutate.ConfigMediaType(img, types.OCIConfigJSON)
	return add(img, []entry{
		{name: "/data", mode: 0o700 | os.ModeDir, owner: nonRoot},
		{name: "/etc/group", mode: 0o444, data: fmt.Appendf(nil, "root:x:0:\nnonroot:x:%d:\n", nonRoot)},
		{name: "/etc/passwd", mode: 0o444, data: fmt.Appendf(nil, "root:x:0:0:root:/:/sbin/nologin\nnonroot:x:%d:%[1]d:nonroot:/:/sbin/nologin\n", nonRoot)},
		{name: "/tmp", mode: 0o777 | os.ModeDir | os.ModeSticky},
	})
}

// configure sets how containers start and what the image says of itself.
func configure(img v1.Image, c Contents) (v1.Image, error) {
	file, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	file = file.DeepCopy()
	file.Created = v1.Time{Time: epoch}
	file.Architecture, file.OS, file.Variant = c.Platform.Architecture, c.Platform.OS, c.Platform.Variant
	file.Config.Entrypoint = []string{Poker, "--", Program}
	file.Config.Cmd = nil
	file.Config.User = fmt.Sprint(nonRoot)
	file.Config.WorkingDir = "/"
	file.Config.ExposedPorts = map[string]struct{}{"8080/tcp": {}, "7070/tcp": {}}
	labels := map[string]string{}
	for key, value := range file.Config.Labels {
		labels[key] = value
	}
	labels["org.opencontainers.image.title"] = c.Application
	labels["org.opencontainers.image.version"] = c.Version
	labels["dev.onefold.services"] = strings.Join(c.Services, ",")
	file.Config.Labels = labels
	return mutate.ConfigFile(img, file)
}

// epoch is the time of everything, so that the time of a build does not show.
var epoch = time.Unix(0, 0).UTC()

// entry is one file or folder of a layer.
type entry struct {
	name  string
	mode  os.FileMode
	owner int
	file  string // where its data is, or
	data  []byte // the data
}

// add puts a layer with the entries on an image.
func add(img v1.Image, entries []entry) (v1.Image, error) {
	data, err := archive(entries)
	if err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(
		func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil },
		tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return nil, err
	}
	return mutate.Append(img, mutate.Addendum{
		Layer:     layer,
		History:   v1.History{Created: v1.Time{Time: epoch}, CreatedBy: "onefold build", Comment: entries[len(entries)-1].name},
		MediaType: types.OCILayer,
	})
}

// archive returns entries as a tar archive, each folder above a file first.
func archive(entries []entry) ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	made := map[string]bool{"/": true}
	for _, e := range entries {
		if err := parents(w, path.Dir(e.name), made); err != nil {
			return nil, err
		}
		data := e.data
		if e.file != "" {
			var err error
			if data, err = os.ReadFile(e.file); err != nil {
				return nil, err
			}
		}
		if err := write(w, e, data); err != nil {
			return nil, err
		}
		made[e.name] = true
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func parents(w *tar.Writer, dir string, made map[string]bool) error {
	if made[dir] {
		return nil
	}
	made[dir] = true
	if err := parents(w, path.Dir(dir), made); err != nil {
		return err
	}
	return write(w, entry{name: dir, mode: 0o755 | os.ModeDir}, nil)
}

func write(w *tar.Writer, e entry, data []byte) error {
	h := &tar.Header{
		Typeflag: tar.TypeReg,
		Name:     strings.TrimPrefix(e.name, "/"),
		Size:     int64(len(data)),
		Mode:     int64(e.mode.Perm()),
		Uid:      e.owner,
		Gid:      e.owner,
		ModTime:  epoch,
		Format:   tar.FormatPAX,
	}
	if e.mode.IsDir() {
		h.Typeflag, h.Name = tar.TypeDir, h.Name+"/"
	}
	if e.mode&os.ModeSticky != 0 {
		h.Mode |= 0o1000
	}
	if err := w.WriteHeader(h); err != nil {
		return err
	}
	_, err := w.Write(data)
	return err
}
