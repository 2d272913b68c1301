package fanout

import (
	"context"

	"github.com/sojournhq/sojourn/internal/domain/call"
)

const (
	// maxPart is how much is sent to a service at once, in bytes. A long key above many traits stands in the path of each, so what a
	// request of a few megabytes holds can become more than a service takes in one message.
	maxPart = 16 << 20
	// perTrait is what a trait takes beside its path and its text.
	perTrait = 32
)

// Record writes a request to all services and returns what became of everything in it, at the same index. No error means that every effect
// of every call is durable. After an error any part may be durable or not; sending the same again completes it.
func (f *Fanout) Record(ctx context.Context, r Request) (Recorded, error) {
	all := Recorded{Results: make([]Result, 0, len(r.Calls))}
	for rest := r.Calls; ; {
		part := r
		n := fitting(rest)
		if part.Calls, rest = rest[:n], rest[n:]; len(rest) > 0 {
			part.Rejections = nil // they come with the last part
		}
		recorded, err := f.recordPart(ctx, part)
		if err != nil {
			return Recorded{}, err
		}
		all.Results, all.Repeated = append(all.Results, recorded.Results...), append(all.Repeated, recorded.Repeated...)
		if len(rest) == 0 {
			return all, nil
		}
	}
}

// fitting returns how many calls, from the first one on, are sent at once.
func fitting(calls []Call) int {
	size := 0
	for i := range calls {
		if size += sizeOf(&calls[i]); i > 0 && size > maxPart {
			return i
		}
	}
	return len(calls)
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
