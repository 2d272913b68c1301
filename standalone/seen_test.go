package standalone_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
)

// lastSeen returns when identity says that user u was last seen; empty: never. The list and the user itself agree.
func lastSeen(t *testing.T, m *mappable) string {
	t.Helper()
	service := identityv1.NewQueryServiceClient(m.suite.Backends().Identity)
	got, err := service.GetUser(t.Context(), &identityv1.GetUserRequest{Workspace: "w", UserId: "u"})
	if err != nil {
		t.Fatal(err)
	}
	list, err := service.ListUsers(t.Context(), &identityv1.ListUsersRequest{Workspace: "w"})
	if err != nil || len(list.GetUsers()) != 1 {
		t.Fatalf("listed %v, %v", list, err)
	}
	at := got.GetUser().GetLastSeen()
	if listed := list.GetUsers()[0].GetLastSeen(); (listed == nil) != (at == nil) || !listed.AsTime().Equal(at.AsTime()) {
		t.Errorf("seen at %v, listed as at %v", at, listed)
	}
	if at == nil {
		return ""
	}
	return at.AsTime().Format(time.TimeOnly)
}

func TestOnlyActivityMovesWhenAUserWasLastSeen(t *testing.T) {
	m := runMappable(t, `feature: [event]`)
	send := func(path, at, more string) {
		t.Helper()
		call := fmt.Sprintf(`{"messageId":"%s %s","timestamp":"2026-11-20T%sZ","anonymousId":"s","userId":"u",%s}`, path, at, at, more)
		if strings.HasSuffix(path, "batch") {
			call = `{"context":{"active":false},"batch":[` + call + `]}`
		}
		if code, answer := m.send(path, call); code != http.StatusOK || strings.Contains(answer, `"rejected":[{`) {
			t.Fatalf("%s: answered %d %s", path, code, answer)
		}
	}
	sync := func(hour string) {
		t.Helper()
		send("/v1/identify", hour+":00:00", `"traits":{"role":"boss"}`)
		send("/v1/group", hour+":00:01", `"groupId":"acme","traits":{"name":"Acme"}`)
		send("/v1/alias", hour+":00:02", `"previousId":"p"`)
		send("/v1/identify", hour+":00:03", `"groupId":"acme","context":{"active":true}`)
		send("/v1/track", hour+":00:04", `"event":"E","context":{"active":false}`)
		send("/v1/page", hour+":00:05", `"name":"P","context":{"active":false,"ip":"::1"}`)
		send("/v1/screen", hour+":00:06", `"name":"P","context":{"active":false}`)
		send("/v1/batch", hour+":00:07", `"type":"track","event":"E","context":{"ip":"::1"}`)
	}
	sync("10")
	if got := lastSeen(t, m); got != "" {
		t.Errorf("who did nothing was seen at %s", got)
	}
	for _, c := range []struct{ path, at, more, want string }{
		{"/v1/track", "09:00:00", `"event":"E"`, "09:00:00"},
		{"/v1/batch", "09:10:00", `"type":"page","context":{"active":true}`, "09:10:00"},
		{"/v1/screen", "09:20:00", `"name":"P","context":{"active":"false"}`, "09:20:00"},
		{"/v1/page", "09:15:00", `"name":"P"`, "09:20:00"},
	} {
		send(c.path, c.at, c.more)
		if got := lastSeen(t, m); got != c.want {
			t.Errorf("%s at %s: seen at %s, want %s", c.path, c.at, got, c.want)
		}
	}
	sync("11")
	if got := lastSeen(t, m); got != "09:20:00" {
		t.Errorf("after another sync seen at %q", got)
	}
}
