package reliability_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn/tests/program"
	"github.com/sojournhq/sojourn/tests/reliability/oracle"
)

// expect fails unless a dump is what the oracle says of the calls.
func expect(t *testing.T, got []string, calls []oracle.Call) {
	t.Helper()
	want, err := oracle.Dump(calls)
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, line := range want {
		count[line]++
	}
	for _, line := range got {
		count[line]--
	}
	lost, more := 0, 0
	for _, line := range slices.Concat(want, got) {
		switch n := count[line]; {
		case n > 0:
			if lost += n; lost <= 5 {
				t.Errorf("lost: %s", line)
			}
		case n < 0:
			if more -= n; more <= 5 {
				t.Errorf("too much: %s", line)
			}
		}
		count[line] = 0
	}
	t.Logf("the dump has %d lines, the oracle %d: %d lost, %d doubled or wrong", len(got), len(want), lost, more)
	if lost+more == 0 && !slices.Equal(got, want) {
		t.Error("the dump is not in order")
	}
}

// dump returns the lines of a running deployment's dump.
func (d *deployment) dump() []string {
	d.t.Helper()
	return d.sojourn("dump", "-url", d.url())
}

// proveSound stops the deployment, and fails unless its directory is sound and dumps what it dumped while it ran.
func (d *deployment) proveSound(running []string) {
	d.t.Helper()
	d.stop()
	if !slices.Equal(d.sojourn("dump", "-data", d.dir), running) {
		d.t.Error("the stopped directory dumps something else than the running system did")
	}
	d.t.Logf("verify: %s", strings.Join(d.sojourn("verify", "-data", d.dir), "; "))
}

// sojourn runs a command of sojourn that must succeed, and returns the lines that it prints.
func (d *deployment) sojourn(args ...string) []string {
	d.t.Helper()
	cmd := exec.Command(filepath.Join(d.binaries, program.Sojourn), args...)
	cmd.Env = append(append(os.Environ(), d.env...), "SOJOURN_ADMIN_TOKEN="+adminToken)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		d.t.Fatalf("sojourn %s: %v: %.1000s%.1000s", strings.Join(args, " "), err, stderr.String(), out)
	}
	var lines []string
	for line := range strings.Lines(string(out)) {
		lines = append(lines, strings.TrimSuffix(line, "\n"))
	}
	return lines
}
