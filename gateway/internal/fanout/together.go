package fanout

import (
	"context"
	"errors"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sojournhq/sojourn/internal/domain/callproto"
	"github.com/sojournhq/sojourn/internal/kit/observe"
)

const (
	// atOnce is how many writes of a workspace's requests are under way: while events and sessions store what one holds, identity has the
	// next.
	atOnce = 2
	// enough is how many calls are worth a write of their own beside one that is under way. Fewer wait for its end: three RPCs and three
	// commits of their own would take longer than that, and keep from it the processors that it needs.
	enough = 100
	// patience is how long requests wait for those before them. Services that take longer are not busy but slow, and then what is saved by
	// going together is not worth the time that is lost of the deadline.
	patience = 100 * time.Millisecond
)

// together writes as one what comes while a workspace's requests are under way, so that a message to each service, and a commit of each,
// serves all of it. What finds nothing under way goes at once.
type together struct {
	// write writes parts of requests of one workspace as one, and notes in each what became of it.
	write func(ctx context.Context, parts []*part) error

	mu    sync.Mutex
	lines map[string]*line // by workspace; of those that have something under way
}

// line is the parts of one workspace's requests.
type line struct {
	underWay int
	waiting  []*part
	relief   *time.Timer // runs while something waits
}

// part is as much of one request as is written at once.
type part struct {
	ctx     context.Context //nolint:containedctx // that of the request: whoever writes it for others has to know until when, and for whom
	request Request
	size    int // roughly, as a message

	taken context.Context //nolint:containedctx // that with which it is written, once it is; guarded by the lock of together

	done     chan struct{} // closed when these are known
	recorded Recorded
	err      error
}

// record writes a part, perhaps with others, and returns what became of it. It returns when the context of the part ends, at the latest.
func (t *together) record(p *part) (Recorded, error) {
	t.join(p)
	select {
	case <-p.done:
	case <-p.ctx.Done():
		if !t.over(p) {
			return Recorded{}, status.FromContextError(p.ctx.Err()).Err()
		}
		<-p.done // any moment now, and it says which service was waited for
	}
	if panicked := (panickedError{}); errors.As(p.err, &panicked) {
		panic(panicked.Panicked)
	}
	return p.recorded, p.err
}

func (t *together) join(p *part) {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.lines[p.request.Workspace]
	if l == nil {
		l = &line{}
		l.relief = time.AfterFunc(patience, func() { t.relieve(p.request.Workspace, l) })
		t.lines[p.request.Workspace] = l
	}
	l.waiting = append(l.waiting, p)
	switch {
	case l.underWay == 0 || l.underWay < atOnce && l.hasEnough():
		t.begin(p.request.Workspace, l)
	case len(l.waiting) == 1:
		l.relief.Reset(patience)
	}
}

// relieve has what waits for too long written beside what is under way.
func (t *together) relieve(workspace string, l *line) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(l.waiting) > 0 {
		t.begin(workspace, l)
	}
}

func (t *together) begin(workspace string, l *line) {
	l.underWay++
	go t.serve(workspace, l)
}

// over says whether p is being written, and for nobody who would still wait for it.
func (t *together) over(p *part) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return p.taken != nil && p.taken.Err() != nil
}

// serve writes what waits until nothing does, or others suffice for it. Its RPCs end with the last of their requests, so it outlives none.
func (t *together) serve(workspace string, l *line) {
	parts, ctx, cancel := t.next(workspace, l, true)
	for len(parts) > 0 {
		t.send(ctx, parts)
		cancel()
		for _, p := range parts {
			close(p.done)
		}
		parts, ctx, cancel = t.next(workspace, l, false)
	}
}

// next takes the parts that are written next as one. None: nothing waits, or not enough beside what else is under way; then that is one
// less. What was begun because it was time takes whatever there is.
func (t *together) next(workspace string, l *line, begun bool) ([]*part, context.Context, context.CancelFunc) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var parts []*part
	if begun || l.underWay == 1 || l.underWay <= atOnce && l.hasEnough() {
		parts = l.take()
	}
	if len(parts) == 0 {
		if l.underWay--; l.underWay == 0 {
			l.relief.Stop()
			delete(t.lines, workspace)
		}
		return nil, nil, nil
	}
	ctx, cancel := contextOf(parts)
	for _, p := range parts {
		p.taken = ctx
	}
	return parts, ctx, cancel
}

// hasEnough says whether what waits is worth being written beside what is under way.
func (l *line) hasEnough() bool {
	calls := 0
	for _, p := range l.waiting {
		if calls += len(p.request.Calls) + len(p.request.Rejections); calls >= enough {
			return true
		}
	}
	return false
}

// take takes what waits, or the first of it if it is too much for one message. Nobody waits any more for what is out of time.
func (l *line) take() []*part {
	l.waiting = slices.DeleteFunc(l.waiting, func(p *part) bool { return p.ctx.Err() != nil })
	n, size, items := 0, 0, 0
	for _, p := range l.waiting {
		size, items = size+p.size, items+len(p.request.Calls)+len(p.request.Rejections)
		if n > 0 && (size > maxPart || items > callproto.MaxBatch) {
			break
		}
		n++
	}
	parts := l.waiting[:n:n]
	if l.waiting = l.waiting[n:]; len(l.waiting) > 0 {
		l.relief.Reset(patience)
	} else {
		l.waiting = nil
		l.relief.Stop()
	}
	return parts
}

// contextOf returns the context to write parts with: it ends with the last of theirs. It is the first one's in all else, so that is whose
// trace shows the RPCs; the traces of the others lead to it.
func contextOf(parts []*part) (context.Context, context.CancelFunc) {
	first := parts[0].ctx
	if len(parts) == 1 {
		return context.WithCancel(first)
	}
	shows := trace.SpanContextFromContext(first)
	for _, p := range parts[1:] {
		if span := trace.SpanFromContext(p.ctx); span.IsRecording() {
			span.AddLink(trace.Link{SpanContext: shows})
		}
	}
	ctx := context.WithoutCancel(first)
	if last, ok := lastDeadline(parts); ok {
		return context.WithDeadline(ctx, last)
	}
	return context.WithCancel(ctx)
}

// lastDeadline returns when the last of parts has to be done, unless one of them has all the time there is.
func lastDeadline(parts []*part) (last time.Time, ok bool) {
	for _, p := range parts {
		until, ok := p.ctx.Deadline()
		if !ok {
			return time.Time{}, false
		}
		if until.After(last) {
			last = until
		}
	}
	return last, true
}

// send writes parts as one. Where that fails for a reason that may lie in one of them, each is written alone: no request fails for what
// another holds.
func (t *together) send(ctx context.Context, parts []*part) {
	err := t.attempt(ctx, parts)
	if err == nil {
		return
	}
	for i, p := range parts {
		p.err = err
		if len(parts) > 1 && !outage(err) {
			p.err = t.attempt(p.ctx, parts[i:i+1])
		}
	}
}

// attempt is write that returns a panic as an error.
func (t *together) attempt(ctx context.Context, parts []*part) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panickedError{observe.PanickedWith(p, debug.Stack())}
		}
	}()
	return t.write(ctx, parts)
}

// panickedError is a panic on its way to the goroutine of the request.
type panickedError struct{ *observe.Panicked }

// Error implements error.
func (panickedError) Error() string { return "panicked" }

// outage says whether an error is that of a service which takes nothing at the moment, whatever it is sent.
func outage(err error) bool {
	switch status.Code(err) {
	case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled, codes.ResourceExhausted, codes.Aborted:
		return true
	default:
		return false
	}
}
