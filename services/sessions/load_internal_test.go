package sessions

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// unreadable is a store whose timers fail.
type unreadable struct {
	session.Upkeep

	err atomic.Value // of boxed errors
}

type boxed struct{ err error }

func (s *unreadable) fail(err error) { s.err.Store(boxed{err}) }

func (s *unreadable) failure() error {
	b, _ := s.err.Load().(boxed)
	return b.err
}

func (s *unreadable) FirstDue(context.Context) (int64, error)         { return 0, s.failure() }
func (s *unreadable) EndDue(context.Context, int64, int) (int, error) { return 0, s.failure() }
func (s *unreadable) Trim(context.Context, int64, int) (int, error)   { return 0, nil }

func TestTimersThatCannotBeReadLagMoreAndMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &unreadable{}
		deps := observe.Discard()
		u, err := newUpkeep(store, time.Now, Config{}, deps)
		if err != nil {
			t.Fatal(err)
		}
		l, err := newLoad(u, deps.Metrics)
		if err != nil {
			t.Fatal(err)
		}
		lags := func(when string, least, most time.Duration) {
			t.Helper()
			synctest.Wait()
			if got := l.lag(); got < least || got > most {
				t.Errorf("%s: %v, want %v to %v", when, got, least, most)
			}
		}
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go u.sweep(ctx)
		time.Sleep(time.Hour + time.Millisecond)
		lags("where nothing is due", 0, 0)
		store.fail(fmt.Errorf("look for timers: %w", boltdb.ErrDamaged))
		time.Sleep(time.Hour)
		lags("after an hour", time.Hour, time.Hour+time.Second)
		time.Sleep(time.Hour)
		lags("after two", 2*time.Hour, 2*time.Hour+time.Second)
		store.fail(nil)
		time.Sleep(time.Second)
		lags("once they can be read", 0, 0)
		store.fail(boltdb.ErrClosed)
		time.Sleep(time.Hour)
		lags("of a store that is closed", 0, 0)
	})
}
