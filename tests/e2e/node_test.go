//go:build node

package e2e

import (
	"os"
	"os/exec"
	"testing"
)

// TestSegmentsNodeClient drives Sojourn with @segment/analytics-node, twice. What the morning in node/client.mjs comes to was worked out
// by hand in testdata/node.ndjson.
func TestSegmentsNodeClient(t *testing.T) {
	golden, err := os.ReadFile("testdata/node.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	onBoth(t, func(t *testing.T, d deployment) {
		for run := range 2 {
			cmd := exec.Command("node", "client.mjs")
			cmd.Dir = "node"
			cmd.Env = append(os.Environ(), "WRITE_KEY="+writeKey, "SOJOURN_URL="+d.url())
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("run %d: %v\n%s", run+1, err, out)
			}
			compareDump(t, string(golden), dumpRunning(t, d))
			type book struct{ Received, Accepted, Duplicate, Rejected int64 }
			var total book
			for _, b := range ask[struct {
				Outcomes []struct {
					Received, Accepted, Duplicate, Rejected int64 `json:",string"`
				}
			}](t, d, queryToken, "sojourn.identity.v1.QueryService/ListOutcomes", `{}`).Outcomes {
				total.Received += b.Received
				total.Accepted += b.Accepted
				total.Duplicate += b.Duplicate
				total.Rejected += b.Rejected
			}
			if want := (book{Received: 9 * int64(run+1), Accepted: 9, Duplicate: 9 * int64(run)}); total != want {
				t.Errorf("books after run %d: %+v, want %+v", run+1, total, want)
			}
		}
	})
}
