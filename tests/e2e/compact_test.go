package e2e

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// dataFiles are compacted in this order.
var dataFiles = []string{"identity.db", "events.db", "sessions.db"}

// TestARunningSojournIsCompactedUnderLoad has the files of a deployment that takes calls written anew twice, and looks whether everything is
// there that was answered, and nothing else.
func TestARunningSojournIsCompactedUnderLoad(t *testing.T) {
	onBoth(t, func(t *testing.T, d deployment) {
		if got := send(t, d, "/v1/batch", writeKey, history(1500)); got.status != http.StatusOK {
			t.Fatalf("answered %d %s", got.status, got.body)
		}
		sojourn(t, "delete-user", "-url", d.url(), "-workspace", "default", "-user", "u7")
		load := startLongLoad(d)
		load.waitFor(200)
		for range 2 { // what was compacted can be compacted again
			before := filesOf(t, d)
			printed := strings.Split(strings.TrimSpace(sojourn(t, "compact", "-url", d.url())), "\n")
			for i, after := range filesOf(t, d) {
				if want := dataFiles[i] + ": "; len(printed) != len(dataFiles) || !strings.HasPrefix(printed[i], want) {
					t.Fatalf("printed %q, want a line with %s", printed, want)
				}
				if os.SameFile(before[i], after) {
					t.Errorf("%s is the file that it was", dataFiles[i])
				}
			}
			load.waitFor(len(load.answered()) + 100) // it goes on behind that
		}
		load.stop()
		whole := dumpRunning(t, d)
		for id := range load.answered() {
			if got := strings.Count(whole, fmt.Sprintf(`"messageId":"%s"`, id)); got != 1 {
				t.Errorf("%s was answered and is there %d times", id, got)
			}
		}
		d.stop()
		compareDump(t, whole, dumpStopped(t, d))
		sojourn(t, "verify", "-data", d.dir())
		if left, err := filepath.Glob(filepath.Join(d.dir(), "*.compacting")); err != nil || len(left) > 0 {
			t.Errorf("left %v, %v", left, err)
		}
	})
}

// filesOf says of a deployment's data files which they are.
func filesOf(t *testing.T, d deployment) (files []os.FileInfo) {
	t.Helper()
	for _, name := range dataFiles {
		info, err := os.Stat(filepath.Join(d.dir(), name))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, info)
	}
	return files
}
