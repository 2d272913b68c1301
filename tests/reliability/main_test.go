package reliability_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/sojournhq/sojourn/tests/program"
)

var (
	seedFlag = flag.Uint64("seed", 0, "seed; 0 draws one")
	tree     = flag.String("tree", "../..", "root of the source tree whose programs are tested")
	only     = flag.String("only", "", "sojourn: the one process alone; daemons: the four; empty: both")
)

// binaries is where programs are built to, when they are first needed.
var binaries string

func TestMain(m *testing.M) {
	flag.Parse()
	if *seedFlag == 0 {
		*seedFlag = uint64(time.Now().UnixNano()) % 1_000_000_000
	}
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "sojourn-reliability-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer func() { _ = os.RemoveAll(dir) }()
		binaries = filepath.Join(dir, "plain")
		return m.Run()
	}())
}

// build builds what of the programs is not built yet.
func build(t *testing.T, programs []string, dir string, flags ...string) {
	t.Helper()
	missing := slices.DeleteFunc(slices.Compact(append([]string{program.Sojourn}, programs...)), func(name string) bool {
		_, err := os.Stat(filepath.Join(dir, name))
		return err == nil
	})
	if len(missing) == 0 {
		return
	}
	if err := program.Build(*tree, dir, missing, flags...); err != nil {
		t.Fatal(err)
	}
}

// seed is what everything random in a run follows from. It is printed.
func seed(t *testing.T) uint64 {
	t.Helper()
	t.Logf("seed %d", *seedFlag)
	return *seedFlag
}

// onBoth runs a test against sojourn, everything in one process, and against four processes.
func onBoth(t *testing.T, run func(t *testing.T, programs []string)) {
	t.Helper()
	for kind, programs := range map[string][]string{"sojourn": {program.Sojourn}, "daemons": daemons} {
		if *only == "" || *only == kind {
			t.Run(kind, func(t *testing.T) { run(t, programs) })
		}
	}
}
