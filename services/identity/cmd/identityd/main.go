// Command identityd serves the identity service over gRPC.
package main

import (
	"context"
	"flag"
	"os"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/internal/kit/daemon"
	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/services/identity"
)

func main() {
	os.Exit(daemon.Main("identityd", os.Args[1:], func(flags *flag.FlagSet) func(context.Context, observe.Deps) (daemon.Service, error) {
		dir := flags.String("data", "./sojourn-data", "directory of the data file")
		file := flags.String("workspaces", "", "file of workspaces, for the names of tiers and lifecycle stages; none: no such names")
		return func(ctx context.Context, d observe.Deps) (daemon.Service, error) {
			c := identity.Config{Dir: *dir}
			if *file != "" {
				workspaces, err := workspace.Load(*file)
				if err != nil {
					return nil, err
				}
				c.Settings = identity.SettingsOf(workspaces)
			}
			return identity.Open(ctx, c, d)
		}
	}))
}
