// Command eventsd serves the events service over gRPC.
package main

import (
	"context"
	"flag"
	"os"

	"github.com/sojournhq/sojourn/internal/kit/daemon"
	"github.com/sojournhq/sojourn/internal/kit/maintenance"
	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/services/events"
)

func main() {
	os.Exit(daemon.Main("eventsd", os.Args[1:], func(flags *flag.FlagSet) func(context.Context, observe.Deps) (daemon.Service, error) {
		dir := flags.String("data", "./sojourn-data", "directory of the data file")
		var reserve int64
		daemon.DefineReserve(flags, &reserve)
		var compact bool
		daemon.DefineCompact(flags, &compact)
		return func(ctx context.Context, d observe.Deps) (daemon.Service, error) {
			return events.Open(ctx, events.Config{Dir: *dir, ReserveBytes: reserve, Maintenance: maintenance.NewProcess(compact)}, d)
		}
	}))
}
