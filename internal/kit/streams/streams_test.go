package streams_test

import (
	"context"
	"errors"
	"testing"

	"github.com/sojournhq/sojourn/internal/kit/streams"
)

func TestAPlaceThatIsLeftCanBeTakenAgain(t *testing.T) {
	g := streams.New(1)
	first, leave, err := g.Enter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := g.Enter(t.Context()); !errors.Is(err, streams.ErrFull) {
		t.Errorf("the second of one: %v", err)
	}
	leave()
	leave() // once is enough, twice frees no more
	if first.Err() == nil || streams.Ended(first) {
		t.Errorf("a stream that left: %v", context.Cause(first))
	}
	if _, _, err := g.Enter(t.Context()); err != nil {
		t.Errorf("behind one that left: %v", err)
	}
	if _, _, err := g.Enter(t.Context()); !errors.Is(err, streams.ErrFull) {
		t.Errorf("and the next: %v", err)
	}
}

func TestEndEndsAllStreamsAndLetsNoneEnter(t *testing.T) {
	g := streams.New(3)
	ctx, leaveClient := context.WithCancel(t.Context())
	client, leave, err := g.Enter(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer leave()
	leaveClient()
	open, leave, err := g.Enter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer leave()
	g.End()
	if !streams.Ended(open) {
		t.Errorf("an open stream: %v", context.Cause(open))
	}
	if streams.Ended(client) {
		t.Error("a client that left before was ended by the server")
	}
	if _, _, err := g.Enter(t.Context()); !errors.Is(err, streams.ErrStopping) {
		t.Errorf("one that comes late: %v", err)
	}
}
