package crash

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc"

	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/internal/kit/soundness"
	"github.com/sojournhq/sojourn/services/events"
	"github.com/sojournhq/sojourn/services/identity"
	"github.com/sojournhq/sojourn/services/sessions"
)

// subject is a kind of store that is put to the test.
type subject struct {
	open   func(ctx context.Context, dir string, d observe.Deps) (store, error)
	verify func(ctx context.Context, dir string, found func(soundness.Problem)) error
}

// store is an open store.
type store interface {
	// step takes in a step of a sender. It may be repeated.
	step(ctx context.Context, seed uint64, sender, step int) error
	// state is everything that can be asked about a sender's workspace.
	state(ctx context.Context, sender int) (string, error)
	Close() error
}

func subjects() map[string]subject {
	return map[string]subject{
		"kit": kit(),
		"events": {
			func(ctx context.Context, dir string, d observe.Deps) (store, error) {
				s, err := events.Open(ctx, events.Config{Dir: dir}, d)
				if err != nil {
					return nil, err
				}
				return eventsStore{closer: s, rpcs: registered(s)}, nil
			},
			func(ctx context.Context, dir string, found func(soundness.Problem)) error {
				return events.Verify(ctx, events.Config{Dir: dir}, found)
			},
		},
		"identity": {
			func(ctx context.Context, dir string, d observe.Deps) (store, error) {
				s, err := identity.Open(ctx, identity.Config{Dir: dir}, d)
				if err != nil {
					return nil, err
				}
				return identityStore{closer: s, rpcs: registered(s)}, nil
			},
			func(ctx context.Context, dir string, found func(soundness.Problem)) error {
				return identity.Verify(ctx, identity.Config{Dir: dir}, found)
			},
		},
		"sessions": {
			func(ctx context.Context, dir string, d observe.Deps) (store, error) {
				s, err := sessions.Open(ctx, sessions.Config{Dir: dir, SweepEvery: 20 * time.Millisecond}, d)
				if err != nil {
					return nil, err
				}
				return sessionsStore{closer: s, rpcs: registered(s)}, nil
			},
			func(ctx context.Context, dir string, found func(soundness.Problem)) error {
				return sessions.Verify(ctx, sessions.Config{Dir: dir}, found)
			},
		},
	}
}

type closer interface{ Close() error }

// rpcs has the servers that a service registers, by name, so that they can be called without a network.
type rpcs map[string]any

func registered(s interface{ Register(r grpc.ServiceRegistrar) }) rpcs {
	r := rpcs{}
	s.Register(r)
	return r
}

func (r rpcs) RegisterService(d *grpc.ServiceDesc, server any) { r[d.ServiceName] = server }

func workspace(sender int) string { return fmt.Sprintf("w%d", sender) }
