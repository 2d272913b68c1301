//go:build cluster

package cluster_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Two tags of the same programs, to upgrade from one to the other.
const (
	before = "e2e-1"
	after  = "e2e-2"
)

// makeImages builds every program, makes images of them under both tags, and loads them into the cluster. It returns where sojourn is.
func makeImages(t *testing.T) (sojourn string) {
	t.Helper()
	dir := t.TempDir()
	run := func(dir, name string, args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), name, args...)
		cmd.Dir, cmd.Stdout, cmd.Stderr = dir, os.Stderr, os.Stderr
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if err := cmd.Run(); err != nil {
			t.Fatalf("%s %s: %v", name, strings.Join(args, " "), err)
		}
	}
	image, err := filepath.Abs("../../.bin/image")
	if err != nil {
		t.Fatal(err)
	}
	load := strings.Fields(os.Getenv("SOJOURN_LOAD"))
	if len(load) == 0 {
		load = []string{"kind", "load", "image-archive"}
	}
	for _, program := range []string{"gatewayd", "identityd", "eventsd", "sessionsd", "sojourn", "sender"} {
		binary, archive := filepath.Join(dir, program), filepath.Join(dir, program+".tar")
		if program == "sender" {
			run(".", "go", "build", "-o", binary, "./sender")
		} else {
			run("../..", "deploy/docker/build", program, binary, "e2e", "e2e")
		}
		run(dir, image, "-program", program, "-binary", arch(t)+"="+binary, "-o", archive, "sojourn/"+program+":"+before, "sojourn/"+program+":"+after)
		run(dir, load[0], append(load[1:], archive)...)
	}
	return filepath.Join(dir, "sojourn")
}

func arch(t *testing.T) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "env", "GOARCH").Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}
