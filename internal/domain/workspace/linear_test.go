package workspace_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/internal/domain/workspace/workspacetest"
)

// times returns a text for each of the numbers below n, which stands in it for every %d.
func times(n int, text string) string {
	var all strings.Builder
	for i := range n {
		all.WriteString(strings.ReplaceAll(text, "%d", fmt.Sprintf("%016d", i)))
	}
	return all.String()
}

func TestReadingAFileIsWorkInProportionToItsLength(t *testing.T) {
	const source = "workspaces: [{id: a, sources: [{id: web, "
	for name, c := range map[string]struct {
		text     func(n int) string
		problems func(n int) int
	}{
		"workspaces": {func(n int) string { return string(workspacetest.Many(n)) }, func(int) int { return 0 }},
		"workspaces with problems": {
			func(n int) string {
				return string(bytes.ReplaceAll(workspacetest.Many(n), []byte("[properties.area]"), []byte("[properties..area]")))
			},
			func(n int) int { return n },
		},
		"workspaces of a wrong shape": {
			func(n int) string {
				return string(bytes.ReplaceAll(workspacetest.Many(n), []byte("session_timeout: 45m"), []byte("session_timeout: [45m]")))
			},
			func(n int) int { return n },
		},
		"sources of one workspace": {
			func(n int) string {
				return "workspaces: [{id: a, sources: [" + times(n, "{id: s%d, write_keys: [write-key-%d]}, ") + "]}]"
			},
			func(int) int { return 0 },
		},
		"dimensions that nobody fills": {
			func(n int) string {
				return source + "write_keys: [write-key-0000000]}], dimensions: [" + times(n, "{name: d%d, type: date}, ") + "]}]"
			},
			func(n int) int { return n },
		},
		"dimensions that there are not": {
			func(n int) string {
				return source + "write_keys: [write-key-0000000], mapping: {dimensions: {" + times(n, "d%d: [a], ") + "}}}]}]"
			},
			func(n int) int { return n },
		},
		"keys of one source, each twice": {
			func(n int) string {
				return source + "write_keys: [" + times(n, "write-key-%d, 'write-key-%d', ") + "]}]}]"
			},
			func(n int) int { return n },
		},
		"shared secrets of one source": {
			func(n int) string {
				return source + "write_keys: [write-key-0000000], shared_secrets: [" + times(n, "shared-%d, ") + "]}]}]"
			},
			func(int) int { return 0 },
		},
		"unknown fields": {
			func(n int) string { return source + "write_keys: [write-key-0000000]}]}]\n" + times(n, "a%d: b\n") },
			func(n int) int { return n },
		},
	} {
		t.Run(name, func(t *testing.T) {
			workspacetest.Linear(t, 50, func(n int) {
				_, err := workspace.Parse([]byte(c.text(n)))
				found := 0
				if err != nil {
					found = 1 + strings.Count(err.Error(), "\n")
				}
				if want := c.problems(n); found != want {
					t.Fatalf("%d problems, want %d: %.1000v", found, want, err)
				}
			})
		})
	}
}
