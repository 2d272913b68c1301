package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/sojournhq/sojourn/tests/program"
)

// binaries is the directory in which TestMain built the programs.
var binaries string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "sojourn-e2e-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer func() { _ = os.RemoveAll(dir) }()
		binaries = dir
		if err := program.Build("../..", dir, program.All()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return m.Run()
	}())
}

const patience = 30 * time.Second

// start starts one of the programs, and returns what the groups of ready matched.
func start(t testing.TB, ready *regexp.Regexp, name string, args ...string) (*program.Process, []string) {
	t.Helper()
	return program.Start(t, exec.Command(filepath.Join(binaries, name), args...), ready)
}
