package sessions_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"google.golang.org/grpc"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/callproto"
	"github.com/sojournhq/sojourn/internal/domain/day"
	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/internal/kit/rpc/rpctest"
	"github.com/sojournhq/sojourn/internal/kit/soundness"
	segmentv1 "github.com/sojournhq/sojourn/proto/sojourn/segment/v1"
	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"
	"github.com/sojournhq/sojourn/services/sessions"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
	"github.com/sojournhq/sojourn/services/sessions/internal/storetest"
)

var (
	simulations = flag.Int("simulations", 8, "how many histories to simulate")
	simulated   = flag.Int("days", 100, "how many days each of them lasts")
	firstSeed   = flag.Uint64("seed", 1, "seed of the first; each next has the next seed")
)

// TestYearsOfTrafficWithRestartsDowntimeAndClockJumps lets the service live through days of visits in simulated time. Calls come at once,
// late, very late and twice; the service is stopped and is down for up to ten timeouts; its clock jumps ahead and back; the one who watches
// loses its cursor now and then. At the end sessions, time and what was told must be what the oracle makes of the set of calls.
// A failure names the seed: go test ./services/sessions -run Years -simulations 1 -seed N.
func TestYearsOfTrafficWithRestartsDowntimeAndClockJumps(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		*simulations, *simulated = 2, 20
	}
	for i := range *simulations {
		seed := *firstSeed + uint64(i)
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { simulate(t, seed) })
		})
	}
}

func simulate(t *testing.T, seed uint64) {
	w := &world{
		t: t, dir: t.TempDir(), random: rand.New(rand.NewPCG(seed, 0)), began: time.Now().UnixMilli(),
		sessions: map[string]*sessionsv1.Session{}, revisions: map[string]int64{},
	}
	w.start()
	deliveries := w.traffic(*simulated)
	for end := w.began + int64(*simulated)*dayMS; time.Now().UnixMilli() < end; {
		time.Sleep(time.Duration(w.random.IntN(60*60)+1) * time.Second)
		w.mishap()
		n := len(deliveries)
		if i := slices.IndexFunc(deliveries, func(d delivery) bool { return d.atMS > time.Now().UnixMilli() }); i >= 0 {
			n = i
		}
		w.deliver(deliveries[:n])
		deliveries = deliveries[n:]
	}
	w.deliver(deliveries)
	w.jump(0)
	time.Sleep(3 * 24 * time.Hour)
	synctest.Wait()
	w.compare()
	w.stop()
	err := sessions.Verify(t.Context(), sessions.Config{Dir: w.dir}, func(p soundness.Problem) { t.Errorf("not sound: %s", p) })
	if err != nil {
		t.Error(err)
	}
}

const (
	secondMS = int64(1000)
	minuteMS = 60 * secondMS
	hourMS   = 60 * minuteMS
	dayMS    = 24 * hourMS
)

// world is a service, those who call it, and one who watches.
type world struct {
	t      *testing.T
	dir    string
	random *rand.Rand
	began  int64
	sent   []call.Call

	stop    func()
	ingest  sessionsv1.IngestServiceClient
	query   sessionsv1.QueryServiceClient
	watched sync.WaitGroup

	mutex  sync.Mutex
	offset time.Duration // of the service's clock
	// What the watcher knows.
	cursors   []string
	sessions  map[string]*sessionsv1.Session
	revisions map[string]int64
	told      int
}

// delivery is a call on its way.
type delivery struct {
	atMS int64
	call call.Call
}

// traffic invents the calls of some days, in the order in which they arrive.
func (w *world) traffic(days int) (deliveries []delivery) {
	r, n := w.random, 0
	for d := range int64(days) {
		for range 4 + r.IntN(12) {
			device, user := r.IntN(6), fmt.Sprint("u", r.IntN(3))
			at := w.began + d*dayMS + r.Int64N(dayMS)
			for range 1 + r.IntN(14) {
				at += []int64{0, secondMS, 40 * secondMS, 4 * minuteMS, 12 * minuteMS, 30 * minuteMS, 30*minuteMS + 1, hourMS}[r.IntN(8)]
				n++
				c := call.Call{
					Type: call.Track, MessageID: fmt.Sprintf("m%x", n*7919%1_000_003), TimeMS: at, OriginalMS: at,
					AnonymousID: fmt.Sprint("device ", device), Module: []string{"", "", "a", "b", "c"}[r.IntN(5)],
				}
				if r.IntN(4) > 0 {
					c.UserID = user
				}
				if r.IntN(10) == 0 {
					c.AccountID = "acme"
				}
				for copies := 1 + r.IntN(20)/19; copies > 0; copies-- {
					deliveries = append(deliveries, delivery{at + w.delay(), c})
				}
			}
		}
	}
	slices.SortStableFunc(deliveries, func(a, b delivery) int { return int(a.atMS - b.atMS) })
	return deliveries
}

// delay is how long a call is on its way.
func (w *world) delay() int64 {
	switch n := w.random.IntN(100); {
	case n < 70:
		return w.random.Int64N(2 * secondMS)
	case n < 90:
		return w.random.Int64N(hourMS)
	case n < 98:
		return w.random.Int64N(dayMS)
	default:
		return w.random.Int64N(30 * dayMS)
	}
}

// deliver records calls in batches.
func (w *world) deliver(deliveries []delivery) {
	w.random.Shuffle(len(deliveries), func(i, j int) { deliveries[i], deliveries[j] = deliveries[j], deliveries[i] })
	for len(deliveries) > 0 {
		n := 1 + w.random.IntN(len(deliveries))
		request := &sessionsv1.RecordCallsRequest{Workspace: "w"}
		for _, d := range deliveries[:n] {
			request.Calls = append(request.Calls, callproto.FromCall(&d.call))
			w.sent = append(w.sent, d.call)
		}
		response, err := w.ingest.RecordCalls(w.t.Context(), request)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, result := range response.GetResults() {
			if o := result.GetOutcome(); o != segmentv1.Outcome_OUTCOME_ACCEPTED && o != segmentv1.Outcome_OUTCOME_DUPLICATE {
				w.t.Fatalf("a call was answered %v", result)
			}
		}
		deliveries = deliveries[n:]
	}
}

// mishap lets something go wrong now and then.
func (w *world) mishap() {
	switch w.random.IntN(40) {
	case 0, 1:
		w.restart(0)
	case 2:
		w.restart(time.Duration(w.random.IntN(300)) * time.Minute) // ten timeouts
	case 3:
		w.jump(time.Duration(w.random.Int64N(int64(12 * time.Hour))))
	case 4:
		w.jump(-time.Duration(w.random.Int64N(int64(12 * time.Hour))))
	case 5, 6:
		w.jump(0)
	}
}

func (w *world) jump(to time.Duration) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.offset = to
}

func (w *world) now() time.Time {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return time.Now().Add(w.offset)
}

func (w *world) restart(down time.Duration) {
	w.stop()
	time.Sleep(down)
	w.start()
}

func (w *world) start() {
	service, err := sessions.Open(w.t.Context(), sessions.Config{
		Dir: w.dir, Now: w.now, SweepEvery: time.Minute,
	}, observe.Discard())
	if err != nil {
		w.t.Fatal(err)
	}
	conn, stop := rpctest.Serve(w.t, service)
	w.ingest, w.query = sessionsv1.NewIngestServiceClient(conn), sessionsv1.NewQueryServiceClient(conn)
	watching, leave := context.WithCancel(context.Background())
	w.watch(watching, conn)
	w.stop = func() {
		// The watcher leaves first: gRPC, trying again what the server ends, would wait with a lock held, and the bubble's time stand still.
		leave()
		w.watched.Wait()
		stop()
	}
}

// watch goes on from the last cursor, or from one before it, as if the last was lost.
func (w *world) watch(ctx context.Context, conn *grpc.ClientConn) {
	if n := len(w.cursors); n > 0 {
		w.cursors = w.cursors[:n-w.random.IntN(min(n, 5))]
	}
	request := &sessionsv1.WatchSessionsRequest{Workspace: "w"}
	if n := len(w.cursors); n > 0 {
		request.Cursor = w.cursors[n-1]
	}
	w.watched.Go(func() {
		stream, err := sessionsv1.NewQueryServiceClient(conn).WatchSessions(ctx, request)
		for err == nil {
			var change *sessionsv1.WatchSessionsResponse
			if change, err = stream.Recv(); err == nil {
				w.see(change)
			}
		}
	})
}

func (w *world) see(change *sessionsv1.WatchSessionsResponse) {
	w.cursors = append(w.cursors, change.GetCursor())
	s := change.GetSession()
	if s.GetRevision() <= w.revisions[s.GetId()] {
		return // seen before
	}
	w.told++
	w.revisions[s.GetId()] = s.GetRevision()
	for _, id := range change.GetReplaces() {
		delete(w.sessions, id)
	}
	w.sessions[s.GetId()] = s
}

// seen is what there is to compare of a session.
type seen struct {
	AnonymousID, UserID string
	Start, End, Active  int64
	Events              int64
	Modules             []session.ModuleView
}

func seenOf(s *sessionsv1.Session) seen {
	one := seen{
		s.GetAnonymousId(), s.GetUserId(), s.GetStart().AsTime().UnixMilli(), s.GetEnd().AsTime().UnixMilli(),
		s.GetActive().AsDuration().Milliseconds(), s.GetEvents(), nil,
	}
	for _, m := range s.GetModules() {
		one.Modules = append(one.Modules, session.ModuleView{
			Module: m.GetModule(), DurationMS: m.GetDuration().AsDuration().Milliseconds(), ActiveMS: m.GetActive().AsDuration().Milliseconds(),
		})
	}
	return one
}

func (w *world) compare() {
	oracle := storetest.Oracle{Calls: w.sent, Rules: session.DefaultRules()}
	var want []seen
	for _, v := range oracle.Views(w.now().UnixMilli()) {
		want = append(want, seen{v.First.AnonymousID, v.UserID, v.First.Start.TimeMS, v.EndMS, v.ActiveMS, v.Points, v.Modules})
	}
	unordered := cmpopts.SortSlices(func(a, b seen) bool { return fmt.Sprint(a) < fmt.Sprint(b) })
	var told []seen
	for _, s := range w.sessions {
		told = append(told, seenOf(s))
	}
	if diff := cmp.Diff(want, told, unordered); diff != "" {
		w.t.Errorf("what was told (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, w.list(), unordered); diff != "" {
		w.t.Errorf("sessions (-want +got):\n%s", diff)
	}
	wantTime := oracle.Time(session.TimeQuery{Days: day.Span{To: day.Max}, By: [4]bool{true, true, true, true}})
	if diff := cmp.Diff(wantTime, w.time()); diff != "" {
		w.t.Errorf("time (-want +got):\n%s", diff)
	}
	w.t.Logf("%d calls, %d sessions, %d changes told", len(w.sent), len(want), w.told)
}

func (w *world) list() (all []seen) {
	request := &sessionsv1.ListSessionsRequest{Workspace: "w", PageSize: 1000, State: sessionsv1.SessionState_SESSION_STATE_ENDED}
	for {
		page, err := w.query.ListSessions(w.t.Context(), request)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, s := range page.GetSessions() {
			all = append(all, seenOf(s))
		}
		if request.PageToken = page.GetNextPageToken(); request.GetPageToken() == "" {
			return all
		}
	}
}

func (w *world) time() (rows []session.TimeRow) {
	request := &sessionsv1.QueryTimeRequest{Workspace: "w", PageSize: 1000, GroupBy: []sessionsv1.GroupBy{
		sessionsv1.GroupBy_GROUP_BY_ACCOUNT, sessionsv1.GroupBy_GROUP_BY_USER,
		sessionsv1.GroupBy_GROUP_BY_MODULE, sessionsv1.GroupBy_GROUP_BY_DAY,
	}}
	for {
		page, err := w.query.QueryTime(w.t.Context(), request)
		if err != nil {
			w.t.Fatal(err)
		}
		for _, r := range page.GetRows() {
			span, err := day.ParseSpan(r.GetDay(), r.GetDay())
			if err != nil {
				w.t.Fatal(err)
			}
			rows = append(rows, session.TimeRow{
				Group:    session.Group{AccountID: r.GetAccountId(), UserID: r.GetUserId(), Module: r.GetModule(), Day: span.From},
				Sessions: r.GetSessions(), Users: r.GetUsers(),
				DurationMS: r.GetDuration().AsDuration().Milliseconds(), ActiveMS: r.GetActive().AsDuration().Milliseconds(),
			})
		}
		if request.PageToken = page.GetNextPageToken(); request.GetPageToken() == "" {
			return rows
		}
	}
}
