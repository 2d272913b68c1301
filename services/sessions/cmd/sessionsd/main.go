// Command sessionsd serves the sessions service over gRPC.
package main

import (
	"context"
	"flag"
	"os"

	"github.com/sojournhq/sojourn/internal/kit/daemon"
	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/services/sessions"
)

func main() {
	os.Exit(daemon.Main("sessionsd", os.Args[1:], func(flags *flag.FlagSet) func(context.Context, observe.Deps) (daemon.Service, error) {
		dir := flags.String("data", "./sojourn-data", "directory of the data file")
		return func(ctx context.Context, d observe.Deps) (daemon.Service, error) {
			return sessions.Open(ctx, sessions.Config{Dir: *dir}, d)
		}
	}))
}
