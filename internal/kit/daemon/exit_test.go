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

func (failing) Installation() string { return "" }

func (failing) Close() error { return nil }

func TestAPodWithAnotherOrdinalThan0DoesNotStart(t *testing.T) {
	for _, c := range []struct {
		environment, argument string
		want                  int
	}{{"1", "", 2}, {"", "-ordinal=2", 2}, {"0", "", 74}} {
		t.Run(c.environment+c.argument, func(t *testing.T) {
			args := []string{"-listen", "127.0.0.1:0", "-admin-listen", "127.0.0.1:0"}
			if c.environment != "" {
				t.Setenv("SOJOURN_ORDINAL", c.environment)
			} else {
				args = append(args, c.argument)
			}
			opened := false
			code := daemon.Main("testd", args, func(*flag.FlagSet) func(context.Context, observe.Deps) (daemon.Service, error) {
				return func(_ context.Context, d observe.Deps) (daemon.Service, error) {
					opened = true
					go d.Fatal(errors.New("the end of the test"))
					return failing{}, nil
				}
			})
			if code != c.want || opened != (c.want == 74) {
				t.Errorf("exit code %d, want %d; a store was opened: %v", code, c.want, opened)
			}
		})
	}
}

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
