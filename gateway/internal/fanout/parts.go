package fanout

import (
	"context"
	"slices"

	"github.com/sojournhq/sojourn/internal/domain/call"
)

const (
	// maxPart is how much is sent to a service at once, in bytes. A long key above many traits stands in the path of each, so what a
	// request of a few megabytes holds can become more than a service takes in one message.
	maxPart = 16 << 20
	// perTrait is what a trait takes beside its path and its text.
	perTrait = 32
	// perRejection is what a rejection takes beside what was sent.
	perRejection = 512
)

// Record writes a request to all services and returns what became of everything in it, at the same index. No error means that every effect
// of every call is durable. After an error any part may be durable or not; sending the same again completes it. It returns when ctx ends at
// the latest, and what is under way then may go on.
func (f *Fanout) Record(ctx context.Context, r Request) (Recorded, error) {
	all, err := f.recordPart(ctx, &r)
	for err == nil && len(r.Calls) > 0 {
		var recorded Recorded
		recorded, err = f.recordPart(ctx, &r)
		all.Results, all.Repeated = append(all.Results, recorded.Results...), append(all.Repeated, recorded.Repeated...)
	}
	if err != nil {
		return Recorded{}, err
	}
	return all, nil
}

// recordPart writes as much of a request as is sent at once, and takes it out of the request.
func (f *Fanout) recordPart(ctx context.Context, rest *Request) (Recorded, error) {
	n, size := fitting(rest.Calls)
	p := &part{ctx: ctx, request: *rest, size: size, done: make(chan struct{})}
	if p.request.Calls, rest.Calls = rest.Calls[:n], rest.Calls[n:]; len(rest.Calls) > 0 {
		p.request.Rejections = nil // they come with the last part
	}
	if slices.ContainsFunc(p.request.Calls, deletes) {
		// It may take as long as there is of the user, and nobody else is to wait for that.
		err := f.write(ctx, []*part{p})
		return p.recorded, err
	}
	for _, x := range p.request.Rejections {
		p.size += perRejection + min(len(x.Raw), maxBody)
	}
	return f.together.record(p)
}

func deletes(c Call) bool { return c.Call.Type == call.Delete }

// fitting returns how many calls, from the first one on, are sent at once, and roughly how long they are as a message.
func fitting(calls []Call) (n, size int) {
	for i := range calls {
		more := sizeOf(&calls[i])
		if i > 0 && size+more > maxPart {
			return i, size
		}
		size += more
	}
	return len(calls), size
}

// sizeOf returns roughly how long a call is as a message.
func sizeOf(c *Call) int {
	size := len(c.Raw)
	for i := range c.Call.Traits {
		size += traitSize(&c.Call.Traits[i])
	}
	return size
}

func traitSize(t *call.Trait) int { return perTrait + len(t.Path) + len(t.Value.Text) }
