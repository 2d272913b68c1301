package sessions_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	bolt "go.etcd.io/bbolt"

	"github.com/sojournhq/sojourn/internal/kit/boltdb/boltdbtest"
	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/internal/kit/rpc/rpctest"
	segmentv1 "github.com/sojournhq/sojourn/proto/sojourn/segment/v1"
	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"
	"github.com/sojournhq/sojourn/services/sessions"
)

// manySessions is more than the timers of one block.
const manySessions = 1500

// firstTimers returns the first block of the timers of a service that is stopped, and sees that there are others.
func firstTimers(t *testing.T, file string) (sealed []byte) {
	t.Helper()
	boltdbtest.Raw(t, file, func(tx *bolt.Tx) error {
		cursor := tx.Bucket([]byte("timers")).Cursor()
		_, first := cursor.First()
		if next, _ := cursor.Next(); next == nil {
			t.Fatal("all timers are in one block")
		}
		sealed = bytes.Clone(first)
		return nil
	})
	return sealed
}

// rots changes a bit in a file that is in use, wherever it has a text.
func rots(t *testing.T, file string, text []byte) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(file, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	found := 0
	for at := 0; ; found++ {
		next := bytes.Index(content[at:], text)
		if next < 0 {
			break
		}
		at += next + len(text)
		if _, err := f.WriteAt([]byte{content[at-1] ^ 1}, int64(at-1)); err != nil {
			t.Fatal(err)
		}
	}
	if found == 0 {
		t.Fatal("the file does not have it")
	}
}

// lag is what the metric of that name shows, in seconds.
func lag(t *testing.T, from prometheus.Gatherer) float64 {
	t.Helper()
	all, err := from.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range all {
		if family.GetName() == "sojourn_sessions_timer_lag_seconds" {
			return family.GetMetric()[0].GetGauge().GetValue()
		}
	}
	t.Fatal("there is no metric of the lag")
	return 0
}

// toldWithin returns how many ends a watcher is told of within a time, at most so many.
func (c client) toldWithin(t *testing.T, within time.Duration, most int) (told int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	stream, err := c.WatchSessions(ctx, &sessionsv1.WatchSessionsRequest{Workspace: "w"})
	if err != nil {
		t.Fatal(err)
	}
	for ; told < most; told++ {
		if _, err := stream.Recv(); err != nil {
			return told
		}
	}
	return told
}

// TestTimersThatRotWhileTheyAreNeededCostNothingButTime lets a block of timers rot under a service. Ends wait and are seen to wait, nothing
// else does, and when the service is started again all of them are told.
func TestTimersThatRotWhileTheyAreNeededCostNothingButTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		file := filepath.Join(dir, sessions.File)
		c := start(t, dir)
		r := &sessionsv1.RecordCallsRequest{Workspace: "w"}
		one := func(n int) *segmentv1.Call {
			return track("m", time.Now(), func(c *segmentv1.Call) { c.AnonymousId = fmt.Sprint("s", n) })
		}
		for n := range manySessions {
			r.Calls = append(r.Calls, one(n))
		}
		for rest := r.Calls; len(rest) > 0; rest = rest[500:] {
			c.record(t, rest[:500]...)
		}
		c.stop()
		timers := firstTimers(t, file)

		registry := prometheus.NewRegistry()
		deps := observe.Discard()
		deps.Metrics = registry
		service, err := sessions.Open(t.Context(), sessions.Config{Dir: dir}, deps)
		if err != nil {
			t.Fatal(err)
		}
		conn, stop := rpctest.Serve(t, service)
		time.Sleep(time.Minute)
		rots(t, file, timers)
		time.Sleep(2 * time.Hour)
		if got := lag(t, registry); got < 5000 {
			t.Errorf("the lag is %v s, want more than an hour", got)
		}
		running := client{
			IngestServiceClient: sessionsv1.NewIngestServiceClient(conn), QueryServiceClient: sessionsv1.NewQueryServiceClient(conn), stop: stop,
		}
		running.record(t, one(manySessions))
		if list, err := running.ListSessions(t.Context(), &sessionsv1.ListSessionsRequest{Workspace: "w"}); err != nil || len(list.GetSessions()) == 0 {
			t.Errorf("a question: %v", err)
		}
		stop()

		c = start(t, dir)
		time.Sleep(time.Hour)
		if told := c.toldWithin(t, time.Hour, manySessions+1); told != manySessions+1 {
			t.Errorf("%d ends were told, want %d", told, manySessions+1)
		}
		c.stop()
		if problems := verify(t, dir); len(problems) > 0 {
			t.Errorf("%d problems, the first: %s", len(problems), problems[0])
		}
	})
}
