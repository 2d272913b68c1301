package limit

import (
	"context"
	"errors"
	"time"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
)

// Pass is what one request holds of the limits. It is used by one goroutine, which leaves at the end, whatever became of the request.
type Pass struct {
	limits                *Limits
	workspace             string // once it is known
	who                   tenant
	source                *source // whose request this is counted as, once it is
	requests, bytes, work int64
	began                 time.Time // working
}

// Source is where a request comes from.
type Source struct {
	Workspace, Source string
	Limits            workspace.Limits
}

// Arrive returns the pass of a request from that address. It holds nothing yet.
func (l *Limits) Arrive(remoteAddr string) *Pass {
	return &Pass{limits: l, who: tenant{address: network(remoteAddr)}}
}

// Enter takes a place for a request of which the source is known, or is known by now, and what it holds already becomes the source's
// workspace's. It never waits.
func (p *Pass) Enter(from Source) error {
	p.workspace = from.Workspace
	if err := p.become(tenant{workspace: from.Workspace}); err != nil {
		return p.refuse(err, shared("requests"))
	}
	s := p.limits.source(from)
	if wait, ok := s.enter(time.Now()); !ok && wait > 0 {
		return p.refuse(nil, rateOf(wait))
	} else if !ok {
		return p.refuse(nil, tooBusy())
	}
	p.source = s
	return p.EnterUnknown()
}

// EnterUnknown takes a place for a request of which the source is not known yet. It never waits.
func (p *Pass) EnterUnknown() error {
	if p.requests > 0 {
		return nil
	}
	// No deadline is needed, for this pool has no line.
	if err := p.limits.requests.take(context.Background(), p.who, 1); err != nil {
		return p.refuse(err, shared("requests"))
	}
	p.requests = 1
	return nil
}

// become makes what the request holds another tenant's.
func (p *Pass) become(who tenant) error {
	if err := p.limits.requests.move(p.who, who, p.requests); err != nil {
		return err
	}
	if err := p.limits.bytes.move(p.who, who, p.bytes); err != nil {
		p.limits.requests.put(who, p.requests)
		p.requests = 0
		return err
	}
	p.who = who
	return nil
}

// Spend counts n calls against the rate of the request's source.
func (p *Pass) Spend(n int) error {
	if p.source == nil {
		return nil
	}
	if wait, ok := p.source.spend(time.Now(), n); !ok {
		return p.refuse(nil, rateOf(wait))
	}
	return nil
}

// Leave gives everything back.
func (p *Pass) Leave() {
	p.Done(true)
	p.limits.requests.put(p.who, p.requests)
	p.limits.bytes.put(p.who, p.bytes)
	p.requests, p.bytes = 0, 0
	if p.source != nil {
		p.source.leave()
		p.source = nil
	}
}

// refuse counts a refusal, and returns it.
func (p *Pass) refuse(why error, r refusals) error {
	refusal := r.share
	if errors.Is(why, errFull) {
		refusal = r.full
	}
	p.limits.metrics.refuse(p.workspace, refusal.Reason)
	return &refusal
}
