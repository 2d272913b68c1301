//go:build clients

package e2e

import (
	"os"
	"strings"
	"testing"
)

// TestSegmentsNodeClient drives Sojourn with @segment/analytics-node.
func TestSegmentsNodeClient(t *testing.T) { nodeMorning(t, "@segment/analytics-node") }

// TestSegmentsOldNodeClient drives Sojourn with analytics-node 6, whose key stands in Basic alone.
func TestSegmentsOldNodeClient(t *testing.T) { nodeMorning(t, "analytics-node") }

// TestRudderStacksNodeClient drives Sojourn with another vendor's client, which compresses what it sends.
func TestRudderStacksNodeClient(t *testing.T) { nodeMorning(t, "@rudderstack/rudder-sdk-node") }

// nodeMorning sends the same calls twice. What the morning in node/client.mjs comes to was worked out by hand in testdata/node.ndjson.
func nodeMorning(t *testing.T, client string) {
	golden, err := os.ReadFile("testdata/node.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	onBoth(t, func(t *testing.T, d deployment) {
		for run := range int64(2) {
			startClient(t, "node", d.url(), "client.mjs", client).end()
			compareDump(t, string(golden), dumpRunning(t, d))
			if got, want := books(t, d), (book{Received: 13 * (run + 1), Accepted: 13, Duplicate: 13 * run}); got != want {
				t.Errorf("books after run %d: %+v, want %+v", run+1, got, want)
			}
		}
	})
}

// TestSegmentsNodeClientOutlivesOutages takes one process after the other away while @segment/analytics-node sends, until the client has
// sent again what was not answered, and brings it back.
func TestSegmentsNodeClientOutlivesOutages(t *testing.T) {
	onBoth(t, func(t *testing.T, d deployment) {
		c := startClient(t, "node", d.url(), "outage.mjs")
		for _, process := range d.processes() {
			d.down(process)
			c.tell("send")
			c.until("retries 1")
			d.up(process)
			c.until("delivered")
		}
		c.tell("close")
		c.end()
		sent := c.all("sent ")
		if len(sent) != 5*len(d.processes()) {
			t.Fatalf("the client delivered %d calls", len(sent))
		}
		arrivedOnce(t, d, sent)
	})
}

// arrivedOnce checks that the calls of these messageIds, and no others, are each there once.
func arrivedOnce(t *testing.T, d deployment, sent []string) {
	t.Helper()
	state := dumpRunning(t, d)
	for _, id := range sent {
		if n := strings.Count(state, `"messageId":"`+id+`"`); n != 1 {
			t.Errorf("call %s is there %d times", id, n)
		}
	}
	if n := strings.Count(state, `"messageId":`); n != len(sent) {
		t.Errorf("%d calls are there, the client sent %d", n, len(sent))
	}
	if got := books(t, d); got.Accepted != int64(len(sent)) || got.Rejected != 0 {
		t.Errorf("books %+v of %d calls", got, len(sent))
	}
}
