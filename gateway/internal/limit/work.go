package limit

import (
	"context"
	"sync"
	"time"
)

const (
	// minCharge is what the smallest request counts as: each costs the services a message and a part of a commit.
	minCharge = 512
	// minWork is how little may be worked on at once, and firstWork how much at first.
	minWork, firstWork = 64 << 10, 1 << 20
	// goodTime is how long work should take. It leaves most of the deadline to the wait before it, and to a slower moment.
	goodTime = time.Second
)

// work is the pool of what is worked on: bytes of bodies that are parsed and stored. How much a machine and its disks do in a second is
// not known beforehand, and when more is taken on than they can do before the deadline, all of it is late, is sent again, and was done for
// nothing. So the pool shrinks by a fifth when work takes longer than goodTime, at most once in that time, and grows by an eighth in each
// round in which it is well used and takes less than half of that.
type work struct {
	*pool[tenant]

	max int64

	mu  sync.Mutex
	cut time.Time // when it shrank last
}

func newWork(limit int64) *work {
	return &work{pool: newPool[tenant](min(firstWork, limit), maxWait), max: limit}
}

// done takes n bytes back that were worked on for a while, and learns from it. What failed says nothing about how much more could be done.
func (w *work) done(who tenant, n int64, took time.Duration, failed bool, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	size, free := w.sizes()
	switch {
	case took > goodTime && now.Sub(w.cut) > goodTime:
		w.cut = now
		w.resize(max(min(minWork, w.max), size-size/5))
	case took <= goodTime/2 && !failed && free < size/2:
		w.resize(min(w.max, size+max(1, n/8)))
	}
	w.put(who, n)
}

// Work takes room for working on a body of so many bytes. It waits for room for a moment, within ctx.
func (p *Pass) Work(ctx context.Context, bytes int) error {
	size, _ := p.limits.work.sizes()
	// The largest body counts as no more than half, or it would have to wait until everybody else has gone.
	charge := max(1, min(size/2, max(minCharge, int64(bytes))))
	if err := p.limits.work.take(ctx, p.who, charge); err != nil {
		return p.refuse(err, shared("work"))
	}
	p.work, p.began = p.work+charge, time.Now()
	return nil
}

// Done gives back the room for work, once the answer is known and before it is sent: how fast it is read is not the services' doing. Failed
// says that the work did not succeed.
func (p *Pass) Done(failed bool) {
	if p.work > 0 {
		now := time.Now()
		p.limits.work.done(p.who, p.work, now.Sub(p.began), failed, now)
		p.work = 0
	}
}
