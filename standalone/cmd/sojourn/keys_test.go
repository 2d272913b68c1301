package main

import (
	"bytes"
	"context"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn/gateway"
	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/internal/kit/rpc/rpctest"

	"github.com/sojournhq/sojourn/standalone/internal/setup"
)

func TestANewKeyIsPrintedWithTheHashThatStandsForIt(t *testing.T) {
	for kind, list := range map[string]string{"write": "write_keys", "query": "query_tokens", "admin": "admin_tokens"} {
		var stdout, stderr bytes.Buffer
		if code := run(t.Context(), []string{"new-key", kind}, &stdout, &stderr); code != 0 {
			t.Fatalf("exit code %d: %s", code, &stderr)
		}
		lines := strings.Split(strings.TrimSpace(stdout.String()), "\n")
		if len(lines) != 2 || !strings.HasPrefix(lines[0], kind+"_") || lines[1] != workspace.NewSecret(lines[0]).Hashed() {
			t.Errorf("printed %q", lines)
		}
		if !strings.Contains(stderr.String(), list) || strings.Contains(stderr.String(), lines[0]) {
			t.Errorf("said %s", &stderr)
		}
	}
	for _, args := range [][]string{{"new-key"}, {"new-key", "write", "query"}, {"new-key", "read"}} {
		var out bytes.Buffer
		if code := run(t.Context(), args, &out, &out); code != 1 || !strings.Contains(out.String(), "write, query or admin") {
			t.Errorf("%q: exit code %d, %s", args, code, &out)
		}
	}
}

// greetings starts a sojourn in dir and returns what it says until it is ready.
func greetings(t *testing.T, dir string) string {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out, stderr := lines{left: 1, interrupt: stop}, bytes.Buffer{} // it is one write
	args := []string{"-data", dir, "-listen", "127.0.0.1:0", "-admin-listen", "127.0.0.1:0"}
	if code := run(ctx, args, &out, &stderr); code != 0 {
		t.Fatalf("exit code %d: %s", code, &stderr)
	}
	return out.String()
}

func TestTheFirstKeysAreShownAtEveryStartUntilTheirFileIsDeleted(t *testing.T) {
	dir := t.TempDir()
	keys := regexp.MustCompile(`(write|query)_[A-Z2-7]{26}`)
	first, second := keys.FindAllString(greetings(t, dir), -1), keys.FindAllString(greetings(t, dir), -1)
	if len(first) != 2 || strings.Join(first, " ") != strings.Join(second, " ") {
		t.Errorf("first %q, then %q", first, second)
	}
	if err := os.Remove(filepath.Join(dir, setup.KeysFile)); err != nil {
		t.Fatal(err)
	}
	third := greetings(t, dir)
	if keys.MatchString(third) || !strings.Contains(third, "curl -u WRITE_KEY:") || !strings.Contains(third, "sojourn new-key write") ||
		!strings.Contains(third, filepath.Join(dir, setup.File)) {
		t.Errorf("without the file: %s", third)
	}
}

func TestADemoTakesTheKeyOfTheEnvironmentOrTheFirst(t *testing.T) {
	dir := t.TempDir()
	config, err := setup.Workspaces(dir)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := setup.FirstKeys(dir, config)
	if err != nil {
		t.Fatal(err)
	}
	var got string
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got, _, _ = r.BasicAuth()
		http.Error(w, `{"message":"enough"}`, http.StatusBadRequest)
	}))
	defer server.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, certificate(server), 0o600); err != nil {
		t.Fatal(err)
	}
	for given, want := range map[string]string{"": keys.WriteKey, "given-key": "given-key"} {
		t.Setenv(writeKeyVariable, given)
		var out bytes.Buffer
		if code := run(t.Context(), []string{"demo", "-data", dir, "-url", server.URL, "-ca", ca}, &out, &out); code != 1 || got != want {
			t.Errorf("exit code %d, key %q, want %q; %s", code, got, want, &out)
		}
	}
	t.Setenv(writeKeyVariable, "given-key")
	var out bytes.Buffer
	if code := run(t.Context(), []string{"demo", "-url", server.URL}, &out, &out); code != 1 || !strings.Contains(out.String(), "certificate") {
		t.Errorf("without -ca: exit code %d, %s", code, &out)
	}
}

func TestACommandReachesAGatewayBehindACertificateOfOnesOwn(t *testing.T) {
	conn, _ := rpctest.Serve(t, services{})
	g, err := gateway.Open(t.Context(), gateway.Config{Workspaces: &workspace.Config{AdminTokens: workspace.NewSecrets("the-admin-token-0")}},
		gateway.Backends{Identity: conn, Events: conn, Sessions: conn}, observe.Discard())
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(g.Handler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, certificate(server), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv(adminTokenVariable, "the-admin-token-0")
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"with it":    {[]string{"-ca", ca}, "7 points walked"},
		"without":    {nil, "certificate"},
		"no file":    {[]string{"-ca", ca + "2"}, "-ca: stat"},
		"half a one": {[]string{"-ca", ca, "-cert", ca}, "-cert and -key go together"},
	} {
		var out bytes.Buffer
		run(t.Context(), append([]string{"rebuild", "-url", server.URL}, c.args...), &out, &out)
		if !strings.Contains(out.String(), c.says) {
			t.Errorf("%s: %s", name, &out)
		}
	}
}

func TestACheckNamesTheProblemsOfTLSAndOfTheWorkspaces(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, setup.File), []byte("workspaces: [{id: default, query_tokens: [tiny]}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	code := run(t.Context(), []string{"-check", "-data", dir, "-tls-cert", filepath.Join(dir, "missing.pem"), "-tls-key", filepath.Join(dir, "m.key")}, &out, &out)
	for _, want := range []string{"missing.pem", "m.key", "query_tokens[0]: shorter"} {
		if code != 1 || !strings.Contains(out.String(), want) {
			t.Errorf("exit code %d, %q is not named: %s", code, want, &out)
		}
	}
}

// certificate is that of a test's server, in PEM.
func certificate(server *httptest.Server) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
}
