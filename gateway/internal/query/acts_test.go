package query_test

import (
	"slices"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/proto/sojourn/admin/v1/adminv1connect"
	"github.com/sojournhq/sojourn/proto/sojourn/backup/v1/backupv1connect"
	"github.com/sojournhq/sojourn/proto/sojourn/identity/v1/identityv1connect"
	"github.com/sojournhq/sojourn/proto/sojourn/maintenance/v1/maintenancev1connect"
	"github.com/sojournhq/sojourn/proto/sojourn/sessions/v1/sessionsv1connect"

	adminv1 "github.com/sojournhq/sojourn/proto/sojourn/admin/v1"
	backupv1 "github.com/sojournhq/sojourn/proto/sojourn/backup/v1"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	maintenancev1 "github.com/sojournhq/sojourn/proto/sojourn/maintenance/v1"
	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"
)

func TestWhatAnAdminDoesIsInTheLogWithTheNameOfTheToken(t *testing.T) {
	name := workspace.NewSecret(adminToken).Name()
	ask := map[string]struct {
		do   func(c client, url string, token connect.ClientOption) error
		want string
	}{
		"deletion": {func(c client, url string, token connect.ClientOption) error {
			_, err := adminv1connect.NewAdminServiceClient(c.http, url, append(c.options, token)...).
				DeleteUser(t.Context(), &adminv1.DeleteUserRequest{Workspace: "acme", UserId: "secret-user"})
			return err
		}, "procedure=/sojourn.admin.v1.AdminService/DeleteUser admin=" + name + " workspace=acme"},
		"rebuild": {func(c client, url string, token connect.ClientOption) error {
			_, err := sessionsv1connect.NewAdminServiceClient(c.http, url, append(c.options, token)...).
				RebuildSessions(t.Context(), &sessionsv1.RebuildSessionsRequest{Workspace: "acme"})
			return err
		}, "procedure=/sojourn.sessions.v1.AdminService/RebuildSessions admin=" + name + " workspace=acme"},
		"compaction": {func(c client, url string, token connect.ClientOption) error {
			_, err := maintenancev1connect.NewMaintenanceServiceClient(c.http, url, append(c.options, token)...).
				Compact(t.Context(), &maintenancev1.CompactRequest{Store: "events"})
			return err
		}, "procedure=/sojourn.maintenance.v1.MaintenanceService/Compact admin=" + name + " store=events"},
		"backup": {func(c client, url string, token connect.ClientOption) error {
			stream, err := backupv1connect.NewBackupServiceClient(c.http, url, append(c.options, token)...).
				CopyFile(t.Context(), &backupv1.CopyFileRequest{Kind: "identity"})
			return drain(stream, err)
		}, "procedure=/sojourn.backup.v1.BackupService/CopyFile admin=" + name + " kind=identity"},
	}
	for what, a := range ask {
		for protocol, c := range clients(t) {
			t.Run(what+" over "+protocol, func(t *testing.T) {
				url, services, log := open(t)
				expect := func(want ...string) {
					t.Helper()
					var got []string
					for line := range strings.Lines(log.String()) {
						if strings.Contains(line, "admin") {
							got = append(got, line)
						}
					}
					if len(got) != len(want) || len(got) > 0 && !strings.Contains(got[0], `level=WARN msg="an admin token was used" `+want[0]+" took=") {
						t.Errorf("logged %q, want %q", got, want)
					}
					if strings.Contains(log.String(), "secret-user") || strings.Contains(log.String(), adminToken) {
						t.Errorf("the log shows too much: %s", log)
					}
					log.Reset()
				}
				if err := a.do(c, url, bearer("Bearer "+adminToken)); err != nil {
					t.Fatal(err)
				}
				expect(a.want + " code=ok")
				services.failWith(status.Error(codes.Unavailable, "away"))
				if err := a.do(c, url, bearer("Bearer "+adminToken)); err == nil {
					t.Error("it was done")
				}
				expect(a.want + " code=unavailable")
				if err := a.do(c, url, bearer("Bearer "+acmeToken)); err == nil {
					t.Error("a reader did it")
				}
				expect()
			})
		}
	}
}

func TestWhatIsAskedForPageByPageAndWhatIsOnlyReadIsLoggedOnceOrNot(t *testing.T) {
	for _, c := range clients(t) {
		url, _, log := open(t)
		token := append(slices.Clone(c.options), bearer("Bearer "+adminToken))
		for _, page := range []string{"", "second", "third"} {
			r := &sessionsv1.RebuildSessionsRequest{Workspace: "acme", PageToken: page}
			if _, err := sessionsv1connect.NewAdminServiceClient(c.http, url, token...).RebuildSessions(t.Context(), r); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := identityv1connect.NewQueryServiceClient(c.http, url, token...).
			ListUsers(t.Context(), &identityv1.ListUsersRequest{Workspace: "acme"}); err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(log.String(), "an admin token was used"); n != 1 {
			t.Errorf("logged %d times: %s", n, log)
		}
	}
}
