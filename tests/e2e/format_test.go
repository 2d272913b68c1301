package e2e

import (
	"flag"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

var recordFormat = flag.String("record-format", "", "store what TestFilesOfEveryFormatSoFarAreRead begins with in testdata/formats/NAME")

// TestFilesOfEveryFormatSoFarAreRead restores backups that were taken when each format was new, and expects of them what was dumped then.
// When a format is made, record it: go test ./tests/e2e -run FilesOfEvery -record-format NAME.
func TestFilesOfEveryFormatSoFarAreRead(t *testing.T) {
	if *recordFormat != "" {
		record(t, filepath.Join("testdata", "formats", *recordFormat))
	}
	formats, err := filepath.Glob("testdata/formats/*")
	if err != nil || len(formats) == 0 {
		t.Fatalf("there are no formats: %v", err)
	}
	for _, format := range formats {
		t.Run(filepath.Base(format), func(t *testing.T) {
			dir := newDir(t)
			sojourn(t, "restore", "-from", format, "-data", dir)
			d := startStandalone(t, dir) // which upgrades what has to be
			golden, err := os.ReadFile(filepath.Join(format, "dump.ndjson"))
			if err != nil {
				t.Fatal(err)
			}
			compareDump(t, string(golden), dumpRunning(t, d))
			fill(t, d) // it knows what it was sent before
			compareDump(t, string(golden), dumpRunning(t, d))
			d.stop()
			sojourn(t, "verify", "-data", dir)
			compareDump(t, string(golden), dumpStopped(t, d))
		})
	}
}

// fill sends calls of all types, with a user who is deleted among them.
func fill(t *testing.T, d deployment) {
	t.Helper()
	calls := slices.Concat(posted, []struct{ path, body string }{
		{"/v1/track", `{"messageId":"x1","timestamp":"2026-11-02T08:00:00Z","userId":"gone","anonymousId":"s4","groupId":"acme","event":"E"}`},
		{"/v1/delete", `{"messageId":"x2","timestamp":"2026-11-03T08:00:00Z","userId":"gone","anonymousId":"s4"}`},
	})
	for _, call := range calls {
		if got := send(t, d, call.path, writeKey, call.body); got.status != http.StatusOK {
			t.Errorf("%s: %+v", call.body, got)
		}
	}
}

func record(t *testing.T, to string) {
	t.Helper()
	d := startStandalone(t, newDir(t))
	fill(t, d)
	backups := t.TempDir()
	sojourn(t, "backup", "-url", d.url(), "-out", backups)
	taken, err := filepath.Glob(filepath.Join(backups, "*"))
	if err != nil || len(taken) != 1 {
		t.Fatalf("backups are %q, %v", taken, err)
	}
	if err := os.CopyFS(to, os.DirFS(taken[0])); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(to, "dump.ndjson"), []byte(dumpRunning(t, d)), 0o600); err != nil {
		t.Fatal(err)
	}
}
