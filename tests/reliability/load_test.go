package reliability_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sojournhq/sojourn/tests/reliability/oracle"
	"github.com/sojournhq/sojourn/tests/reliability/sender"
	"github.com/sojournhq/sojourn/tests/reliability/traffic"
)

// load is clients that send what streams have to say.
type load struct {
	t       *testing.T
	client  *sender.Client
	streams []*traffic.Stream
	batch   int
	pause   time.Duration // between two batches of a client
	made    atomic.Int64  // calls that streams made, each once
	over    atomic.Bool
	group   sync.WaitGroup
}

// clients is how many send at once.
const clients = 6

// newLoad is not started.
func newLoad(t *testing.T, d *deployment, seed uint64, batch int) *load {
	t.Helper()
	l := &load{t: t, client: sender.New(d.url(), writeKeys, 2*sender.Limit), batch: batch}
	for i := range clients {
		l.streams = append(l.streams, traffic.New(workspaces[i%len(workspaces)], seed, i, calendar))
	}
	return l
}

// calendar is long enough ago for no clock of a test to find it ahead.
var calendar = time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC).UnixMilli()

// start begins to send; after end it goes on with what the streams have to say next.
func (l *load) start() {
	l.over.Store(false)
	for _, s := range l.streams {
		l.group.Go(func() { l.send(s) })
	}
}

// send sends until the load is over, and then everything that was to come late.
func (l *load) send(s *traffic.Stream) {
	before := 0
	for !l.over.Load() {
		l.deliver(s.Batch(l.batch))
		l.made.Add(int64(len(s.Calls()) - before))
		before = len(s.Calls())
		time.Sleep(l.pause)
	}
	for _, batch := range s.Rest() {
		for len(batch) > l.batch {
			l.deliver(batch[:l.batch])
			batch = batch[l.batch:]
		}
		l.deliver(batch)
	}
}

func (l *load) deliver(batch []oracle.Call) {
	ctx, stop := context.WithTimeout(l.t.Context(), 2*time.Minute)
	defer stop()
	if err := l.client.Deliver(ctx, batch); err != nil {
		l.t.Errorf("a batch is never answered 200: %v", err)
	}
}

// end brings the load to its end: everything made is sent, and answered 200.
func (l *load) end() {
	l.over.Store(true)
	l.group.Wait()
}

// calls are all calls of all streams; the load must have ended.
func (l *load) calls() (all []oracle.Call) {
	for _, s := range l.streams {
		all = append(all, s.Calls()...)
	}
	return all
}

// report says what passed, and fails if answers were wrong, or fewer calls were answered than the test needs to mean something.
func (l *load) report(floor int) {
	l.t.Helper()
	seen := l.client.Seen()
	l.t.Logf("%d calls answered 200, %d of them different ones; attempts by answer %v, the longest took %v",
		seen.Calls, len(l.calls()), seen.Answers, seen.Longest.Round(time.Millisecond))
	if seen.Calls < floor {
		l.t.Errorf("%d calls were answered, want %d", seen.Calls, floor)
	}
	for _, wrong := range seen.Wrong {
		l.t.Errorf("a wrong answer: %s", wrong)
	}
}
