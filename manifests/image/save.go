package image

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Index returns one image for several platforms.
func Index(images []v1.Image) (v1.ImageIndex, error) {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, img := range images {
		file, err := img.ConfigFile()
		if err != nil {
			return nil, err
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: img, Descriptor: v1.Descriptor{Platform: file.Platform()},
		})
	}
	return index, nil
}

// Pull returns the image of a reference for a platform, to be a base.
func Pull(ctx context.Context, reference string, platform v1.Platform) (v1.Image, error) {
	ref, err := name.ParseReference(reference)
	if err != nil {
		return nil, err
	}
	return remote.Image(ref, remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain), remote.WithPlatform(platform))
}

// Push sends images to a registry, as one reference.
func Push(ctx context.Context, reference string, images []v1.Image) error {
	ref, err := name.ParseReference(reference)
	if err != nil {
		return err
	}
	options := []remote.Option{remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain)}
	if len(images) == 1 {
		return remote.Write(ref, images[0], options...)
	}
	index, err := Index(images)
	if err != nil {
		return err
	}
	return remote.WriteIndex(ref, index, options...)
}

// SaveTar writes an image as an archive that container engines load.
func SaveTar(file, reference string, img v1.Image) error {
	ref, err := name.ParseReference(reference)
	if err != nil {
		return err
	}
	return tarball.WriteToFile(file, ref, img)
}

// SaveLayout writes images to an OCI layout, a folder that must be empty or not
// there.
func SaveLayout(dir string, images []v1.Image) error {
	if err := Vacant(dir); err != nil {
		return err
	}
	index, err := Index(images)
	if err != nil {
		return err
	}
	_, err = layout.Write(dir, index)
	return err
}

// Unpack writes the files of an image to a folder that must be empty or not there.
func Unpack(dir string, img v1.Image) error {
	if err := Vacant(dir); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir) // no archive gets out of it
	if err != nil {
		return err
	}
	defer root.Close()
	files := mutate.Extract(img)
	defer files.Close()
	for r := tar.NewReader(files); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = unpack(root, h, r)
		}
		if err != nil {
			return fmt.Errorf("unpack to %s: %w", dir, err)
		}
	}
}

// Vacant reports, as an error, that there is something in a folder.
func Vacant(dir string) error {
	entries, err := os.ReadDir(dir)
	if err == nil && len(entries) > 0 {
		return fmt.Errorf("folder %s is not empty; name another, or remove it first", dir)
	}
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// unpack makes one file. Owners are kept where the user may set them.
func unpack(root *os.Root, h *tar.Header, data io.Reader) error {
	file := filepath.FromSlash(filepath.Clean(h.Name))
	if err := root.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	switch h.Typeflag {
	case tar.TypeDir:
		if err := root.MkdirAll(file, 0o755); err != nil {
			return err
		}
	case tar.TypeSymlink:
		return root.Symlink(h.Linkname, file)
	case tar.TypeLink:
		return root.Link(filepath.Clean(h.Linkname), file)
	case tar.TypeReg:
		f, err := root.OpenFile(file, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
		if err != nil {
			return err
		}
		_, err = io.Copy(f, data)
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
	default:
		return nil // devices and the like are the machine's, not the image's
	}
	if os.Geteuid() == 0 {
		if err := root.Chown(file, h.Uid, h.Gid); err != nil {
			return err
		}
	}
	return root.Chmod(file, h.FileInfo().Mode())
}

// Digest returns the digest that images have in a registry as one reference.
func Digest(images []v1.Image) (string, error) {
	if len(images) == 1 {
		hash, err := images[0].Digest()
		return hash.String(), err
	}
	index, err := Index(images)
	if err != nil {
		return "", err
	}
	hash, err := index.Digest()
	return hash.String(), err
}
