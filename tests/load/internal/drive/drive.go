// Package drive sends calls to a server over kept connections and measures how it answers: in a closed loop, where each connection sends its next
// request once the last is answered, or in an open one, where requests are due at a rate whatever the answers do. In the open loop a request's
// latency counts from when it was due, not from when a connection was free for it, so that what waited behind a slow answer is not left out.
package drive

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sojournhq/sojourn/tests/load/internal/traffic"
)

// Config is one measurement.
type Config struct {
	// Address is the server's host and port, and WriteKey the source's.
	Address, WriteKey string
	Connections       int
	// Batch is how many calls are in a request; 0: single calls, each to the path of its type.
	Batch int
	// Rate is how many calls a second are due; 0: a closed loop.
	Rate float64
	// First is the number of the first call. The load ends after Duration, and after Calls if that is not 0; then it is measured from the first.
	First    uint64
	Calls    uint64
	Duration time.Duration
	// Retry sends a request again that is answered 429 or 503, as Segment does, only sooner.
	Retry bool
	// Warmup is for how long it runs before it is measured.
	Warmup time.Duration
	// Progress is told once a second how many calls are answered, and the calls a second since it was last told.
	Progress func(calls uint64, rate float64)
	// Begin and End are called when measuring begins and ends.
	Begin, End func()
}

// MaxBatchBytes is how long a batch may be: Segment's limit, and the gateway's.
const MaxBatchBytes = 500 << 10

// run is a measurement under way.
type run struct {
	Config
	stream *traffic.Stream
	next   atomic.Uint64 // the call to send next, from First on
	calls  atomic.Uint64 // that were answered 200
	slot   atomic.Uint64 // the request that is due next, in an open loop
	began  time.Time
	from   time.Time // when measuring begins
	until  time.Time
	last   uint64 // the call not to send any more

	mutex sync.Mutex
	tally *tally
}

// Run sends the stream's calls from c.First on. An error means that nothing could be measured; what was not answered 200 is counted in the result.
func Run(ctx context.Context, stream *traffic.Stream, c Config) (Result, error) {
	if c.Connections < 1 {
		return Result{}, errors.New("connections must be at least 1")
	}
	r := &run{Config: c, stream: stream, tally: newTally(), last: ^uint64(0)}
	if c.Calls > 0 {
		r.last, r.Warmup = c.First+c.Calls, 0
	}
	r.next.Store(c.First)
	workers := make([]*worker, c.Connections)
	for i := range workers {
		w, err := r.connect()
		if err != nil {
			return Result{}, fmt.Errorf("connect: %w", err)
		}
		defer w.close()
		workers[i] = w
	}
	r.began = time.Now()
	r.from, r.until = r.began.Add(r.Warmup), r.began.Add(r.Warmup+c.Duration)
	return r.work(ctx, workers), nil
}

func (r *run) work(ctx context.Context, workers []*worker) Result {
	ctx, stop := context.WithCancel(ctx)
	var group, beside sync.WaitGroup
	var begin mark
	if r.Warmup == 0 {
		begin = r.begin() // before the first call is sent
	}
	beside.Go(func() {
		if r.Warmup > 0 {
			begin = r.warm(ctx)
		}
		r.watch(ctx)
	})
	for _, w := range workers {
		group.Go(func() { w.work(ctx) })
	}
	group.Wait()
	end := mark{r.calls.Load(), time.Now()}
	if r.End != nil {
		r.End()
	}
	stop()
	beside.Wait()
	return r.tally.result(r.Config, end.calls-begin.calls, end.at.Sub(begin.at), min(r.next.Load(), r.last))
}

// mark is how far a run was, and when.
type mark struct {
	calls uint64
	at    time.Time
}

// begin begins to measure.
func (r *run) begin() mark {
	if r.Begin != nil {
		r.Begin()
	}
	return mark{r.calls.Load(), time.Now()}
}

// warm waits until it is to be measured.
func (r *run) warm(ctx context.Context) mark {
	select {
	case <-time.After(time.Until(r.from)):
		return r.begin()
	case <-ctx.Done():
		return mark{at: r.began}
	}
}

// watch tells of progress until the context ends.
func (r *run) watch(ctx context.Context) {
	before, at := r.calls.Load(), time.Now()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			if calls := r.calls.Load(); r.Progress != nil {
				r.Progress(calls, float64(calls-before)/now.Sub(at).Seconds())
				before, at = calls, now
			}
		}
	}
}

func head(address, path, writeKey string) []byte {
	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Basic %s\r\nContent-Type: application/json\r\nContent-Length: ",
		path, address, base64.StdEncoding.EncodeToString([]byte(writeKey+":")))
}
