package sessions_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/testing/protocmp"

	segmentv1 "github.com/sojournhq/sojourn/proto/sojourn/segment/v1"
	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"
	"github.com/sojournhq/sojourn/services/sessions"
)

func TestOfADeletedUserNothingIsLeftAfterCompacting(t *testing.T) {
	dir := t.TempDir()
	c := start(t, dir)
	began := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	canary := func(messageID string, at time.Time) *segmentv1.Call {
		return track(messageID, at, func(c *segmentv1.Call) {
			c.AnonymousId, c.UserId, c.AccountId, c.Module = "canary-device", "canary-user", "canary-account", "canary-module"
		})
	}
	c.record(t, track("m1", began, nil), canary("m2", began), canary("m3", began.Add(time.Hour)))
	told := c.changes(t, &sessionsv1.WatchSessionsRequest{}, 3)
	c.record(t, &segmentv1.Call{
		Type: segmentv1.CallType_CALL_TYPE_DELETE, MessageId: "d", UserId: "canary-user",
		TimeMs: began.Add(2 * time.Hour).UnixMilli(), OriginalTimeMs: began.Add(2 * time.Hour).UnixMilli(),
	})
	c.record(t, canary("m4", began.Add(90*time.Minute))) // late
	removed := c.changes(t, &sessionsv1.WatchSessionsRequest{Cursor: told[2].GetCursor()}, 2)
	for _, change := range removed {
		if change.GetKind() != sessionsv1.ChangeKind_CHANGE_KIND_REMOVED {
			t.Errorf("told of %v", change)
		}
	}
	before := c.only(t)
	c.stop()
	if err := sessions.Compact(t.Context(), sessions.Config{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || !slices.Contains(files, filepath.Join(dir, sessions.File)) {
		t.Fatalf("files %q, %v", files, err)
	}
	for _, file := range files {
		if content, err := os.ReadFile(file); err != nil || bytes.Contains(content, []byte("canary")) {
			t.Errorf("something is left in %s, %v", file, err)
		}
	}
	if problems := verify(t, dir); len(problems) > 0 {
		t.Errorf("not sound: %q", problems)
	}
	c = start(t, dir)
	defer c.stop()
	if diff := cmp.Diff(before, c.only(t), protocmp.Transform()); diff != "" {
		t.Errorf("what is left changed (-before +after):\n%s", diff)
	}
	c.record(t, canary("m5", began.Add(time.Minute)))
	c.only(t) // the tombstone outlives compacting
}

func TestADeletionThatNamesNobodyIsRefused(t *testing.T) {
	c := start(t, t.TempDir())
	defer c.stop()
	for name, r := range map[string]*sessionsv1.DeleteUserRequest{
		"no workspace":       {UserId: "u"},
		"no user":            {Workspace: "w"},
		"an impossible time": {Workspace: "w", UserId: "u", UntilMs: -1},
	} {
		if _, err := c.DeleteUser(t.Context(), r); status.Code(err) != codes.InvalidArgument {
			t.Errorf("%s: %v", name, err)
		}
	}
}
