// Command image makes a container image of one static program without a container engine, and writes it as an archive that docker, podman,
// containerd and kind load, or pushes it to a registry:
//
//	image -program eventsd -binary amd64=./eventsd -version v1.2.3 -o eventsd.tar sojourn/eventsd:v1.2.3
//	image -program eventsd -binary amd64=./eventsd-amd64 -binary arm64=./eventsd-arm64 -push registry.example.com/sojourn/eventsd:v1.2.3
//
// The image holds the program as /app and nothing else, as that of deploy/docker/Dockerfile does. The same program makes the same image,
// byte by byte.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
)

func main() {
	if err := run(os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	var b build
	flags := flag.NewFlagSet("image", flag.ContinueOnError)
	flags.StringVar(&b.program, "program", "", "what the program is called")
	flags.StringVar(&b.version, "version", "", "its version")
	flags.StringVar(&b.revision, "revision", "", "the commit it was built from")
	flags.Func("binary", "ARCH=FILE: the program for one architecture, such as amd64; repeatable", b.addBinary)
	archive := flags.String("o", "", "archive to write; one architecture only")
	push := flags.Bool("push", false, "push to the registries of the names")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if len(b.binaries) == 0 || flags.NArg() == 0 || (*archive == "") != *push {
		return errors.New("wanted: -binary, -o or -push, and a name with a tag")
	}
	if *push {
		return b.push(flags.Args())
	}
	return b.save(*archive, flags.Args())
}

// build is what an image is made of.
type build struct {
	program, version, revision string
	binaries                   []binary
}

// binary is the program for one architecture.
type binary struct{ arch, file string }

func (b *build) addBinary(text string) error {
	arch, file, found := strings.Cut(text, "=")
	if !found || arch == "" || file == "" {
		return errors.New("wanted: ARCH=FILE")
	}
	b.binaries = append(b.binaries, binary{arch, file})
	return nil
}
