package callproto_test

import (
	"testing"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/callproto"
	eventsv1 "github.com/sojournhq/sojourn/proto/sojourn/events/v1"
)

func TestADeletionNamesAWorkspaceAUserAndAPossibleTime(t *testing.T) {
	for name, c := range map[string]struct {
		request *eventsv1.DeleteUserRequest
		good    bool
	}{
		"all there":     {&eventsv1.DeleteUserRequest{Workspace: "w", UserId: "u", UntilMs: call.MaxTimeMS}, true},
		"from the past": {&eventsv1.DeleteUserRequest{Workspace: "w", UserId: "u"}, true},
		"no workspace":  {&eventsv1.DeleteUserRequest{UserId: "u"}, false},
		"no user":       {&eventsv1.DeleteUserRequest{Workspace: "w"}, false},
		"before 1970":   {&eventsv1.DeleteUserRequest{Workspace: "w", UserId: "u", UntilMs: -1}, false},
		"too late":      {&eventsv1.DeleteUserRequest{Workspace: "w", UserId: "u", UntilMs: call.MaxTimeMS + 1}, false},
	} {
		if err := callproto.CheckDeletion(c.request); (err == nil) != c.good {
			t.Errorf("%s: %v", name, err)
		}
	}
}
