package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sojournhq/sojourn/gateway"
	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/internal/kit/rpc/rpctest"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	segmentv1 "github.com/sojournhq/sojourn/proto/sojourn/segment/v1"
	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"

	"github.com/sojournhq/sojourn/standalone"
	"github.com/sojournhq/sojourn/standalone/internal/setup"
)

// services has a feed of three changes, and one workspace, which is rebuilt at once.
type services struct {
	sessionsv1.UnimplementedQueryServiceServer
	sessionsv1.UnimplementedAdminServiceServer
}

// names is the part of identity that tells of the workspace.
type names struct {
	identityv1.UnimplementedQueryServiceServer
}

func (services) WatchSessions(r *sessionsv1.WatchSessionsRequest, to grpc.ServerStreamingServer[sessionsv1.WatchSessionsResponse]) error {
	last := 0
	if r.GetCursor() != "" {
		var err error
		if last, err = strconv.Atoi(r.GetCursor()); err != nil {
			return status.Error(codes.InvalidArgument, "cursor is not one of a feed")
		}
	}
	if r.GetFromNow() {
		last = 2
	}
	for i := last + 1; i <= 3; i++ {
		if err := to.Send(&sessionsv1.WatchSessionsResponse{Cursor: strconv.Itoa(i), Session: &sessionsv1.Session{UserId: r.GetWorkspace()}}); err != nil {
			return err
		}
	}
	<-to.Context().Done()
	return to.Context().Err()
}

func (names) ListWorkspaces(context.Context, *identityv1.ListWorkspacesRequest) (*identityv1.ListWorkspacesResponse, error) {
	return &identityv1.ListWorkspacesResponse{Workspaces: []string{"default"}}, nil
}

func (services) RebuildSessions(context.Context, *sessionsv1.RebuildSessionsRequest) (*sessionsv1.RebuildSessionsResponse, error) {
	return &sessionsv1.RebuildSessionsResponse{Points: 7}, nil
}

func (s services) Register(r grpc.ServiceRegistrar) {
	identityv1.RegisterQueryServiceServer(r, names{})
	sessionsv1.RegisterQueryServiceServer(r, s)
	sessionsv1.RegisterAdminServiceServer(r, s)
}

func (services) Close() error { return nil }

// running is a sojourn that runs, with those services.
func running(t *testing.T) (url, dir string, keys setup.Keys) {
	t.Helper()
	dir = t.TempDir()
	config, err := setup.Workspaces(dir)
	if err != nil {
		t.Fatal(err)
	}
	if keys, err = setup.FirstKeys(dir, config); err != nil {
		t.Fatal(err)
	}
	conn, _ := rpctest.Serve(t, services{})
	g, err := gateway.Open(t.Context(), gateway.Config{Workspaces: config},
		gateway.Backends{Identity: conn, Events: conn, Sessions: conn}, observe.Discard())
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(nil)
	server.Config = gateway.NewHTTPServer(g.Handler())
	server.Start()
	t.Cleanup(server.Close)
	return server.URL, dir, keys
}

// lines interrupts a watch when it has printed so many.
type lines struct {
	bytes.Buffer

	left      int
	interrupt func()
}

func (l *lines) Write(text []byte) (int, error) {
	if l.left -= bytes.Count(text, []byte("\n")); l.left <= 0 {
		l.interrupt()
	}
	return l.Buffer.Write(text)
}

// cursors runs a watch until it has printed so many lines, and returns their cursors.
func cursors(t *testing.T, n int, args ...string) string {
	t.Helper()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	out, stderr := lines{left: n, interrupt: interrupt}, bytes.Buffer{}
	if code := run(ctx, append([]string{"watch"}, args...), &out, &stderr); code != 0 {
		t.Errorf("%v: exit code %d: %s", args, code, &stderr)
	}
	var all []string
	for line := range strings.Lines(out.String()) {
		_, cursor, _ := strings.Cut(line, `{"cursor":"`)
		cursor, _, _ = strings.Cut(cursor, `"`)
		if !strings.Contains(line, `"userId":"default"`) {
			t.Errorf("%v: a line of another workspace: %s", args, line)
		}
		all = append(all, cursor)
	}
	return strings.Join(all, " ")
}

func TestAWatchBeginsWhereItIsTold(t *testing.T) {
	t.Setenv(queryTokenVariable, "")
	url, dir, keys := running(t)
	file := filepath.Join(t.TempDir(), "cursor")
	keepAt := func(cursor string) {
		if err := os.WriteFile(file, []byte(cursor), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	at := []string{"-url", url, "-data", dir}
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"with the oldest":             {nil, "1 2 3"},
		"behind a cursor":             {[]string{"-cursor", "1"}, "2 3"},
		"now":                         {[]string{"-from-now"}, "3"},
		"behind the cursor of a file": {[]string{"-cursor-file", file}, "2 3"},
	} {
		keepAt("1\n")
		if got := cursors(t, strings.Count(c.want, " ")+1, append(c.args, at...)...); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	t.Setenv(queryTokenVariable, keys.QueryToken)
	if got := cursors(t, 3, "-url", url, "-data", "nowhere"); got != "1 2 3" {
		t.Errorf("with the token of the environment: %s", got)
	}
}

func TestAWatchKeepsTheCursorOfItsLastLine(t *testing.T) {
	url, dir, _ := running(t)
	t.Setenv(queryTokenVariable, "")
	file := filepath.Join(t.TempDir(), "cursor")
	if got := cursors(t, 3, "-url", url, "-data", dir, "-cursor-file", file); got != "1 2 3" {
		t.Errorf("without a file yet: %s", got)
	}
	if kept, err := os.ReadFile(file); err != nil || string(kept) != "3\n" {
		t.Errorf("the file keeps %q, %v", kept, err)
	}
}

func TestAWatchThatIsRefusedFailsAndSaysWhy(t *testing.T) {
	url, dir, keys := running(t)
	for name, c := range map[string]struct{ token, cursor, says string }{
		"a wrong cursor":    {keys.QueryToken, "c", "cursor is not one of a feed"},
		"an unknown token":  {"unknown", "", "the query token is unknown"},
		"the admin's token": {keys.AdminToken, "", "workspace is required"},
	} {
		t.Setenv(queryTokenVariable, c.token)
		var stderr bytes.Buffer
		code := run(t.Context(), []string{"watch", "-url", url, "-data", dir, "-cursor", c.cursor}, io.Discard, &stderr)
		if code != 1 || !strings.Contains(stderr.String(), c.says) {
			t.Errorf("%s: exit code %d, %s", name, code, &stderr)
		}
	}
}

func TestTheAdminRebuildsARunningSojourn(t *testing.T) {
	url, _, keys := running(t)
	for token, want := range map[string]string{
		keys.AdminToken: `workspace "default": 7 points walked, 0 sessions changed, 0 sums repaired`,
		keys.QueryToken: "admin token",
	} {
		t.Setenv(adminTokenVariable, token)
		var out bytes.Buffer
		run(t.Context(), []string{"rebuild", "-url", url}, &out, &out)
		if !strings.Contains(out.String(), want) {
			t.Errorf("it said %s, want %s", &out, want)
		}
	}
}

func TestAStoppedSojournIsRebuiltWhereItLies(t *testing.T) {
	dir := t.TempDir()
	config, err := setup.Workspaces(dir)
	if err != nil {
		t.Fatal(err)
	}
	suite, err := standalone.Open(t.Context(), standalone.Config{Dir: dir, Workspaces: config}, observe.Discard())
	if err != nil {
		t.Fatal(err)
	}
	calls := []*segmentv1.Call{{
		Type: segmentv1.CallType_CALL_TYPE_TRACK, MessageId: "m", TimeMs: 1, OriginalTimeMs: 1, AnonymousId: "a", UserId: "u", Feature: "f", Source: "web",
	}}
	_, identityErr := identityv1.NewIngestServiceClient(suite.Backends().Identity).
		RecordCalls(t.Context(), &identityv1.RecordCallsRequest{Workspace: "default", Calls: calls})
	_, sessionsErr := sessionsv1.NewIngestServiceClient(suite.Backends().Sessions).
		RecordCalls(t.Context(), &sessionsv1.RecordCallsRequest{Workspace: "default", Calls: calls})
	if err := errors.Join(identityErr, sessionsErr, suite.Close()); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	const want = `workspace "default": 1 points walked, 0 sessions changed, 0 sums repaired` + "\n"
	if code := run(t.Context(), []string{"rebuild", "-data", dir}, &out, &out); code != 0 || out.String() != want {
		t.Errorf("exit code %d, %s", code, &out)
	}
}
