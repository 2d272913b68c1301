package explain_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sojournhq/sojourn/gateway"
	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/standalone/internal/explain"
)

// example is a mapping or what a source ignores, a call, and what becomes of it.
var example = regexp.MustCompile("(?s)```yaml\n(.*?)\n```\n\n```json\n(.*?)\n```\n\n```text\n(.*?)\n```\n")

func TestTheExamplesOfThePageAreTrue(t *testing.T) {
	const file = "../../../docs/mapping.md"
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	examples := example.FindAllStringSubmatch(string(page), -1)
	if n := strings.Count(string(page), "\n### "); n == 0 || len(examples) != n {
		t.Fatalf("%d examples under %d headings", len(examples), n)
	}
	fixed := string(page)
	for _, e := range examples {
		got := explained(t, source(t, e[1]), e[2])
		if diff := cmp.Diff(e[3], got); diff != "" {
			t.Errorf("%s\n%s", e[1], diff)
		}
		fixed = strings.Replace(fixed, e[0], strings.Replace(e[0], "```text\n"+e[3], "```text\n"+got, 1), 1)
	}
	if os.Getenv("UPDATE_DOCS") != "" {
		if err := os.WriteFile(file, []byte(fixed), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// source returns a source with a mapping, or with what it ignores.
func source(t *testing.T, rules string) *workspace.Source {
	t.Helper()
	if !strings.HasPrefix(rules, "ignore:") {
		rules = "mapping:\n  " + strings.ReplaceAll(rules, "\n", "\n  ")
	}
	c, err := workspace.Parse([]byte(`
workspaces:
  - id: acme
    dimensions: [{name: Plan, type: string, from: [group.plan]}]
    sources:
      - id: web
        write_keys: [write-key-000000000000]
        ` + strings.ReplaceAll(rules, "\n", "\n        ")))
	if err != nil {
		t.Fatal(err)
	}
	return &c.Workspaces[0].Sources[0]
}

// explained returns what is printed of a body that arrives at noon.
func explained(t *testing.T, s *workspace.Source, body string) string {
	t.Helper()
	var out strings.Builder
	e := gateway.Explain([]byte(body), gateway.Explanation{Source: s, Received: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)})
	if err := explain.Write(&out, &e); err != nil {
		t.Fatal(err)
	}
	return strings.TrimRight(out.String(), "\n")
}
