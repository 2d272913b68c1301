// Command sessionsd serves the sessions service over gRPC.
package main

import (
	"context"
	"flag"
	"os"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/internal/kit/daemon"
	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/services/sessions"
)

func main() {
	os.Exit(daemon.Main("sessionsd", os.Args[1:], func(flags *flag.FlagSet) func(context.Context, observe.Deps) (daemon.Service, error) {
		dir := flags.String("data", "./sojourn-data", "directory of the data file")
		file := flags.String("workspaces", "", "file of workspaces, for their session settings; none: the defaults")
		keep := flags.Duration("keep-changes", sessions.DefaultKeepChanges, "for how long WatchSessions can go back")
		return func(ctx context.Context, d observe.Deps) (daemon.Service, error) {
			c := sessions.Config{Dir: *dir, KeepChanges: *keep}
			if *file != "" {
				workspaces, err := workspace.Load(*file)
				if err != nil {
					return nil, err
				}
				c.Settings = sessions.SettingsOf(workspaces)
			}
			return sessions.Open(ctx, c, d)
		}
	}))
}
