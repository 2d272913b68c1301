package main

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// compile builds a small program for an architecture and returns its file.
func compile(t *testing.T, arch string) string {
	t.Helper()
	dir := t.TempDir()
	source := filepath.Join(dir, "main.go")
	if err := os.WriteFile(source, []byte("package main\n\nfunc main() { println(1) }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "program")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", out, source)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return out
}

func TestAnArchiveHasTheProgramAndNothingElseAndIsTheSameEachTime(t *testing.T) {
	program := compile(t, "amd64")
	var digests [2]v1.Hash
	for i := range digests {
		archive := filepath.Join(t.TempDir(), "x.tar")
		if err := run([]string{
			"-program", "eventsd", "-version", "v1", "-revision", "abc", "-binary", "amd64=" + program, "-o", archive, "x/eventsd:v1", "x/eventsd:v2",
		}); err != nil {
			t.Fatal(err)
		}
		for _, tag := range []string{"x/eventsd:v1", "x/eventsd:v2"} {
			named, err := name.NewTag(tag)
			if err != nil {
				t.Fatal(err)
			}
			image, err := tarball.ImageFromPath(archive, &named)
			if err != nil {
				t.Fatal(err)
			}
			digests[i] = check(t, image, "amd64")
		}
	}
	if digests[0] != digests[1] {
		t.Errorf("built twice, it is %v and %v", digests[0], digests[1])
	}
}

// check looks at what an image is made of, and returns its digest.
func check(t *testing.T, image v1.Image, arch string) v1.Hash {
	t.Helper()
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if config.OS != "linux" || config.Architecture != arch || config.Config.User != "65532:65532" || config.Config.Entrypoint[0] != "/app" {
		t.Errorf("%s/%s, %+v", config.OS, config.Architecture, config.Config)
	}
	if got := config.Config.Labels["org.opencontainers.image.revision"]; got != "abc" {
		t.Errorf("revision %q", got)
	}
	layers, err := image.Layers()
	if err != nil || len(layers) != 1 {
		t.Fatalf("%d layers, %v", len(layers), err)
	}
	digest, err := image.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return digest
}

func TestPushingMakesOneNameForAllArchitectures(t *testing.T) {
	server := httptest.NewServer(registry.New())
	defer server.Close()
	tag := strings.TrimPrefix(server.URL, "http://") + "/sojourn/eventsd:v1"
	if err := run([]string{
		"-program", "eventsd", "-revision", "abc", "-binary", "amd64=" + compile(t, "amd64"), "-binary", "arm64=" + compile(t, "arm64"), "-push", tag,
	}); err != nil {
		t.Fatal(err)
	}
	for _, arch := range []string{"amd64", "arm64"} {
		named, err := name.NewTag(tag)
		if err != nil {
			t.Fatal(err)
		}
		image, err := remote.Image(named, remote.WithPlatform(v1.Platform{OS: "linux", Architecture: arch}))
		if err != nil {
			t.Fatal(err)
		}
		check(t, image, arch)
	}
}

func TestAProgramThatNeedsALoaderIsRefused(t *testing.T) {
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	err = run([]string{"-program", "sh", "-binary", "amd64=" + shell, "-o", filepath.Join(t.TempDir(), "x.tar"), "x/sh:v1"})
	if err == nil || !strings.Contains(err.Error(), "not static") {
		t.Errorf("error %v", err)
	}
}
