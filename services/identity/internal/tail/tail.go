// Package tail tells those who look on what is received, while it is received. It keeps nothing for those who come later.
//
// Whoever publishes never waits: a watcher that does not keep up misses what it has no room for, and is told how much. Where nobody
// watches, all that is done is to see that.
package tail

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"google.golang.org/protobuf/proto"

	"github.com/sojournhq/sojourn/internal/kit/streams"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
)

const (
	// MaxWatchers is how many may watch at once, all workspaces together, by whatever gateway. Workspaces share it: see streams.Share.
	MaxWatchers = 64
	// maxWaiting is how much may wait for one watcher, in bytes: more than the calls of one request.
	maxWaiting = 4 << 20
	// perCall is what a call takes beside its encoded size.
	perCall = 200
)

// ErrFull is returned when as many watch the calls of a workspace, or of all, as may.
var ErrFull = errors.New("too many are watching calls, try again later")

// Hub knows who is watching. The zero value is ready to use.
type Hub struct {
	watching atomic.Int64

	mu       sync.Mutex
	watchers map[string]map[*Watcher]struct{} // by workspace
}

// Watch adds a watcher for the calls of a workspace that want says. It must leave.
func (h *Hub) Watch(workspace string, want func(*identityv1.ReceivedCall) bool) (*Watcher, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !streams.Share(len(h.watchers[workspace]), MaxWatchers-int(h.watching.Load())) {
		return nil, ErrFull
	}
	w := &Watcher{hub: h, workspace: workspace, want: want, more: make(chan struct{}, 1)}
	if h.watchers == nil {
		h.watchers = map[string]map[*Watcher]struct{}{}
	}
	if h.watchers[workspace] == nil {
		h.watchers[workspace] = map[*Watcher]struct{}{}
	}
	h.watchers[workspace][w] = struct{}{}
	h.watching.Add(1)
	return w, nil
}

// Publish tells those who watch a workspace of calls. It asks for them only if somebody does, and they must not be changed afterwards.
func (h *Hub) Publish(workspace string, calls func() []*identityv1.ReceivedCall) {
	if h.watching.Load() == 0 {
		return
	}
	watchers := h.of(workspace)
	if len(watchers) == 0 {
		return
	}
	for _, c := range calls() {
		size := proto.Size(c) + perCall
		for _, w := range watchers {
			w.offer(c, size)
		}
	}
}

func (h *Hub) of(workspace string) []*Watcher {
	h.mu.Lock()
	defer h.mu.Unlock()
	watchers := make([]*Watcher, 0, len(h.watchers[workspace]))
	for w := range h.watchers[workspace] {
		watchers = append(watchers, w)
	}
	return watchers
}

// Watcher is one who watches.
type Watcher struct {
	hub       *Hub
	workspace string
	want      func(*identityv1.ReceivedCall) bool
	more      chan struct{} // holds something while there is something to take

	mu      sync.Mutex
	waiting []*identityv1.ReceivedCall
	size    int
	missed  int64
}

func (w *Watcher) offer(c *identityv1.ReceivedCall, size int) {
	if !w.want(c) {
		return
	}
	w.mu.Lock()
	// Once one was missed, those behind it are too until all is taken, so that it is known where they are missing.
	if w.missed > 0 || w.size+size > maxWaiting {
		w.missed++
	} else {
		w.waiting, w.size = append(w.waiting, c), w.size+size
	}
	w.mu.Unlock()
	select {
	case w.more <- struct{}{}:
	default:
	}
}

// Next waits for calls and returns them, in the order in which they were published, and how many were missed behind them. The error is that
// of ctx.
func (w *Watcher) Next(ctx context.Context) (calls []*identityv1.ReceivedCall, missed int64, err error) {
	select {
	case <-ctx.Done():
		return nil, 0, ctx.Err()
	case <-w.more:
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	calls, missed = w.waiting, w.missed
	w.waiting, w.size, w.missed = nil, 0, 0
	return calls, missed, nil
}

// Leave ends the watching.
func (w *Watcher) Leave() {
	w.hub.mu.Lock()
	defer w.hub.mu.Unlock()
	mine := w.hub.watchers[w.workspace]
	if _, ok := mine[w]; !ok {
		return
	}
	delete(mine, w)
	if len(mine) == 0 {
		delete(w.hub.watchers, w.workspace)
	}
	w.hub.watching.Add(-1)
}
