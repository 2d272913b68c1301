package bench_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn/tests/load/internal/bench"
	"github.com/sojournhq/sojourn/tests/load/internal/deploy"
	"github.com/sojournhq/sojourn/tests/load/internal/traffic"
)

// programs builds everything that is measured, and what measures.
func programs(t *testing.T) deploy.Programs {
	t.Helper()
	dir := t.TempDir()
	build := exec.Command("go", "build", "-o", dir+string(filepath.Separator),
		"../../cmd/load", "../../../../standalone/cmd/sojourn", "../../../../gateway/cmd/gatewayd",
		"../../../../services/identity/cmd/identityd", "../../../../services/events/cmd/eventsd", "../../../../services/sessions/cmd/sessionsd")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	return deploy.Programs{Dir: dir, Load: filepath.Join(dir, "load")}
}

func TestEveryServerIsMeasuredAndWhatItHoldsIsWhatItWasSent(t *testing.T) {
	c := bench.Config{
		Programs: programs(t), Dir: t.TempDir(), Mix: traffic.Default(1, time.Now()), Rounds: 1,
		Duration: 300 * time.Millisecond, Warmup: 50 * time.Millisecond, Sample: 60, Progress: &bytes.Buffer{},
	}
	c.Mix.Users, c.Mix.Accounts = 300, 60 // all of them are compared
	r, err := bench.Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	measured := map[deploy.Kind]int{}
	for _, row := range r.Rows {
		measured[row.Server]++
		if row.Calls == 0 || row.PerSecond == 0 || row.Latency.P50 == 0 || row.Measurement.Server.AnonBytes == 0 {
			t.Errorf("%s, %s: %+v", row.Server, row.Step, row.Measurement)
		}
	}
	if measured["discard"] != 3 || measured["json"] != 4 || measured[deploy.Standalone] != 5 || measured[deploy.FourProcesses] != 4 {
		t.Errorf("steps: %v", measured)
	}
	if r.Verified != 2 || r.Lines < 1000 {
		t.Errorf("%d data directories verified, %d lines compared", r.Verified, r.Lines)
	}
	var table strings.Builder
	if err := r.Print(&table); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + table.String())
	if left, err := os.ReadDir(c.Dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestAFullStoreIsMeasuredKilledAndRight(t *testing.T) {
	c := bench.GrowthConfig{Calls: 5000, Live: 500, Kills: 2, Config: bench.Config{
		Programs: programs(t), Dir: t.TempDir(), Mix: traffic.Default(2, time.Now()),
		Duration: 300 * time.Millisecond, Warmup: 50 * time.Millisecond, Sample: 20, Progress: &bytes.Buffer{},
	}}
	c.Mix.Users, c.Mix.Accounts = 300, 20
	g, err := bench.Grow(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if g.Sent < c.Calls || g.Checked != 20 || !g.Verified || len(g.ReadyMS) != 2 || len(g.Reports) == 0 || g.Full.Calls == 0 || g.Half.Calls == 0 {
		t.Errorf("%+v", g)
	}
	var table strings.Builder
	if err := g.Print(&table); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + table.String())
}
