package watch_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/sojournhq/sojourn/internal/kit/rpc/rpctest"
	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"

	"github.com/sojournhq/sojourn/standalone/internal/follow"
	"github.com/sojournhq/sojourn/standalone/internal/watch"
)

type toWatcher = grpc.ServerStreamingServer[sessionsv1.WatchSessionsResponse]

// feed is a sessions service that answers one watch after the other as it is told.
type feed struct {
	sessionsv1.UnimplementedQueryServiceServer

	asked   []*sessionsv1.WatchSessionsRequest
	at      []time.Time
	answers []func(to toWatcher) error
}

func (f *feed) WatchSessions(r *sessionsv1.WatchSessionsRequest, to toWatcher) error {
	n := len(f.asked)
	f.asked, f.at = append(f.asked, r), append(f.at, time.Now())
	return f.answers[n](to)
}

func (f *feed) Register(r grpc.ServiceRegistrar) { sessionsv1.RegisterQueryServiceServer(r, f) }

func (*feed) Close() error { return nil }

// cursors returns what the watches were asked to begin behind.
func (f *feed) cursors() []string {
	var all []string
	for _, r := range f.asked {
		all = append(all, r.GetCursor())
	}
	return all
}

// tells sends removals with cursors from..until-1 and then ends with err.
func tells(from, until int, err error) func(toWatcher) error {
	return func(to toWatcher) error {
		for i := from; i < until; i++ {
			if err := to.Send(removal(i)); err != nil {
				return err
			}
		}
		return err
	}
}

func removal(n int) *sessionsv1.WatchSessionsResponse {
	return &sessionsv1.WatchSessionsResponse{
		Cursor: strconv.Itoa(n), Kind: sessionsv1.ChangeKind_CHANGE_KIND_REMOVED,
		Session: &sessionsv1.Session{Id: "s", Revision: int64(n)},
	}
}

func lines(from, until int) string {
	var all strings.Builder
	for i := from; i < until; i++ {
		fmt.Fprintf(&all, `{"cursor":"%[1]d","kind":"removed","session":{"id":"s","revision":%[1]d}}`+"\n", i)
	}
	return all.String()
}

// run runs a watch of f until the service refuses, and returns what it printed, whose loss it told of, and how it ended.
func run(t *testing.T, f *feed, w watch.Watch) (printed string, lost []string, err error) {
	t.Helper()
	conn, _ := rpctest.Serve(t, f)
	w.Service = sessionsv1.NewQueryServiceClient(conn)
	w.Lost = func(reason string) { lost = append(lost, reason) }
	var out bytes.Buffer
	err = w.Run(t.Context(), &out)
	return out.String(), lost, err
}

var (
	errAway   = status.Error(codes.Unavailable, "away")
	errBroken = status.Error(codes.InvalidArgument, "no more")
)

func TestALineHoldsTheSessionAsADumpDoesAndWhatAWatcherNeeds(t *testing.T) {
	start := time.Date(2026, 11, 1, 23, 50, 0, 1_000_000, time.UTC)
	f := &feed{answers: []func(toWatcher) error{func(to toWatcher) error {
		for _, c := range []*sessionsv1.WatchSessionsResponse{
			{Cursor: "c1", Kind: sessionsv1.ChangeKind_CHANGE_KIND_ENDED, Replaces: []string{"s2", "s3"}, Session: &sessionsv1.Session{
				Id: "s1", AnonymousId: "<a>", UserId: "\x1b[2J\x7f\u009b\u202e", AccountId: "x", Revision: 3, Events: 2, ModulesOmitted: 4,
				State: sessionsv1.SessionState_SESSION_STATE_ENDED,
				Start: timestamppb.New(start), End: timestamppb.New(start.Add(10 * time.Minute)),
				Duration: durationpb.New(10 * time.Minute), Active: durationpb.New(5 * time.Minute),
				Modules: []*sessionsv1.ModuleTime{{Module: "m", Duration: durationpb.New(10 * time.Minute), Active: durationpb.New(5 * time.Minute)}},
			}},
			{Cursor: "c2", Kind: sessionsv1.ChangeKind_CHANGE_KIND_ENDED, Session: &sessionsv1.Session{
				Id: "s4", Revision: 1, Start: timestamppb.New(start), End: timestamppb.New(start),
			}},
			{Cursor: "c3", Kind: sessionsv1.ChangeKind_CHANGE_KIND_REMOVED, Session: &sessionsv1.Session{Id: "s1", AnonymousId: "<a>", Revision: 9}},
		} {
			if err := to.Send(c); err != nil {
				return err
			}
		}
		return errBroken
	}}}
	got, _, _ := run(t, f, watch.Watch{})
	want := `{"cursor":"c1","kind":"ended","session":{"id":"s1","revision":3,"anonymousId":"<a>","start":"2026-11-01T23:50:00.001Z",` +
		`"end":"2026-11-02T00:00:00.001Z","userId":"\u001b[2J\u007f\u009b\u202e","accountId":"x","durationMs":600000,"activeMs":300000,"events":2,` +
		`"modules":[{"module":"m","durationMs":600000,"activeMs":300000}],"modulesOmitted":4},"replaces":["s2","s3"]}
{"cursor":"c2","kind":"ended","session":{"id":"s4","revision":1,"anonymousId":"","start":"2026-11-01T23:50:00.001Z",` +
		`"end":"2026-11-01T23:50:00.001Z","userId":"","accountId":"","durationMs":0,"activeMs":0,"events":0,"modules":[]}}
{"cursor":"c3","kind":"removed","session":{"id":"s1","revision":9}}
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestAStreamThatIsLostIsGoneOnWithFromTheLastCursor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &feed{answers: []func(toWatcher) error{
			tells(1, 3, errAway), tells(3, 3, errAway), tells(3, 3, errAway), tells(3, 5, nil), tells(5, 6, errBroken),
		}}
		printed, lost, err := run(t, f, watch.Watch{Cursor: "0"})
		if want := lines(1, 6); printed != want {
			t.Errorf("printed %s, want %s", printed, want)
		}
		if want := []string{"0", "2", "2", "2", "4"}; !slices.Equal(f.cursors(), want) {
			t.Errorf("watched from %v, want %v", f.cursors(), want)
		}
		if want := []string{"away", "the stream ended"}; !slices.Equal(lost, want) {
			t.Errorf("told of the losses %q, want %q", lost, want)
		}
		var refused *follow.RefusedError
		if !errors.As(err, &refused) || refused.Code != codes.InvalidArgument {
			t.Errorf("ended with %v", err)
		}
	})
}

func TestAWatchFromNowGoesOnFromWhereItBegan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := func(to toWatcher) error {
			if err := to.Send(&sessionsv1.WatchSessionsResponse{Cursor: "here", Kind: sessionsv1.ChangeKind_CHANGE_KIND_BEGIN}); err != nil {
				return err
			}
			return errAway
		}
		f := &feed{answers: []func(toWatcher) error{begin, tells(7, 8, errBroken)}}
		printed, _, _ := run(t, f, watch.Watch{FromNow: true})
		if got, want := f.cursors(), []string{"", "here"}; !slices.Equal(got, want) {
			t.Errorf("asked from %q, want %q", got, want)
		}
		if diff := cmp.Diff(lines(7, 8), printed); diff != "" {
			t.Error(diff)
		}
	})
}

func TestWhoIsAwayIsTriedMoreAndMoreSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &feed{}
		for range 9 {
			f.answers = append(f.answers, tells(0, 0, errAway))
		}
		f.answers = append(f.answers, func(to toWatcher) error { // a stream on which nothing happens, but for long
			<-time.After(time.Hour)
			return errAway
		}, tells(0, 0, errBroken))
		_, lost, _ := run(t, f, watch.Watch{FromNow: true})
		var pauses []float64
		for i := 1; i < 10; i++ {
			pauses = append(pauses, f.at[i].Sub(f.at[i-1]).Seconds())
		}
		if want := []float64{.5, 1, 2, 4, 8, 15, 15, 15, 15}; !slices.Equal(pauses, want) {
			t.Errorf("paused for %v seconds, want %v", pauses, want)
		}
		if got := f.at[10].Sub(f.at[9]); got != time.Hour+time.Second/2 {
			t.Errorf("a stream that lasted an hour was opened again after %v", got-time.Hour)
		}
		if len(lost) != 2 || !strings.Contains(lost[0], "missing") {
			t.Errorf("told of the losses %q", lost)
		}
	})
}

func TestARefusalEndsTheWatchAndSaysWhatToDo(t *testing.T) {
	for code, says := range map[codes.Code]string{
		codes.InvalidArgument:  "the watch is refused: the very message",
		codes.Unimplemented:    "the watch is refused: the very message",
		codes.OutOfRange:       "(the very message): begin a watch without a cursor",
		codes.Unauthenticated:  "the query token is not accepted: the very message",
		codes.PermissionDenied: "the query token is not accepted: the very message",
	} {
		f := &feed{answers: []func(toWatcher) error{tells(0, 0, status.Error(code, "the very message"))}}
		_, lost, err := run(t, f, watch.Watch{})
		if err == nil || !strings.Contains(err.Error(), says) || len(lost) > 0 {
			t.Errorf("%v: %v, want %q; losses %q", code, err, says, lost)
		}
	}
}

// page notes how much had been printed when a cursor was kept.
type page struct {
	bytes.Buffer

	kept map[string]string
}

func (p *page) keep(cursor string) error {
	p.kept[cursor] = p.String()
	return nil
}

func TestACursorIsKeptWhenItsLineIsWrittenAndNothingMoreIsWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const many = 1000
		f := &feed{answers: []func(toWatcher) error{func(to toWatcher) error {
			if err := tells(0, many, nil)(to); err != nil {
				return err
			}
			<-to.Context().Done()
			return to.Context().Err()
		}}}
		conn, _ := rpctest.Serve(t, f)
		ctx, interrupt := context.WithCancel(t.Context())
		out := &page{kept: map[string]string{}}
		done := make(chan error, 1)
		go func() {
			done <- watch.Watch{Service: sessionsv1.NewQueryServiceClient(conn), Keep: out.keep}.Run(ctx, out)
		}()
		synctest.Wait()
		if out.kept[strconv.Itoa(many-1)] == "" {
			t.Errorf("the last cursor is not kept")
		}
		for cursor, printed := range out.kept {
			if n, _ := strconv.Atoi(cursor); printed != lines(0, n+1) {
				t.Errorf("when cursor %s was kept, %d lines had been printed", cursor, strings.Count(printed, "\n"))
			}
		}
		interrupt()
		if err := <-done; err != nil {
			t.Errorf("interrupted, it ended with %v", err)
		}
	})
}

// brokenPipe takes no line.
type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestNoCursorIsKeptOfALineThatCouldNotBeWritten(t *testing.T) {
	endless := func(to toWatcher) error { return tells(0, 1_000_000, nil)(to) }
	conn, _ := rpctest.Serve(t, &feed{answers: []func(toWatcher) error{endless, endless}})
	w := watch.Watch{Service: sessionsv1.NewQueryServiceClient(conn), Keep: func(string) error {
		t.Error("a cursor was kept")
		return nil
	}}
	if err := w.Run(t.Context(), brokenPipe{}); err == nil || !strings.Contains(err.Error(), "broken pipe") {
		t.Errorf("ended with %v", err)
	}
	w.Keep = func(string) error { return errors.New("disk full") }
	if err := w.Run(t.Context(), &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("ended with %v", err)
	}
}

func TestAFileKeepsTheLastCursor(t *testing.T) {
	f := watch.File(filepath.Join(t.TempDir(), "cursor"))
	for _, want := range []string{"", "c1", "c2"} {
		if want != "" {
			if err := f.Keep(want); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := f.Cursor(); err != nil || got != want {
			t.Errorf("cursor %q, %v, want %q", got, err, want)
		}
	}
	if _, err := watch.File(t.TempDir()).Cursor(); err == nil {
		t.Error("a directory holds a cursor")
	}
}
