// Command identityd serves the identity service over gRPC.
package main

import (
	"context"
	"errors"
	"flag"
	"os"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/internal/kit/daemon"
	"github.com/sojournhq/sojourn/internal/kit/maintenance"
	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/services/identity"
)

func main() {
	os.Exit(daemon.Main("identityd", os.Args[1:], func(flags *flag.FlagSet) func(context.Context, observe.Deps) (daemon.Service, error) {
		dir := flags.String("data", "./sojourn-data", "directory of the data file")
		var reserve int64
		daemon.DefineReserve(flags, &reserve)
		var compact bool
		daemon.DefineCompact(flags, &compact)
		file := flags.String("workspaces", "", "file of workspaces, for their settings; changes count while running; none: no settings")
		return func(ctx context.Context, d observe.Deps) (daemon.Service, error) {
			c := identity.Config{Dir: *dir, ReserveBytes: reserve, Maintenance: maintenance.NewProcess(compact)}
			if *file == "" {
				return identity.Open(ctx, c, d)
			}
			workspaces, err := workspace.WatchWithoutSecrets(*file, d.Log)
			if err != nil {
				return nil, err
			}
			c.Settings = identity.SettingsOf(workspaces)
			service, err := identity.Open(ctx, c, d)
			if err != nil {
				return nil, errors.Join(err, workspaces.Close())
			}
			return daemon.Beside(service, workspaces), nil
		}
	}))
}
