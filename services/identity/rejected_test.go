package identity_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/testing/protocmp"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/boltdb/boltdbtest"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	segmentv1 "github.com/sojournhq/sojourn/proto/sojourn/segment/v1"
	"github.com/sojournhq/sojourn/services/identity"
)

func rejection(n int, code, body string) *identityv1.Rejection {
	return &identityv1.Rejection{
		Source: "web", Type: "track", Code: code, Message: code + ": fix it", Field: "event", MessageId: fmt.Sprint("m", n),
		Fingerprint: fmt.Appendf(nil, "%016d", n), Body: []byte(body), BodyBytes: int64(len(body)),
	}
}

func (c *client) reject(receivedMS int64, rejections ...*identityv1.Rejection) *identityv1.RecordCallsResponse {
	c.t.Helper()
	got, err := c.RecordCalls(c.t.Context(), &identityv1.RecordCallsRequest{Workspace: "w", ReceivedMs: receivedMS, Rejections: rejections})
	if err != nil {
		c.t.Fatal(err)
	}
	return got
}

// rejected returns all rejected calls that a request selects, page by page.
func (c *client) rejected(r *identityv1.ListRejectedCallsRequest) (all []*identityv1.RejectedCall) {
	c.t.Helper()
	r.Workspace = "w"
	for {
		page, err := c.ListRejectedCalls(c.t.Context(), r)
		if err != nil {
			c.t.Fatal(err)
		}
		all = append(all, page.GetCalls()...)
		if r.PageToken = page.GetNextPageToken(); r.GetPageToken() == "" {
			return all
		}
	}
}

func ids(calls []*identityv1.RejectedCall) string {
	all := make([]string, 0, len(calls))
	for _, c := range calls {
		all = append(all, c.GetMessageId())
	}
	return strings.Join(all, " ")
}

func TestTheLastRejectedCallsAreListedAsTheyWereSent(t *testing.T) {
	c := start(t)
	received := time.Now().Add(-time.Hour).Truncate(time.Millisecond)
	two := rejection(2, "event_required", `{"messageId":"m2"}`)
	two.UserId = "u"
	got := c.reject(received.UnixMilli(), rejection(1, "user_id_required", "\xff"), two)
	if got.GetRejections()[0].GetDuplicate() || got.GetRejections()[1].GetDuplicate() {
		t.Errorf("the books count %v", got)
	}
	if got := c.reject(0, rejection(1, "user_id_required", "\xff")); !got.GetRejections()[0].GetDuplicate() {
		t.Errorf("the second time the books count %v", got)
	}
	cut := rejection(3, "call_too_large", `{"a":"`+strings.Repeat("x", 40<<10))
	cut.Type, cut.Message = "made up", "x"+strings.Repeat("ä", 300)
	c.reject(time.Now().Add(time.Hour).UnixMilli(), cut)
	c.record(&segmentv1.Call{Type: segmentv1.CallType_CALL_TYPE_TRACK, MessageId: "m4", UserId: strings.Repeat("x", 513), Source: "app"})

	all := c.rejected(&identityv1.ListRejectedCallsRequest{})
	if got := ids(all); got != "m4 m3 m1 m2" {
		t.Fatalf("listed %q", got)
	}
	want := &identityv1.RejectedCall{
		Received: timestamppb.New(received), Source: "web", Type: "track", MessageId: "m2", UserId: "u", Code: "event_required",
		Message: "event_required: fix it", Field: "event", Body: []byte(`{"messageId":"m2"}`), BodyBytes: 18, Times: 1,
	}
	if diff := cmp.Diff(want, all[3], protocmp.Transform()); diff != "" {
		t.Error(diff)
	}
	if m1 := all[2]; m1.GetTimes() != 2 || string(m1.GetBody()) != "\xff" || time.Since(m1.GetReceived().AsTime()) > time.Minute {
		t.Errorf("what came twice is %v", m1)
	}
	if m3 := all[1]; string(m3.GetBody()) != `{"a":` || m3.GetBodyBytes() != 6+40<<10 || m3.GetType() != "other" ||
		m3.GetMessage() != "x"+strings.Repeat("ä", 255) ||
		m3.GetReceived().AsTime().After(time.Now()) {
		t.Errorf("what was cut in the middle of a text is %v", m3)
	}
	if m4 := all[0]; m4.GetCode() != "call_invalid" || m4.GetMessage() != "user_id is longer than 512 bytes" || m4.GetSource() != "app" {
		t.Errorf("what this service found invalid is %v", m4)
	}
	for want, r := range map[string]*identityv1.ListRejectedCallsRequest{
		"m4": {Source: "app"}, "m3": {Type: "other"}, "m1": {Code: "user_id_required"}, "m1 m2": {Source: "web", Type: "track", PageSize: 1},
		"m4 m3 m1 m2": {PageSize: 3}, "": {Source: "nobody"},
	} {
		if got := ids(c.rejected(r)); got != want {
			t.Errorf("%v: listed %q, want %q", r, got, want)
		}
	}
	other, err := c.ListRejectedCalls(t.Context(), &identityv1.ListRejectedCallsRequest{Workspace: "other"})
	if err != nil || len(other.GetCalls()) > 0 {
		t.Errorf("the other workspace has %v, %v", other, err)
	}
	_, err = c.ListRejectedCalls(t.Context(), &identityv1.ListRejectedCallsRequest{})
	wantCode(t, "no workspace", err, codes.InvalidArgument)
	_, err = c.ListRejectedCalls(t.Context(), &identityv1.ListRejectedCallsRequest{Workspace: "w", PageToken: "made up"})
	wantCode(t, "no token", err, codes.InvalidArgument)
	_, err = c.ListRejectedCalls(t.Context(), &identityv1.ListRejectedCallsRequest{Workspace: "w", PageSize: -1})
	wantCode(t, "no size", err, codes.InvalidArgument)
}

func TestAPageOfLongCallsEndsEarly(t *testing.T) {
	c := start(t)
	for i := range 300 {
		c.reject(0, rejection(i, "c", strings.Repeat(" ", 32<<10)))
	}
	page, err := c.ListRejectedCalls(t.Context(), &identityv1.ListRejectedCallsRequest{Workspace: "w", PageSize: 1000})
	if n := len(page.GetCalls()); err != nil || n != 128 || page.GetNextPageToken() == "" {
		t.Errorf("%d calls on a page, %v", n, err)
	}
	if n := len(c.rejected(&identityv1.ListRejectedCallsRequest{PageSize: 1000})); n != 300 {
		t.Errorf("%d on all pages", n)
	}
}

// keptRows returns how many rejections the file of a stopped service keeps.
func keptRows(t *testing.T, dir string) (n int) {
	t.Helper()
	boltdbtest.Read(t, filepath.Join(dir, identity.File), func(tx *boltdb.Tx) error {
		n = tx.Bucket([]byte("workspaces")).Bucket([]byte("w")).Bucket([]byte("kept")).Count()
		return nil
	})
	return n
}

func TestRejectedCallsExpireAlsoWhereNoOthersCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var config changing
		config.set(workspace.Workspace{KeepRejected: new(workspace.Duration(time.Hour))})
		dir := t.TempDir()
		c, stop := serve(t, open(t, dir, identity.SettingsOf(&config)))
		for i := range 250 {
			c.reject(0, rejection(i, "c", "{}"))
		}
		time.Sleep(30 * time.Minute)
		c.reject(0, rejection(250, "c", "{}"))
		time.Sleep(29 * time.Minute)
		if n := len(c.rejected(&identityv1.ListRejectedCallsRequest{})); n != 251 {
			t.Errorf("before their time is over %d are listed", n)
		}
		time.Sleep(time.Minute + time.Second)
		if n := len(c.rejected(&identityv1.ListRejectedCallsRequest{})); n != 1 {
			t.Errorf("when it is over %d are listed", n)
		}
		time.Sleep(time.Minute)
		stop()
		if n := keptRows(t, dir); n != 1 {
			t.Errorf("a minute later %d are in the file", n)
		}
		config.set(workspace.Workspace{KeepRejected: new(workspace.Duration(0))})
		c, stop = serve(t, open(t, dir, identity.SettingsOf(&config)))
		c.reject(0, rejection(251, "c", "{}"))
		if n := len(c.rejected(&identityv1.ListRejectedCallsRequest{})); n != 0 {
			t.Errorf("where none are kept %d are listed", n)
		}
		if got := c.state(10).Outcomes[0].GetRejected(); got != 252 {
			t.Errorf("the books count %d", got)
		}
		stop()
		if n := keptRows(t, dir); n != 0 {
			t.Errorf("where none are kept %d are in the file", n)
		}
	})
}

func TestOfADeletedUserNoRejectedCallIsLeftInTheFile(t *testing.T) {
	dir := t.TempDir()
	c, stop := serve(t, open(t, dir, settings()))
	bodies := []string{`{"userId":"canary-1","x":"canary"}`, `userId=canary-1&canary`, `{"x":"before canary-1 behind"`, `{"x":"c\u0061nary-1"}`}
	for round := range 2 { // before the deletion, and after it
		for i, body := range bodies {
			c.reject(0, rejection(10*round+i, "c", body))
		}
		if round == 0 {
			request := &identityv1.DeleteUserRequest{Workspace: "w", UserId: "canary-1", UntilMs: time.Now().UnixMilli()}
			if _, err := c.DeleteUser(t.Context(), request); err != nil {
				t.Fatal(err)
			}
		}
	}
	c.reject(0, rejection(99, "c", `{"userId":"canary-10"}`))
	if got := ids(c.rejected(&identityv1.ListRejectedCallsRequest{})); got != "m99" {
		t.Errorf("listed %q", got)
	}
	stop()
	if err := identity.Compact(t.Context(), identity.Config{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(dir, identity.File))
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(content, []byte("canary")) + bytes.Count(content, []byte(`nary-1"`)); n != 1 {
		t.Errorf("the file holds %d canaries, want that of the other user", n)
	}
	if problems := verify(t, dir); len(problems) > 0 {
		t.Errorf("found %q", problems)
	}
}
