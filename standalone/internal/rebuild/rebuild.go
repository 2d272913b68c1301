// Package rebuild has the sessions of workspaces computed again from their calls, under the settings of now.
package rebuild

import (
	"context"
	"fmt"
	"io"
	"slices"

	"google.golang.org/grpc"

	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"
)

// Services are connections to those that take part.
type Services struct {
	Identity, Sessions grpc.ClientConnInterface
}

// Run rebuilds one workspace, or all if none is named, and prints a line for each that is done. When it fails, what was rebuilt stays so,
// and running it again does no harm.
func Run(ctx context.Context, s Services, workspace string, to io.Writer) error {
	known, err := identityv1.NewQueryServiceClient(s.Identity).ListWorkspaces(ctx, &identityv1.ListWorkspacesRequest{})
	if err != nil {
		return fmt.Errorf("list workspaces: %w", err)
	}
	names := known.GetWorkspaces()
	if workspace != "" {
		if !slices.Contains(names, workspace) {
			return fmt.Errorf("workspace %q has never received anything", workspace)
		}
		names = []string{workspace}
	}
	service := sessionsv1.NewAdminServiceClient(s.Sessions)
	for _, name := range names {
		done, err := one(ctx, service, name)
		if err != nil {
			return fmt.Errorf("rebuild workspace %q: %w", name, err)
		}
		if _, err := fmt.Fprintf(to, "workspace %q: %d points walked, %d sessions changed, %d sums repaired\n",
			name, done.points, done.sessions, done.sums); err != nil {
			return fmt.Errorf("print: %w", err)
		}
	}
	return nil
}

// work is how much was done.
type work struct{ points, sessions, sums int64 }

func one(ctx context.Context, service sessionsv1.AdminServiceClient, workspace string) (work, error) {
	var done work
	for token := ""; ; {
		part, err := service.RebuildSessions(ctx, &sessionsv1.RebuildSessionsRequest{Workspace: workspace, PageToken: token})
		if err != nil {
			return done, err
		}
		done.points += part.GetPoints()
		done.sessions += part.GetSessionsChanged()
		done.sums += part.GetSumsRepaired()
		if token = part.GetNextPageToken(); token == "" {
			return done, nil
		}
	}
}
