//go:build clients

package e2e

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// startBrowser starts the scenario of browser/scenarios.mjs in Chromium, with a gateway at this address.
func startBrowser(t *testing.T, url, scenario string) *client {
	t.Helper()
	path := os.Getenv("CHROMIUM")
	if path == "" {
		path = "chromium"
	}
	path, err := exec.LookPath(path)
	if err != nil {
		t.Fatalf("this test needs Chromium: install Debian's package chromium, or say in CHROMIUM where it is: %v", err)
	}
	t.Setenv("CHROMIUM", path)
	return startClient(t, "browser", url, "drive.mjs", scenario)
}

// finish waits until as many calls as the client recorded have arrived, ends the browser and the deployment, and checks that each call arrived
// once, from one visitor. It returns the state, with ids that differ from run to run replaced, and the books.
func (c *client) finish(t *testing.T, d deployment, calls int) (state string, got book) {
	t.Helper()
	c.until("recorded")
	sent, visitors := c.all("sent "), c.all("visitor ")
	if len(sent) != calls {
		t.Errorf("the client recorded %d calls, want %d", len(sent), calls)
	}
	for deadline := time.Now().Add(patience); books(t, d).Accepted < int64(calls) && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond)
	}
	c.tell("close")
	c.end()
	if got = books(t, d); got.Accepted != int64(calls) || got.Rejected != 0 {
		t.Errorf("books %+v of %d calls", got, calls)
	}
	d.stop() // what is in the books may be under way to the other services until then
	state = dumpStopped(t, d)
	for _, id := range sent {
		if n := strings.Count(state, `"messageId":"`+id+`"`); n > 1 {
			t.Errorf("call %s is there %d times", id, n)
		}
		state = strings.ReplaceAll(state, `"`+id+`"`, `"message"`)
	}
	slices.Sort(visitors)
	if visitors = slices.Compact(visitors); len(visitors) != 1 {
		t.Fatalf("visitors %q, want one", visitors)
	}
	return strings.ReplaceAll(state, `"`+visitors[0]+`"`, `"visitor"`), got
}

// quiet checks that the browser showed no errors: above all that no answer was kept from the page.
func (c *client) quiet(t *testing.T) {
	t.Helper()
	if errors := append(c.all("console "), c.all("failed ")...); len(errors) > 0 {
		t.Errorf("the browser says %q", errors)
	}
}

// TestSegmentsBrowserClient drives Sojourn with @segment/analytics-next in a page of another origin, which knows of Sojourn what its
// settings say. What the morning in browser/scenarios.mjs comes to was worked out by hand in testdata/browser.ndjson.
func TestSegmentsBrowserClient(t *testing.T) {
	golden, err := os.ReadFile("testdata/browser.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	settings := "GET /v1/projects/" + writeKey + "/settings"
	for delivery, want := range map[string]map[string]int{
		"standard": {
			settings: 1, "OPTIONS /v1/i": 1, "POST /v1/i": 1, "OPTIONS /v1/g": 1, "POST /v1/g": 1, "OPTIONS /v1/p": 1, "POST /v1/p": 1,
			"OPTIONS /v1/t": 1, "POST /v1/t": 4, "OPTIONS /v1/s": 1, "POST /v1/s": 1, "OPTIONS /v1/a": 1, "POST /v1/a": 1,
		},
		"batching": {settings: 1, "OPTIONS /v1/b": 1, "POST /v1/b": 1},
	} {
		t.Run(delivery, func(t *testing.T) {
			onBothBehindWire(t, func(t *testing.T, d deployment, wire *wire) {
				c := startBrowser(t, wire.server.URL, delivery)
				state, got := c.finish(t, d, 9)
				compareDump(t, string(golden), state)
				c.quiet(t)
				if diff := cmp.Diff(want, wire.counts()); diff != "" {
					t.Errorf("requests (-want +got):\n%s", diff)
				}
				if got.Duplicate != 0 {
					t.Errorf("%d calls came twice", got.Duplicate)
				}
			})
		})
	}
}

// steps are the features that a visitor uses on a page that goes.
var steps = []string{"Step 1", "Step 2", "Step 3", "Step 4", "Step 5"}

// expectSteps checks that each step is there once.
func expectSteps(t *testing.T, state string) {
	t.Helper()
	for _, want := range steps {
		if n := strings.Count(state, `"feature":"`+want+`","module":"Tour","userId":"u-1"`); n != 1 {
			t.Errorf("%s is there %d times in\n%s", want, n, state)
		}
	}
}

// TestSegmentsBrowserClientSendsWhatItHasWhenAPageGoes has a visitor leave a page in the moment in which calls were made on it.
func TestSegmentsBrowserClientSendsWhatItHasWhenAPageGoes(t *testing.T) {
	for _, way := range []string{"navigating", "reloading", "closing"} {
		t.Run(way, func(t *testing.T) {
			onBoth(t, func(t *testing.T, d deployment) {
				c := startBrowser(t, d.url(), way)
				state, _ := c.finish(t, d, 6)
				c.quiet(t)
				expectSteps(t, state)
			})
		})
	}
}

// TestSegmentsBrowserClientSendsAgainOnTheNextPage has a visitor go to another page of the site before the calls made on the first are
// answered, with standard delivery. The client breaks them off, and sends each again from there, with the same messageId and timestamp.
func TestSegmentsBrowserClientSendsAgainOnTheNextPage(t *testing.T) {
	onBothBehindWire(t, func(t *testing.T, d deployment, wire *wire) {
		wait := wire.lose(t, len(steps))
		c := startBrowser(t, wire.server.URL, "following")
		wait()
		c.tell("none is answered")
		state, got := c.finish(t, d, 6)
		c.quiet(t)
		expectSteps(t, state)
		if want := (book{Received: 11, Accepted: 6, Duplicate: 5}); got != want {
			t.Errorf("books %+v, want %+v", got, want)
		}
	})
}

// TestSegmentsBrowserClientIsOneVisitorInAllTabs has a visitor work in three tabs and load each again.
func TestSegmentsBrowserClientIsOneVisitorInAllTabs(t *testing.T) {
	onBoth(t, func(t *testing.T, d deployment) {
		c := startBrowser(t, d.url(), "tabs")
		state, _ := c.finish(t, d, 1+3*2*4)
		c.quiet(t)
		if n := strings.Count(state, `"kind":"session"`); n != 1 || !strings.Contains(state, `"anonymousId":"visitor"`) {
			t.Errorf("%d sessions, want the one of the visitor in\n%s", n, state)
		}
		if n := strings.Count(state, `"kind":"event"`); n != 24 {
			t.Errorf("%d uses, want 24", n)
		}
	})
}

// TestSegmentsBrowserClientOutlivesOutages takes one process after the other away while the page makes calls, until the browser has seen
// one fail, and brings it back.
func TestSegmentsBrowserClientOutlivesOutages(t *testing.T) {
	onBoth(t, func(t *testing.T, d deployment) {
		c := startBrowser(t, d.url(), "outage")
		c.until("ready")
		calls := 1
		for _, process := range d.processes() {
			d.down(process)
			c.tell("Without " + process)
			c.until("failed POST Without " + process)
			d.up(process)
			calls += 3
		}
		c.tell("no more")
		c.finish(t, d, calls)
		for _, line := range c.all("console ") {
			if strings.Contains(line, "CORS") && !strings.Contains(line, "net::ERR") {
				t.Errorf("an answer was kept from the page: %s", line)
			}
		}
	})
}

// TestRudderStacksBrowserClient drives Sojourn with @rudderstack/analytics-js in a page of another origin, call by call and by beacons. What
// the morning in browser/scenarios.mjs comes to was worked out by hand in testdata/rudderstack.ndjson.
func TestRudderStacksBrowserClient(t *testing.T) {
	golden, err := os.ReadFile("testdata/rudderstack.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	for scenario, want := range map[string]map[string]int{
		"rudder": {
			"GET /sourceConfig/": 1, "POST /v1/identify": 1, "POST /v1/group": 1, "POST /v1/page": 1, "POST /v1/track": 4, "POST /v1/alias": 1,
		},
		"beacon": {"GET /sourceConfig/": 1, "POST /beacon/v1/batch": 1},
	} {
		t.Run(scenario, func(t *testing.T) {
			onBothBehindWire(t, func(t *testing.T, d deployment, wire *wire) {
				c := startBrowser(t, wire.server.URL, scenario)
				state, got := c.finish(t, d, 8)
				compareDump(t, string(golden), state)
				c.quiet(t)
				if diff := cmp.Diff(want, wire.asked()); diff != "" {
					t.Errorf("requests (-want +got):\n%s", diff)
				}
				if got.Duplicate != 0 {
					t.Errorf("%d calls came twice", got.Duplicate)
				}
			})
		})
	}
}

// TestJitsusBrowserClient drives Sojourn with @jitsu/js in a page of another origin, with a key that holds a colon.
func TestJitsusBrowserClient(t *testing.T) {
	onBothBehindWire(t, func(t *testing.T, d deployment, wire *wire) {
		c := startBrowser(t, wire.server.URL, "jitsu")
		state, _ := c.finish(t, d, 5)
		c.quiet(t)
		want := map[string]int{"POST /api/s/identify": 1, "POST /api/s/group": 1, "POST /api/s/page": 1, "POST /api/s/track": 2}
		if diff := cmp.Diff(want, wire.asked()); diff != "" {
			t.Errorf("requests (-want +got):\n%s", diff)
		}
		for _, part := range []string{
			`"feature":"Invoice Created","module":"Billing","userId":"u-1","accountId":"initech"}`,
			`"feature":"Invoice Sent","module":"Billing","userId":"u-1","accountId":"initech"}`,
			`"userId":"u-1","traits":{"email":"peter@initech.example","first_name":"Peter"},"problems":[]}`,
			`"accountId":"initech","complete":true,"traits":{"createdAt":"2024-02-19T00:00:00.000Z","name":"Initech"}`,
			`"anonymousId":"visitor"`,
			`"source":"jitsu","type":"track","accepted":2,"rejected":0}`,
		} {
			if strings.Count(state, part) != 1 {
				t.Errorf("%s is not there once in\n%s", part, state)
			}
		}
	})
}
