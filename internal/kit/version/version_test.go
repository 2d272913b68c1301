package version_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const program = `package main

import "github.com/sojournhq/sojourn/internal/kit/version"

func main() { println(version.Get().String()) }
`

func TestTheLinkerSaysWhichVersionItIs(t *testing.T) {
	dir, err := os.MkdirTemp(".", "testdata-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	const flags = "-X github.com/sojournhq/sojourn/internal/kit/version.version=v1.2.3 " +
		"-X github.com/sojournhq/sojourn/internal/kit/version.commit=abc"
	out, err := exec.CommandContext(t.Context(), "go", "run", "-ldflags", flags, "./"+dir).CombinedOutput()
	if got, want := strings.TrimSpace(string(out)), "v1.2.3 (commit abc)"; err != nil || got != want {
		t.Errorf("prints %q, %v; want %q", got, err, want)
	}
}
