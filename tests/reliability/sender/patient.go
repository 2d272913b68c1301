package sender

import (
	"container/heap"
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/sojournhq/sojourn/tests/reliability/oracle"
)

// What Segment does with what it cannot deliver. That it tries for four hours, with growing and random pauses, is documented; how long the pauses get is
// not. Here they stop growing at eight minutes: a sender whose last pause is longer than what is left of its four hours once the gateway is back
// gives up on calls that no receiver in the world could have taken.
const (
	GivesUpAfter = 4 * time.Hour
	firstPause   = time.Second
	longestPause = 8 * time.Minute
)

// Patient is a sender like Segment whose clock is virtual: nothing happens between two attempts, so it does not wait for the next. What an attempt takes
// is real, and so are the five seconds that it may take.
type Patient struct {
	// GivenUp counts batches that were not answered 200 within four hours of their first attempt.
	GivenUp int
	// Failed is how many attempts got no 200.
	Failed int
	// Oldest is how long the batch that waited longest had waited when it was answered 200.
	Oldest time.Duration

	client *Client
	random *rand.Rand
	due    queue
}

// NewPatient returns a sender that has nothing to send.
func NewPatient(client *Client, random *rand.Rand) *Patient {
	return &Patient{client: client, random: random}
}

// Add has a batch sent for the first time at a moment of the virtual clock.
func (p *Patient) Add(at time.Duration, calls []oracle.Call) {
	if len(calls) > 0 {
		heap.Push(&p.due, &parcel{at: at, first: at, pause: firstPause, calls: calls})
	}
}

// Waiting is how many batches are not yet answered.
func (p *Patient) Waiting() int { return len(p.due) }

// atOnce is how many attempts are made side by side.
const atOnce = 16

// Until makes every attempt that is due before a moment of the virtual clock. Attempts are made in the order in which they are due, as many side by
// side as that order nearly allows. It fails if ctx ends.
func (p *Patient) Until(ctx context.Context, end time.Duration) error {
	for ctx.Err() == nil && len(p.due) > 0 && p.due[0].at < end {
		var now []*parcel
		for len(now) < atOnce && len(p.due) > 0 && p.due[0].at < end {
			now = append(now, heap.Pop(&p.due).(*parcel))
		}
		var group sync.WaitGroup
		for _, parcel := range now {
			group.Go(func() { parcel.done, parcel.err = p.client.Try(ctx, parcel.calls) })
		}
		group.Wait()
		for _, parcel := range now {
			if parcel.err != nil {
				return parcel.err
			}
			p.settle(parcel)
		}
	}
	return ctx.Err()
}

// settle decides what becomes of a batch after an attempt.
func (p *Patient) settle(b *parcel) {
	if b.done {
		p.Oldest = max(p.Oldest, b.at-b.first)
		return
	}
	p.Failed++
	b.at += b.pause/2 + time.Duration(p.random.Int64N(int64(b.pause)))
	b.pause = min(2*b.pause, longestPause*2/3) // with what is random of it, at most the longest
	if b.at-b.first > GivesUpAfter {
		p.GivenUp++
		return
	}
	heap.Push(&p.due, b)
}

// parcel is a batch on its way.
type parcel struct {
	at, first, pause time.Duration
	calls            []oracle.Call
	done             bool
	err              error
}

// queue is what is to be sent, the earliest first.
type queue []*parcel

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].at < q[j].at }
func (q queue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)        { *q = append(*q, x.(*parcel)) }
func (q *queue) Pop() any {
	last := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return last
}
