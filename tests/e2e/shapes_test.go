package e2e

import (
	"crypto/sha256"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// posted are calls in the shapes in which Segment delivers them to a destination and clients send them, with everything around the
// fields that count. They come out of order on purpose.
var posted = []struct{ path, body string }{
	// A classic webhook: version 1, no messageId, no receivedAt, context and integrations that are not objects.
	{"/v1/segment", `{"version":1,"type":"track","userId":"ada","anonymousId":"s1","groupId":"acme","event":"Invoice Sent",
		"properties":{"module":"Billing","revenue":"39.95"},"context":[],"integrations":[],
		"originalTimestamp":"2026-11-02T09:12:00.000Z","timestamp":"2026-11-02T09:12:00.000Z"}`},
	// The partner form of a track call: corrected timestamp a few milliseconds beside the original, account in the context.
	{"/v1/segment", `{"type":"track","event":"Invoice Created","properties":{"plan":"Pro","module":"Billing"},"anonymousId":"s1","userId":"ada",
		"context":{"ip":"10.0.0.1","groupId":"acme","library":{"name":"analytics.js","version":"3.8.2"},"page":{"path":"/","title":"x"}},
		"integrations":{},"messageId":"ajs-1","projectId":"p","channel":"client","version":2,"sentAt":"2026-11-02T09:02:00.001Z",
		"originalTimestamp":"2026-11-02T09:02:00.000Z","receivedAt":"2026-11-02T09:02:00.024Z","timestamp":"2026-11-02T09:02:00.023Z",
		"_metadata":{"bundled":["Segment.io"],"unbundled":[]}}`},
	{"/v1/segment", `{"type":"identify","traits":{"firstName":"Ada","last_name":"Lovelace","email":"ada@acme.example","address":{"city":"London","postalCode":"W1"}},
		"anonymousId":"s1","userId":"ada","context":{},"integrations":{},"messageId":"ajs-2","version":"1.1",
		"originalTimestamp":"2026-11-02T09:00:00.000Z","timestamp":"2026-11-02T09:00:00.000Z"}`},
	// A group call: numbers as numbers, a key with a space, a tier that the settings name, a stage that they do not.
	{"/v1/segment", `{"type":"group","groupId":"acme","traits":{"name":"Acme","employees":329,"industry":"Tools","plan":"x","tier":"gold",
		"lifecycleStage":"dreaming","total billed":830,"createdAt":"2020-01-31T08:00:00Z"},"anonymousId":"s1","userId":"ada","context":{},
		"messageId":"ajs-3","version":2,"originalTimestamp":"2026-11-02T09:00:01.000Z","timestamp":"2026-11-02T09:00:01.000Z"}`},
	{"/v1/segment", `{"type":"page","name":"Home","category":null,"properties":{"name":"Home","path":"/","referrer":"","title":"","url":"/"},
		"anonymousId":"s1","userId":"ada","context":{},"messageId":"ajs-4","version":2,
		"originalTimestamp":"2026-11-02T09:32:00.000Z","timestamp":"2026-11-02T09:32:00.000Z"}`},
	// A screen on another device, of a user whose account is known from other calls only.
	{"/v1/segment", `{"type":"screen","name":"Inbox","properties":{},"anonymousId":"phone","userId":"ada","context":{"app":{"name":"x"},"os":{"name":"iOS"}},
		"messageId":"ios-1","version":2,"originalTimestamp":"2026-11-02T20:00:00.000Z","timestamp":"2026-11-02T20:00:00.000Z"}`},
	// Two ids are one person: bob's calls belong to acme from now on, those before too.
	{"/v1/track", `{"userId":"bob","anonymousId":"s2","event":"Report Built","messageId":"b1","timestamp":"2026-11-01T10:00:00Z"}`},
	{"/v1/segment", `{"type":"alias","previousId":"bob","userId":"ada","messageId":"ajs-5","context":{},
		"originalTimestamp":"2026-11-02T12:00:00.000Z","timestamp":"2026-11-02T12:00:00.000Z"}`},
	// A client that talks to us directly, from the batch of an SDK; one of its calls is wrong.
	{"/v1/batch", `{"batch":[
		{"type":"track","userId":12345,"anonymousId":"s3","event":"Report Built","properties":{"module":"Reports"},"messageId":"n1","timestamp":"2026-11-03T23:50:00Z"},
		{"type":"track","userId":"12345","anonymousId":"s3","messageId":"n2","timestamp":"2026-11-03T23:51:00Z"},
		{"type":"track","userId":"12345","anonymousId":"s3","event":"Report Built","messageId":"n3","timestamp":"2026-11-04T00:04:00Z"}
	],"sentAt":null,"context":{"library":{"name":"x"}}}`},
}

func TestCallsInSegmentsShapesGiveTheStateThatAPersonWouldWorkOut(t *testing.T) {
	golden, err := os.ReadFile("testdata/shapes.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	onBoth(t, func(t *testing.T, d deployment) {
		post := func() {
			for _, call := range posted {
				if got := send(t, d, call.path, writeKey, call.body); got.status != http.StatusOK {
					t.Errorf("%s: %+v", call.body, got)
				}
			}
		}
		post()
		compareDump(t, string(golden), dumpRunning(t, d))
		for _, process := range d.processes() {
			d.kill(process)
		}
		post() // every call once more changes nothing
		compareDump(t, string(golden), dumpRunning(t, d))
		d.stop()
		compareDump(t, string(golden), dumpStopped(t, d))
	})
}

func TestDumpReadsAndChangesNothing(t *testing.T) {
	d := startStandalone(t, newDir(t))
	send(t, d, posted[0].path, writeKey, posted[0].body)
	d.stop()
	before := contents(t, d.dir())
	dumpStopped(t, d)
	if diff := cmp.Diff(before, contents(t, d.dir())); diff != "" {
		t.Errorf("files changed:\n%s", diff)
	}
	empty := t.TempDir()
	if out, err := exec.Command(filepath.Join(binaries, "sojourn"), "dump", "-data", empty).CombinedOutput(); err == nil {
		t.Errorf("a dump of nothing succeeded: %s", out)
	}
	if files := contents(t, empty); len(files) != 0 {
		t.Errorf("a dump of nothing left %d files", len(files))
	}
}

// contents returns a hash of each file in a directory.
func contents(t *testing.T, dir string) map[string][32]byte {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	hashes := map[string][32]byte{}
	for _, entry := range entries {
		text, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		hashes[entry.Name()] = sha256.Sum256(text)
	}
	return hashes
}

func compareDump(t *testing.T, want, got string) {
	t.Helper()
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("dump (-want +got):\n%s", diff)
	}
}
