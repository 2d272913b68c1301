// Package faults lets a real sojourn take calls in on disks that fail: that cannot sync, lose power, are full, or rot.
//
// A call counts as answered once its sender has a 200. Whatever befalls the disk, from then on the call must be there, once.
package faults

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

var (
	seedFlag   = flag.Uint64("seed", 1, "of all chance but that of timing")
	faultsFlag = flag.Int("faults", 2, "how many faults of a kind")
	callsFlag  = flag.Int("calls", 200, "how many calls are to be answered before each fault, at least")
	rotFlag    = flag.Int("rot", 40, "how many times something is damaged in a data directory")
)

// sojourn is the program that TestMain built.
var sojourn string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "sojourn-faults-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer func() { _ = os.RemoveAll(dir) }()
		sojourn = filepath.Join(dir, "sojourn")
		build := exec.Command("go", "build", "-o", sojourn, "../../../standalone/cmd/sojourn")
		build.Stdout, build.Stderr = os.Stderr, os.Stderr
		if err := build.Run(); err != nil {
			fmt.Fprintln(os.Stderr, "build the program:", err)
			return 1
		}
		return m.Run()
	}())
}
