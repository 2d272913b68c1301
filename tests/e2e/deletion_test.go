package e2e

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestOfADeletedUserNothingIsLeft(t *testing.T) {
	began := time.Now().Add(-48 * time.Hour).UTC().Truncate(time.Second)
	call := func(kind string, hours int, rest string) string {
		return fmt.Sprintf(`{"messageId":"%s%d","timestamp":%q,"userId":"canary-user","anonymousId":"canary-device"%s}`,
			kind, hours, began.Add(time.Duration(hours)*time.Hour).Format(time.RFC3339), rest)
	}
	onBoth(t, func(t *testing.T, d deployment) {
		post := func(path, body string) {
			t.Helper()
			if got := send(t, d, path, writeKey, body); got.status != 200 {
				t.Fatalf("%s answered %d %s", path, got.status, got.body)
			}
		}
		other := `{"messageId":"o","timestamp":"2026-11-01T12:00:00Z","userId":"other","anonymousId":"elsewhere","groupId":"acme","event":"E"}`
		post("/v1/track", other)
		before := func() {
			post("/v1/identify", call("i", 1, `,"groupId":"acme","traits":{"email":"canary@acme.test","nick":"canary"}`))
			post("/v1/track", call("t", 2, `,"event":"E","properties":{"module":"Billing"}`))
			post("/v1/group", call("g", 3, `,"groupId":"acme","traits":{"name":"Acme","createdAt":"2020-01-01"}`))
			wrong := func(path, body string) {
				if got := send(t, d, path, writeKey, body); got.status != 400 {
					t.Fatalf("%s answered %d %s", path, got.status, got.body)
				}
			}
			wrong("/v1/track", call("w", 2, `,"properties":{"email":"canary@acme.test"}`))
			wrong("/v1/track", `{"userId":"canary-user","traits":{"nick":"canary"}`)
			wrong("/v1/batch", `{"context":{"url":"https://acme.test/users/canary-user?canary"},"batch":[]}`)
		}
		before()
		post("/v1/delete", call("d", 4, ""))
		post("/v1/track", call("late", 2, `,"event":"E"`))
		before() // copies
		post("/v1/delete", call("d", 4, ""))
		for _, process := range d.processes() {
			d.kill(process)
		}
		left := dumpRunning(t, d)
		if strings.Contains(left, "canary") {
			t.Errorf("the dump still tells:\n%s", left)
		}
		if listed := sojourn(t, "rejected", "-json", "-url", d.url()); listed != "" {
			t.Errorf("rejected calls still tell:\n%s", listed)
		}
		if !strings.Contains(left, `"name":"Acme"`) {
			t.Errorf("what the user's call said of the account is gone:\n%s", left)
		}
		d.stop()
		sojourn(t, "compact", "-data", d.dir())
		sojourn(t, "verify", "-data", d.dir())
		err := filepath.WalkDir(d.dir(), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() {
				return err
			}
			content, err := os.ReadFile(path)
			if bytes.Contains(content, []byte("canary")) {
				t.Errorf("%s still holds the user", filepath.Base(path))
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
}

func TestTheAdminDeletesAUserAndIsToldWhatWasRemoved(t *testing.T) {
	onBoth(t, func(t *testing.T, d deployment) {
		body := `{"messageId":"m","timestamp":"2026-11-01T12:00:00Z","userId":"u","anonymousId":"s","groupId":"acme","event":"E"}`
		if got := send(t, d, "/v1/track", writeKey, body); got.status != 200 {
			t.Fatalf("answered %d", got.status)
		}
		remove := func() string {
			return sojourn(t, "delete-user", "-url", d.url(), "-workspace", "default", "-user", "u")
		}
		if got, want := remove(), "removed: 1 users, 1 links, 1 events, 1 points, 1 sessions, "; !strings.HasPrefix(got, want) {
			t.Errorf("said %q, want %q", got, want)
		}
		if got, want := remove(), "removed: 0 users, 0 links, 0 events, 0 points, 0 sessions, 0 changes\n"; got != want {
			t.Errorf("the second time it said %q, want %q", got, want)
		}
	})
}

// sojourn runs a command and returns what it printed.
func sojourn(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command(filepath.Join(binaries, "sojourn"), args...)
	cmd.Env = append(os.Environ(), "SOJOURN_ADMIN_TOKEN="+adminToken, "SOJOURN_QUERY_TOKEN="+queryToken)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("sojourn %v: %v: %s", args, err, out)
	}
	return string(out)
}
