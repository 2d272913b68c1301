package main

import (
	"errors"
	"fmt"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// save writes the image under all names to one archive.
func (b *build) save(archive string, names []string) error {
	if len(b.binaries) > 1 {
		return errors.New("an archive has one architecture")
	}
	image, err := b.image(b.binaries[0])
	if err != nil {
		return err
	}
	tagged := map[name.Tag]v1.Image{}
	for _, n := range names {
		tag, err := name.NewTag(n)
		if err != nil {
			return fmt.Errorf("name of the image: %w", err)
		}
		tagged[tag] = image
	}
	if err := tarball.MultiWriteToFile(archive, tagged); err != nil {
		return fmt.Errorf("write archive: %w", err)
	}
	return nil
}

// push sends an index of the images for all architectures to the registries, with the credentials that docker or podman stored.
func (b *build) push(names []string) error {
	index := v1.ImageIndex(empty.Index)
	for _, of := range b.binaries {
		image, err := b.image(of)
		if err != nil {
			return err
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: image, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: of.arch}},
		})
	}
	for _, n := range names {
		tag, err := name.NewTag(n)
		if err != nil {
			return fmt.Errorf("name of the image: %w", err)
		}
		if err := remote.WriteIndex(tag, index, remote.WithAuthFromKeychain(authn.DefaultKeychain)); err != nil {
			return fmt.Errorf("push: %w", err)
		}
	}
	return nil
}
