// Package ingest is the door for calls: HTTP routes, keys, limits and answers.
//
// A request is read whole, its source is found by its write key, its calls are parsed one by one, the good ones and the count of the bad
// ones go to the services through the fanout, and only when all of that is durable is it answered with 200. Whatever can be wrong with a
// request gets one answer, computed before the first byte is written.
package ingest

import (
	"fmt"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/internal/kit/observe"

	"github.com/sojournhq/sojourn/gateway/internal/fanout"
	"github.com/sojournhq/sojourn/gateway/internal/keyring"
	"github.com/sojournhq/sojourn/gateway/internal/limit"
	"github.com/sojournhq/sojourn/gateway/internal/notice"
)

// Config is what the door needs to know. All of it but PublicURL and DataDir is required.
type Config struct {
	// Workspaces says whose calls are taken. It is asked at every request.
	Workspaces workspace.Provider
	// MaxCallBytes, MaxBatchBytes and MaxDeliveryBytes are how long the body of a call, of a client's batch and of what Segment delivers
	// to a destination may be, decompressed.
	MaxCallBytes, MaxBatchBytes, MaxDeliveryBytes int
	// Deadline is how long the services may take, all together, before the sender is told to try again.
	Deadline time.Duration
	// Limits says what is taken on.
	Limits *limit.Limits
	// PublicURL is where clients reach the gateway, for the settings that tell them. Nil: where it ListensOn, if that is said.
	PublicURL *url.URL
	// DataDir is where commands on this machine find the keys of the first start. Empty: where they look by themselves.
	DataDir string
}

// Door serves the routes for calls. Use New.
type Door struct {
	config  Config
	sources func() *keyring.Ring[*source]      // of now, by write key
	kinds   func() *keyring.Ring[keyring.Kind] // of now, of every secret
	fanout  *fanout.Fanout
	deps    observe.Deps
	metrics metrics
	notices *notice.Log
	listens atomic.Pointer[url.URL] // nil: not where clients can be told to send to
}

// New returns a door that hands calls to f. It fails when its metrics are registered already. The caller closes it after the last request.
func New(c Config, f *fanout.Fanout, d observe.Deps) (*Door, error) {
	door := &Door{config: c, fanout: f, deps: d, kinds: workspace.Follow(c.Workspaces, keyring.KindsOf), notices: notice.New(d.Log)}
	door.sources = workspace.Follow(c.Workspaces, func(w *workspace.Config) *keyring.Ring[*source] { return sourcesOf(w, c.MaxCallBytes) })
	if err := door.metrics.register(d.Metrics); err != nil {
		return nil, fmt.Errorf("register ingest metrics: %w", err)
	}
	return door, nil
}
