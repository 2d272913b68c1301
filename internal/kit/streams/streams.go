// Package streams counts the answers that a server has open and that do not end by themselves, and ends them when the server stops:
// nobody would wait for them, and nobody could.
package streams

import (
	"context"
	"errors"
	"sync"
)

var (
	// ErrFull is returned when as many streams are open as there may be.
	ErrFull = errors.New("too many streams at once, try again later")
	// ErrStopping is the cause with which the streams of a group end.
	ErrStopping = errors.New("the server is stopping, go on from where the stream ended")
)

// Group is the open streams of one server. Use New.
type Group struct {
	max int

	mu   sync.Mutex
	last uint64
	open map[uint64]context.CancelCauseFunc
	over bool
}

// New returns a group with room for so many streams at once.
func New(places int) *Group { return &Group{max: places, open: map[uint64]context.CancelCauseFunc{}} }

// Enter takes a place for a stream. The returned context ends with ctx, or by End with the cause ErrStopping, or when the stream leaves,
// which it must. ErrFull: there is no place. ErrStopping: the group has ended.
func (g *Group) Enter(ctx context.Context) (entered context.Context, leave func(), err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case g.over:
		return nil, nil, ErrStopping
	case len(g.open) == g.max:
		return nil, nil, ErrFull
	}
	ctx, end := context.WithCancelCause(ctx)
	g.last++
	mine := g.last
	g.open[mine] = end
	return ctx, func() { g.leave(mine) }, nil
}

func (g *Group) leave(stream uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if end, ok := g.open[stream]; ok {
		end(nil)
		delete(g.open, stream)
	}
}

// End ends the contexts of all streams, and lets none enter any more. It does not wait.
func (g *Group) End() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.over = true
	for _, end := range g.open {
		end(ErrStopping)
	}
}

// Ended says whether a stream's context ended by End and not because its client left.
func Ended(ctx context.Context) bool { return errors.Is(context.Cause(ctx), ErrStopping) }
