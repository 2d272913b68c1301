package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"
	"github.com/sojournhq/sojourn/proto/sojourn/sessions/v1/sessionsv1connect"
)

// A second's timeout, so that sessions end while the test waits.
func TestSessionsAreToldAsTheyEndAndAgainAfterEveryoneWasKilled(t *testing.T) {
	onBoth(t, func(t *testing.T, d deployment) {
		text := strings.Replace(workspacesYAML, "[gold, silver]", "[gold, silver]\n    session_timeout: 1s", 1)
		if err := os.WriteFile(filepath.Join(d.dir(), "workspaces.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		killAll := func() {
			for _, process := range d.processes() {
				d.kill(process)
			}
		}
		killAll() // so that all know the new timeout
		began := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
		track := func(seconds float64) {
			at := began.Add(time.Duration(seconds * float64(time.Second))).Format(time.RFC3339Nano)
			body := fmt.Sprintf(`{"messageId":"m%g","timestamp":%q,"anonymousId":"s","userId":"u","groupId":"acme","event":"E"}`, seconds, at)
			if got := send(t, d, "/v1/track", writeKey, body); got.status != 200 {
				t.Fatalf("answered %d", got.status)
			}
		}
		track(0)
		track(1.5)
		seen := watch(t, d, "", 2)
		killAll()
		track(0.75)
		merged := watch(t, d, seen[1].GetCursor(), 1)[0]
		if got := merged.GetSession(); got.GetDuration().AsDuration() != 1500*time.Millisecond || got.GetAccountId() != "acme" {
			t.Errorf("told of %v", got)
		}
		if want := []string{seen[1].GetSession().GetId()}; !slices.Equal(merged.GetReplaces(), want) {
			t.Errorf("replaces %q, want %q", merged.GetReplaces(), want)
		}
	})
}

// watch returns the next changes behind a cursor.
func watch(t *testing.T, d deployment, cursor string, n int) (changes []*sessionsv1.WatchSessionsResponse) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ctx, info := connect.NewClientContext(ctx)
	info.RequestHeader().Set("Authorization", "Bearer "+queryToken)
	client := sessionsv1connect.NewQueryServiceClient(http.DefaultClient, d.url())
	stream, err := client.WatchSessions(ctx, &sessionsv1.WatchSessionsRequest{Cursor: cursor})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stream.Close() }()
	for len(changes) < n && stream.Receive() {
		changes = append(changes, stream.Msg())
	}
	if err := stream.Err(); err != nil && connect.CodeOf(err) != connect.CodeCanceled {
		t.Fatalf("after %d changes: %v", len(changes), err)
	}
	return changes
}
