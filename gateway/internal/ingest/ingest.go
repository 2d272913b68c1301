// Package ingest is the door for calls: HTTP routes, keys, limits and answers.
//
// A request is read whole, its source is found by its write key, its calls are parsed one by one, the good ones and the count of the bad
// ones go to the services through the fanout, and only when all of that is durable is it answered with 200. Whatever can be wrong with a
// request gets one answer, computed before the first byte is written.
package ingest

import (
	"fmt"
	"net/http"
	"time"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/internal/kit/observe"

	"github.com/sojournhq/sojourn/gateway/internal/fanout"
	"github.com/sojournhq/sojourn/gateway/internal/keyring"
	"github.com/sojournhq/sojourn/gateway/internal/limit"
	"github.com/sojournhq/sojourn/gateway/internal/segment"
)

// Config is what the door needs to know. All of it is required.
type Config struct {
	// Workspaces says whose calls are taken. It is asked at every request.
	Workspaces workspace.Provider
	// MaxCallBytes and MaxBatchBytes are how long the body of a call and of a batch may be.
	MaxCallBytes, MaxBatchBytes int
	// Deadline is how long the services may take, all together, before the sender is told to try again.
	Deadline time.Duration
	// Limits says what is taken on.
	Limits *limit.Limits
}

// Door serves the routes for calls. Use New.
type Door struct {
	config  Config
	sources func() *keyring.Ring[*source] // of now, by write key
	fanout  *fanout.Fanout
	deps    observe.Deps
	metrics metrics
}

// source is where calls come from: a source of a workspace.
type source struct {
	workspace string
	rules     segment.Rules
	limits    limit.Source
}

// New returns a door that hands calls to f. It fails when its metrics are registered already.
func New(c Config, f *fanout.Fanout, d observe.Deps) (*Door, error) {
	door := &Door{config: c, fanout: f, deps: d}
	door.sources = workspace.Follow(c.Workspaces, func(w *workspace.Config) *keyring.Ring[*source] { return sourcesOf(w, c.MaxCallBytes) })
	if err := door.metrics.register(d.Metrics); err != nil {
		return nil, fmt.Errorf("register ingest metrics: %w", err)
	}
	return door, nil
}

// sourcesOf returns the sources of a configuration by their write keys.
func sourcesOf(c *workspace.Config, maxBytes int) *keyring.Ring[*source] {
	ring := &keyring.Ring[*source]{}
	for i := range c.Workspaces {
		w := &c.Workspaces[i]
		for j := range w.Sources {
			s := &source{
				workspace: w.ID, rules: rulesOf(&w.Sources[j], maxBytes),
				limits: limit.Source{Workspace: w.ID, Source: w.Sources[j].ID, Limits: w.Sources[j].Limits},
			}
			for _, key := range w.Sources[j].WriteKeys {
				ring.Add(key, s)
			}
		}
	}
	return ring
}

// rulesOf returns the rules of a configured source, with the defaults of the contract where it says nothing.
func rulesOf(s *workspace.Source, maxBytes int) segment.Rules {
	rules := segment.Rules{
		Source:             s.ID,
		RequireAnonymousID: s.RequireAnonymousID == nil || *s.RequireAnonymousID,
		RequireUserID:      s.RequireUserID == nil || *s.RequireUserID,
		MaxClockSkew:       workspace.DefaultMaxClockSkew,
		AbsentIDs:          s.AbsentIDs,
		MaxBytes:           maxBytes,
	}
	if s.MaxClockSkew != nil {
		rules.MaxClockSkew = time.Duration(*s.MaxClockSkew)
	}
	if rules.AbsentIDs == nil {
		rules.AbsentIDs = workspace.DefaultAbsentIDs()
	}
	return rules
}

// route is one path and what its bodies hold.
type route struct {
	path string
	// callType is the type of its calls; 0: they say it themselves.
	callType call.Type
	form     form
}

// form is how the calls stand in a body.
type form int8

const (
	one       form = iota // one call
	batch                 // a batch
	oneOrMany             // one call, or an array of calls
)

func routes() []route {
	return []route{
		{"/v1/track", call.Track, one},
		{"/v1/identify", call.Identify, one},
		{"/v1/group", call.Group, one},
		{"/v1/page", call.Page, one},
		{"/v1/screen", call.Screen, one},
		{"/v1/alias", call.Alias, one},
		{"/v1/delete", call.Delete, one},
		{"/v1/batch", 0, batch},
		{"/v1/import", 0, batch},
		{"/v1/segment", 0, oneOrMany},
	}
}

// Register adds the routes to mux, and an answer for every path that nobody else has.
func (d *Door) Register(mux *http.ServeMux) {
	for _, rt := range routes() {
		mux.HandleFunc(rt.path, func(w http.ResponseWriter, r *http.Request) {
			d.serve(w, r, rt.path, func(v *visit) answer { return d.take(v, &rt) })
		})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		d.serve(w, r, "unknown", func(*visit) answer {
			return refusal(http.StatusNotFound, "path_unknown",
				"there is nothing at this path: calls go to /v1/track, /v1/batch and the like")
		})
	})
}
