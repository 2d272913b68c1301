package e2e

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func export(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command(filepath.Join(binaries, "sojourn"), append([]string{"export"}, args...)...)
	cmd.Env = append(os.Environ(), "SOJOURN_QUERY_TOKEN="+queryToken)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("export %v: %v: %s", args, err, stderr.String())
	}
	return string(out)
}

// objects decodes lines of JSON.
func objects(t *testing.T, lines string) (all []any) {
	t.Helper()
	for line := range strings.Lines(lines) {
		var object any
		if err := json.Unmarshal([]byte(line), &object); err != nil {
			t.Fatal(err)
		}
		all = append(all, object)
	}
	return all
}

// exportedOnly are the keys that lines of an export have beside those of a dump.
var exportedOnly = map[string][]string{
	"sessions": {"id"}, "accounts": {"activeUsers", "lastSeenDay", "durationMs", "activeMs"},
}

// without returns objects without some keys, which each of them must have.
func without(all []any, names []string) []any {
	for _, object := range all {
		for _, name := range names {
			if members := object.(map[string]any); members[name] != nil {
				delete(members, name)
			} else {
				members[name] = "missing"
			}
		}
	}
	return all
}

func TestAnExportIsTheSameRunningAndStoppedAndHasTheLinesOfADump(t *testing.T) {
	onBoth(t, func(t *testing.T, d deployment) {
		for _, call := range posted {
			send(t, d, call.path, writeKey, call.body)
		}
		state, running := dumpRunning(t, d), map[string]string{}
		tables := map[string]string{"users": "", "accounts": "account", "sessions": "session", "events": "event", "usage": ""}
		for table, kind := range tables {
			for _, format := range []string{"csv", "ndjson"} {
				running[table+format] = export(t, table, "-url", d.url(), "-format", format)
			}
			records, err := csv.NewReader(strings.NewReader(running[table+"csv"])).ReadAll()
			if lines := strings.Count(running[table+"ndjson"], "\n"); err != nil || lines == 0 || len(records) != lines+1 {
				t.Errorf("%s: %d records for %d lines, %v", table, len(records), lines, err)
			}
			if kind == "" {
				continue
			}
			var want strings.Builder
			for line := range strings.Lines(state) {
				if strings.HasPrefix(line, `{"kind":"`+kind+`","workspace":"default"`) {
					want.WriteString(line)
				}
			}
			if diff := cmp.Diff(objects(t, want.String()), without(objects(t, running[table+"ndjson"]), exportedOnly[table])); diff != "" {
				t.Errorf("%s (-dump +export):\n%s", table, diff)
			}
		}
		d.stop()
		for table := range tables {
			for _, format := range []string{"csv", "ndjson"} {
				if diff := cmp.Diff(running[table+format], export(t, table, "-data", d.dir(), "-format", format)); diff != "" {
					t.Errorf("%s as %s (-running +stopped):\n%s", table, format, diff)
				}
			}
		}
	})
}
