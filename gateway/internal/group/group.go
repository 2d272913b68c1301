// Package group runs functions at the same time for one request. It is errgroup, but for panics: one in a goroutine of an errgroup ends the
// process, and with it every other request; here it is raised again where the group is waited for, which is where requests are guarded.
package group

import (
	"context"
	"errors"
	"runtime/debug"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/sojournhq/sojourn/internal/kit/observe"
)

// Group is the functions that run. Use WithContext.
type Group struct {
	group    *errgroup.Group
	panicked atomic.Pointer[observe.Panicked] // by the first that did
}

// WithContext returns a group, and a context that ends when a function fails or panics, or once Wait returns.
func WithContext(ctx context.Context) (*Group, context.Context) {
	group, ctx := errgroup.WithContext(ctx)
	return &Group{group: group}, ctx
}

// SetLimit has no more than n functions run at a time. It is called before Go is.
func (g *Group) SetLimit(n int) { g.group.SetLimit(n) }

// errPanicked ends the context of a group in which a function panicked. Nobody sees it, for Wait panics then.
var errPanicked = errors.New("panicked")

// Go runs f in a goroutine of its own, once the limit lets it.
func (g *Group) Go(f func() error) {
	g.group.Go(func() (err error) {
		defer func() {
			if p := recover(); p != nil {
				g.panicked.CompareAndSwap(nil, observe.PanickedWith(p, debug.Stack()))
				err = errPanicked
			}
		}()
		return f()
	})
}

// Wait waits for all functions and returns the first error. If one panicked, so does Wait, with an *observe.Panicked.
func (g *Group) Wait() error {
	err := g.group.Wait()
	if p := g.panicked.Load(); p != nil {
		panic(p)
	}
	return err
}
