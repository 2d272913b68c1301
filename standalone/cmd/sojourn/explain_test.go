package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn/gateway"
)

const explainWorkspaces = `
workspaces:
  - id: acme
    sources:
      - id: web
        write_keys: [write-key-000000000000]
        mapping:
          module: [context.area]
      - {id: app, write_keys: [write-key-000000000001]}
  - id: globex
    sources: [{id: web, write_keys: [write-key-000000000002]}]
`

func TestExplainReadsACallAsItsSourceWouldTakeIt(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	file := write("workspaces.yaml", explainWorkspaces)
	other := write("other.yaml", strings.ReplaceAll(explainWorkspaces, "context.area", "nowhere"))
	call := write("call.json", `{"type":"track","messageId":"m","timestamp":"2026-11-24T11:00:00Z","anonymousId":"s","userId":"u","event":"E",
		"context":{"area":"Billing"},"properties":{"module":"Reports"}}`)
	for name, c := range map[string]struct {
		args []string
		code int
		says string
	}{
		"a source's mapping":      {[]string{call, "--source", "web", "-workspace", "acme", "-data", dir}, 0, "Billing (context.area, by mapping.module[0])"},
		"flags before the file":   {[]string{"-source", "app", "-data", dir, call}, 0, "Reports (properties.module)"},
		"a workspace of its own":  {[]string{call, "-source", "web", "-workspace", "globex", "-data", dir}, 0, "Reports (properties.module)"},
		"a file that is not used": {[]string{call, "-source", "web", "-workspace", "acme", "-workspaces", other}, 0, "module      none"},
		"the type of the path":    {[]string{call, "-source", "app", "-data", dir, "-type", "page"}, 0, "type differs from the path of the request"},
		"a source of two":         {[]string{call, "-source", "web", "-workspaces", file}, 1, "2 sources in"},
		"no such source":          {[]string{call, "-source", "api", "-workspaces", file}, 1, "no such source"},
		"no such type":            {[]string{call, "-source", "app", "-workspaces", file, "-type", "erase"}, 1, "-type is not"},
		"no file":                 {[]string{"-source", "app", "-workspaces", file}, 1, "say which file"},
		"two files":               {[]string{call, "-source", "app", "-workspaces", file, call}, 1, "one too many"},
		"a file that is missing":  {[]string{"missing.json", "-source", "app", "-workspaces", file}, 1, "missing.json"},
		"no workspaces file":      {[]string{call, "-data", filepath.Join(dir, "none")}, 1, "none"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if code := run(t.Context(), append([]string{"explain"}, c.args...), &out, &out); code != c.code || !strings.Contains(out.String(), c.says) {
				t.Errorf("exit code %d, want %d; it said %q, want %q", code, c.code, out.String(), c.says)
			}
		})
	}
	var out, stderr bytes.Buffer
	if code := run(t.Context(), []string{"explain", call, "-source", "web", "-workspace", "acme", "-data", dir, "-json"}, &out, &stderr); code != 0 {
		t.Fatalf("exit code %d: %s", code, &stderr)
	}
	var got gateway.Explained
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if want := (gateway.Found{Value: "Billing", Path: "context.area", Rule: "module[0]"}); len(got.Calls) != 1 || got.Calls[0].Module != want {
		t.Errorf("explained as %+v", got)
	}
}

func TestExplainReadsStandardInput(t *testing.T) {
	file := filepath.Join(t.TempDir(), "workspaces.yaml")
	if err := os.WriteFile(file, []byte(explainWorkspaces), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	c := explainCommand(strings.NewReader(`[{"type":"x"},{"type":"track"}]`), &out, &out)
	if err := c.ParseAndRun(t.Context(), []string{"-", "-source", "app", "-workspaces", file}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "call 2 of 2") || !strings.Contains(out.String(), "(type_unsupported)") {
		t.Errorf("it said %s", &out)
	}
}
