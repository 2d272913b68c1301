package daemon_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"testing"

	"google.golang.org/grpc"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/daemon"
	"github.com/sojournhq/sojourn/internal/kit/observe"
)

func TestAProcessSaysByItsExitCodeWhatEndedIt(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	daemon.Fatal(cancel)(errors.New("commit: input/output error"))
	for _, c := range []struct {
		err  error
		want int
	}{
		{nil, 0},
		{errors.New("anything"), 1},
		{fmt.Errorf("open x.db: %w", boltdb.ErrLocked), 75},
		{fmt.Errorf("open x.db: %w", boltdb.ErrDamaged), 1},
		{fmt.Errorf("write: %w", boltdb.ErrFailed), 74},
		{fmt.Errorf("open x.db: %w", boltdb.ErrSync), 74},
		{errors.Join(context.Cause(ctx), errors.New("close")), 74},
	} {
		if got := daemon.ExitCode(c.err); got != c.want {
			t.Errorf("%v: %d, want %d", c.err, got, c.want)
		}
	}
}

// failing is a service whose store fails as soon as it is open.
type failing struct{}

func (failing) Register(grpc.ServiceRegistrar) {}

func (failing) Close() error { return nil }

func TestAProcessWhoseStoreFailsEnds(t *testing.T) {
	args := []string{"-listen", "127.0.0.1:0", "-admin-listen", "127.0.0.1:0"}
	code := daemon.Main("testd", args, func(*flag.FlagSet) func(context.Context, observe.Deps) (daemon.Service, error) {
		return func(_ context.Context, d observe.Deps) (daemon.Service, error) {
			go d.Fatal(errors.New("commit: input/output error"))
			return failing{}, nil
		}
	})
	if code != 74 {
		t.Errorf("exit code %d, want 74", code)
	}
}
