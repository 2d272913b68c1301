package sessions_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/testing/protocmp"

	segmentv1 "github.com/sojournhq/sojourn/proto/sojourn/segment/v1"
	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"
)

// record records calls in workspace w.
func (c client) record(t *testing.T, calls ...*segmentv1.Call) {
	t.Helper()
	if _, err := c.RecordCalls(t.Context(), &sessionsv1.RecordCallsRequest{Workspace: "w", Calls: calls}); err != nil {
		t.Fatal(err)
	}
}

// only returns the one session there is.
func (c client) only(t *testing.T) *sessionsv1.Session {
	t.Helper()
	list, err := c.ListSessions(t.Context(), &sessionsv1.ListSessionsRequest{Workspace: "w"})
	if err != nil || len(list.GetSessions()) != 1 {
		t.Fatalf("%v, %v", list, err)
	}
	return list.GetSessions()[0]
}

func TestAWatcherIsToldOfAnEndAtOnceAndOfEveryLaterRevision(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := start(t, t.TempDir())
		defer c.stop()
		stream, err := c.WatchSessions(t.Context(), &sessionsv1.WatchSessionsRequest{Workspace: "w"})
		if err != nil {
			t.Fatal(err)
		}
		next := func() *sessionsv1.WatchSessionsResponse {
			t.Helper()
			change, err := stream.Recv()
			if err != nil {
				t.Fatal(err)
			}
			return change
		}
		began := time.Now()
		c.record(t, track("m1", began, nil), track("m2", began.Add(40*time.Minute), nil))
		first := next()
		if waited := time.Since(began); waited < 30*time.Minute || waited > 30*time.Minute+2*time.Second {
			t.Errorf("the first was told after %v", waited)
		}
		second := next()
		if waited := time.Since(began); waited < 70*time.Minute || waited > 70*time.Minute+2*time.Second {
			t.Errorf("the second was told after %v", waited)
		}
		c.record(t, track("m3", began.Add(20*time.Minute), func(c *segmentv1.Call) { c.Module = "billing" }))
		merged := next()
		if diff := cmp.Diff(c.only(t), merged.GetSession(), protocmp.Transform()); diff != "" {
			t.Errorf("what was told is not what is listed (-listed +told):\n%s", diff)
		}
		if got := merged.GetSession(); got.GetId() != first.GetSession().GetId() || got.GetRevision() <= first.GetSession().GetRevision() {
			t.Errorf("the merged session is %v, the first was %v", got, first.GetSession())
		}
		if diff := cmp.Diff([]string{second.GetSession().GetId()}, merged.GetReplaces()); diff != "" {
			t.Errorf("replaced: %s", diff)
		}
	})
}

func TestAWatcherGoesOnFromItsCursorOrFromNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		c := start(t, dir)
		began := time.Now()
		for i := range 3 {
			c.record(t, track("m", began.Add(time.Duration(-i)*time.Hour), nil))
		}
		time.Sleep(time.Hour)
		all := c.changes(t, &sessionsv1.WatchSessionsRequest{}, 3)
		c.stop()
		c = start(t, dir)
		defer c.stop()
		if diff := cmp.Diff(all[1:], c.changes(t, &sessionsv1.WatchSessionsRequest{Cursor: all[0].GetCursor()}, 2), protocmp.Transform()); diff != "" {
			t.Error(diff)
		}
		begin := &sessionsv1.WatchSessionsResponse{Cursor: all[2].GetCursor(), Kind: sessionsv1.ChangeKind_CHANGE_KIND_BEGIN}
		got := make(chan []*sessionsv1.WatchSessionsResponse)
		go func() { got <- c.changes(t, &sessionsv1.WatchSessionsRequest{FromNow: true}, 2) }()
		synctest.Wait()
		c.record(t, track("new", began.Add(-24*time.Hour), nil))
		changes := <-got
		if diff := cmp.Diff(begin, changes[0], protocmp.Transform()); diff != "" {
			t.Errorf("a watch from now begins otherwise (-want +got):\n%s", diff)
		}
		if got := changes[1].GetSession(); got.GetEnd().AsTime() != began.Add(-24*time.Hour).UTC() {
			t.Errorf("from now on told of %v", got)
		}
	})
}

// changes returns the first changes that a watcher is told of.
func (c client) changes(t *testing.T, r *sessionsv1.WatchSessionsRequest, n int) (all []*sessionsv1.WatchSessionsResponse) {
	r.Workspace = "w"
	stream, err := c.WatchSessions(t.Context(), r)
	for range n {
		var change *sessionsv1.WatchSessionsResponse
		if err == nil {
			change, err = stream.Recv()
		}
		if err != nil {
			t.Error(err)
			return all
		}
		all = append(all, change)
	}
	return all
}

func TestAWatcherWhoCannotBeServedIsToldWhy(t *testing.T) {
	c := start(t, t.TempDir())
	defer c.stop()
	for name, r := range map[string]struct {
		request *sessionsv1.WatchSessionsRequest
		want    codes.Code
	}{
		"no workspace":             {&sessionsv1.WatchSessionsRequest{}, codes.InvalidArgument},
		"no cursor of ours":        {&sessionsv1.WatchSessionsRequest{Workspace: "w", Cursor: "soon"}, codes.InvalidArgument},
		"a cursor of another feed": {&sessionsv1.WatchSessionsRequest{Workspace: "w", Cursor: "AAAAAAAAAAEAAAAAAAAAAQ"}, codes.OutOfRange},
	} {
		stream, err := c.WatchSessions(t.Context(), r.request)
		if err == nil {
			_, err = stream.Recv()
		}
		if status.Code(err) != r.want {
			t.Errorf("%s: %v, want %v", name, err, r.want)
		}
	}
}

func TestARebuildIsAskedForPageByPage(t *testing.T) {
	c := start(t, t.TempDir())
	defer c.stop()
	began := time.Now()
	c.record(t, track("m1", began, nil), track("m2", began.Add(time.Minute), nil))
	request, points, pages := &sessionsv1.RebuildSessionsRequest{Workspace: "w"}, int64(0), 0
	for {
		page, err := c.RebuildSessions(t.Context(), request)
		if err != nil {
			t.Fatal(err)
		}
		points += page.GetPoints()
		pages++
		if page.GetSessionsChanged() != 0 || page.GetSumsRepaired() != 0 {
			t.Errorf("changed what was right: %v", page)
		}
		if request.PageToken = page.GetNextPageToken(); request.GetPageToken() == "" {
			break
		}
	}
	if points != 2 || pages != 2 {
		t.Errorf("%d points in %d pages, want 2 in 2: sessions, then sums", points, pages)
	}
	for name, r := range map[string]*sessionsv1.RebuildSessionsRequest{
		"no workspace": {}, "a foreign token": {Workspace: "w", PageToken: "AAAA"},
	} {
		if _, err := c.RebuildSessions(t.Context(), r); status.Code(err) != codes.InvalidArgument {
			t.Errorf("%s: %v", name, err)
		}
	}
}
