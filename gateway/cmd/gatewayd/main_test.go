package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestEveryMissingSettingIsNamedAtOnce(t *testing.T) {
	var stderr bytes.Buffer
	args := []string{"-deadline", "0s", "-max-batch-bytes", "1", "-max-delivery-bytes", "1", "-max-requests", "-1"}
	if code := run(t.Context(), args, &stderr); code != 2 {
		t.Errorf("exit code %d, want 2", code)
	}
	for _, want := range []string{
		"-workspaces", "-identity", "-events", "-sessions", "-deadline", "-max-batch-bytes", "-max-delivery-bytes", "-max-requests",
	} {
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("%s is not named:\n%s", want, &stderr)
		}
	}
}

func TestHelpIsNoFailure(t *testing.T) {
	var stderr bytes.Buffer
	if code := run(t.Context(), []string{"-h"}, &stderr); code != 0 || !strings.Contains(stderr.String(), "-admin-listen") {
		t.Errorf("exit code %d, output %s", code, &stderr)
	}
}

func TestAWorkspacesFileThatCannotBeReadStopsTheStart(t *testing.T) {
	var stderr bytes.Buffer
	code := run(t.Context(), arguments(filepath.Join(t.TempDir(), "missing.yaml")), &stderr)
	if code != 1 || !strings.Contains(stderr.String(), "missing.yaml") {
		t.Errorf("exit code %d, output %s", code, &stderr)
	}
}

func TestACheckNamesEveryProblemOfTheFilesAtOnceAndServesNothing(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	args := append(arguments(missing+".yaml"), "-check")
	var stderr bytes.Buffer
	code := run(t.Context(), append(args, "-tls-cert", missing+".pem", "-tls-key", missing+".key", "-backend-tls-cert", missing+"-client.pem",
		"-backend-tls-ca", missing+"-ca.pem", "-service-token-file", missing+".token"), &stderr)
	for _, want := range []string{
		"missing.yaml", "-tls-cert", "missing.pem", "missing.key", "-backend-tls-cert and -backend-tls-key go together", "missing-ca.pem",
		"-service-token-file", "missing.token",
	} {
		if code != 2 || !strings.Contains(stderr.String(), want) {
			t.Errorf("exit code %d, %q is not named:\n%s", code, want, &stderr)
		}
	}
	file := filepath.Join(t.TempDir(), "workspaces.yaml")
	if err := os.WriteFile(file, []byte("workspaces: [{id: acme}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	stderr.Reset()
	if code := run(t.Context(), append(arguments(file), "-check"), &stderr); code != 0 || !strings.Contains(stderr.String(), "is good") {
		t.Errorf("exit code %d: %s", code, &stderr)
	}
}

// arguments are those of a gateway whose services are not there.
func arguments(workspaces string) []string {
	return []string{
		"-listen", "127.0.0.1:0", "-admin-listen", "127.0.0.1:0", "-workspaces", workspaces,
		"-identity", "passthrough:///127.0.0.1:1", "-events", "passthrough:///127.0.0.1:1", "-sessions", "passthrough:///127.0.0.1:1",
	}
}

func TestTheDaemonServesUntilItIsAskedToStopAndIsReadyOnlyWithItsServices(t *testing.T) {
	file := filepath.Join(t.TempDir(), "workspaces.yaml")
	if err := os.WriteFile(file, []byte(`
workspaces:
  - id: acme
    query_tokens: [query-token-000000]
    sources: [{id: web, write_keys: [write-key-00000000]}]
`), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	log, stderr := io.Pipe()
	exit := make(chan int, 1)
	go func() {
		exit <- run(ctx, arguments(file), stderr)
		_ = stderr.Close()
	}()
	lines := bufio.NewScanner(log)
	var ready struct{ Msg, HTTP, Admin string }
	if !lines.Scan() {
		t.Fatal("no log line")
	}
	if err := json.Unmarshal(lines.Bytes(), &ready); err != nil || ready.Msg != "ready" {
		t.Fatalf("first log line %s, error %v", lines.Bytes(), err)
	}
	go func() { _, _ = io.Copy(io.Discard, log) }() // ends when the daemon closes its end
	for url, want := range map[string]int{
		ready.Admin + "/livez": 200, ready.Admin + "/readyz": 503, ready.Admin + "/metrics": 200, ready.HTTP + "/v1/track": 405,
	} {
		if got := status(t, "http://"+url); got != want {
			t.Errorf("%s answers %d, want %d", url, got, want)
		}
	}
	stop()
	if code := <-exit; code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func status(t *testing.T, url string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode
}
