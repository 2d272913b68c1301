package limit_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/sojournhq/sojourn/gateway/internal/limit"
)

const address = "192.0.2.1:1000"

func open(t *testing.T, c limit.Config) *limit.Limits {
	t.Helper()
	l, err := limit.New(c, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// of is the only source of a workspace.
func of(workspace string) limit.Source { return limit.Source{Workspace: workspace, Source: "web"} }

// kib is the unit of work in these tests.
const kib = 1 << 10

// request goes through all steps with n calls of a KiB, and keeps the services busy for a while.
func request(l *limit.Limits, from limit.Source, n int, busy time.Duration) error {
	pass := l.Arrive(address)
	defer pass.Leave()
	if err := pass.Enter(from); err != nil {
		return err
	}
	if err := pass.Work(context.Background(), n*kib); err != nil {
		return err
	}
	if err := pass.Spend(n); err != nil {
		return err
	}
	time.Sleep(busy)
	pass.Done(false)
	return nil
}

// refused returns the refusal that err is.
func refused(t *testing.T, err error) *limit.RefusedError {
	t.Helper()
	var refusal *limit.RefusedError
	if !errors.As(err, &refusal) {
		t.Fatalf("got %v, want a refusal", err)
	}
	return refusal
}

// services do so many KiB a second, in the order in which they are asked.
type services struct {
	perSecond int

	mu   sync.Mutex
	idle time.Time // when they have done what they were asked
}

// ask returns how long it takes until n KiB are done.
func (s *services) ask(n int) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := time.Now(); s.idle.Before(now) {
		s.idle = now
	}
	s.idle = s.idle.Add(time.Duration(n) * time.Second / time.Duration(s.perSecond))
	return time.Until(s.idle)
}

// send asks the services for n KiB within the limits, and returns how long it took with all waiting.
func (s *services) send(l *limit.Limits, workspace string, n int) (took time.Duration, err error) {
	began := time.Now()
	pass := l.Arrive(address)
	defer pass.Leave()
	if err := pass.Enter(of(workspace)); err != nil {
		return 0, err
	}
	if err := pass.Work(context.Background(), n*kib); err != nil {
		return 0, err
	}
	time.Sleep(s.ask(n))
	pass.Done(false)
	return time.Since(began), nil
}

func TestAPoliteWorkspaceIsNeverRefusedAndInTimeHoweverMuchOthersAskFor(t *testing.T) {
	const settled, deadline = 10 * time.Second, 4 * time.Second
	duration := 30 * time.Second
	if testing.Short() {
		duration = 15 * time.Second
	}
	for name, c := range map[string]struct{ perSecond, greedy, requests, size int }{
		"thousands of requests of one":         {500, 1, 5000, 1},
		"thousands with many calls each":       {1000, 1, 2000, 30},
		"the largest batches":                  {1000, 1, 200, 500},
		"the largest batches, slow services":   {300, 1, 200, 500},
		"fast services":                        {20_000, 1, 3000, 30},
		"fifty that want everything, and fast": {5_000, 50, 50, 20},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, behind, began := open(t, limit.Config{}), &services{perSecond: c.perSecond}, time.Now()
				var refusals, done, late atomic.Int64
				var all sync.WaitGroup
				for g := range c.greedy * c.requests {
					all.Go(func() {
						for time.Since(began) < duration {
							took, err := behind.send(l, fmt.Sprint("greedy", g%c.greedy), c.size)
							switch {
							case err != nil:
								refusals.Add(1)
								time.Sleep(time.Second + rand.N(time.Second))
							case time.Since(began) < settled:
							case took > deadline:
								late.Add(1)
							default:
								done.Add(int64(c.size))
							}
						}
					})
				}
				time.Sleep(settled)
				var polite atomic.Int64
				for range 3 {
					all.Go(func() {
						for time.Since(began) < duration {
							took, err := behind.send(l, "polite", 2)
							if err != nil || took > deadline {
								t.Errorf("the polite one: %v after %v", err, took)
								return
							}
							polite.Add(1)
							time.Sleep(100 * time.Millisecond)
						}
					})
				}
				all.Wait()
				possible := int64(c.perSecond) * int64((duration-settled)/time.Second)
				t.Logf("of %d KiB the greedy had %d, with %d requests refused and %d late; the polite had %d answers",
					possible, done.Load(), refusals.Load(), late.Load(), polite.Load())
				if polite.Load() < int64((duration-settled)/(2*time.Second)) {
					t.Errorf("the polite one had only %d answers", polite.Load())
				}
				// Goodput must not collapse: what is taken on is done in time.
				if late.Load() > 0 || refusals.Load() == 0 || done.Load() < possible*7/10 {
					t.Errorf("of %d KiB the greedy had %d, with %d requests refused and %d late", possible, done.Load(), refusals.Load(), late.Load())
				}
			})
		})
	}
}

func TestHowMuchIsWorkedOnFollowsWhatTheServicesDoInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		registry := prometheus.NewRegistry()
		l, err := limit.New(limit.Config{}, registry)
		if err != nil {
			t.Fatal(err)
		}
		behind, began := &services{perSecond: 100_000}, time.Now()
		var all sync.WaitGroup
		for range 800 {
			all.Go(func() {
				for time.Since(began) < 30*time.Second {
					if _, err := behind.send(l, "w", 20); err != nil {
						time.Sleep(time.Second)
					}
				}
			})
		}
		size := func() float64 { return total(t, registry, "sojourn_gateway_work_limit_bytes") }
		if got := size(); got != 1<<20 {
			t.Errorf("at first it is %v", got)
		}
		time.Sleep(8 * time.Second)
		if got := size(); got < 6<<20 || got > 8<<20 {
			t.Errorf("with services that do 100 MiB a second it is %v", got)
		}
		behind.mu.Lock()
		behind.perSecond = 200
		behind.mu.Unlock()
		time.Sleep(20 * time.Second)
		if got := size(); got > 400<<10 {
			t.Errorf("with services that do 200 KiB a second it is %v", got)
		}
		all.Wait()
	})
}

func TestWithoutPressureNothingGrows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		registry := prometheus.NewRegistry()
		l, err := limit.New(limit.Config{}, registry)
		if err != nil {
			t.Fatal(err)
		}
		for range 1000 {
			if err := request(l, of("w"), 1, time.Millisecond); err != nil {
				t.Fatal(err)
			}
		}
		if got := total(t, registry, "sojourn_gateway_work_limit_bytes"); got != 1<<20 {
			t.Errorf("it is %v", got)
		}
	})
}

func TestWorkThatHangsLeavesALittleRoomAndMoreOnceItGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		registry := prometheus.NewRegistry()
		l, err := limit.New(limit.Config{}, registry)
		if err != nil {
			t.Fatal(err)
		}
		var busy atomic.Int64
		busy.Store(int64(4 * time.Second))
		began := time.Now()
		var all sync.WaitGroup
		for range 100 {
			all.Go(func() {
				for time.Since(began) < 3*time.Minute {
					if request(l, of("w"), 20, time.Duration(busy.Load())) != nil {
						time.Sleep(time.Second)
					}
				}
			})
		}
		time.Sleep(2 * time.Minute)
		if got := total(t, registry, "sojourn_gateway_work_limit_bytes"); got != 64<<10 {
			t.Errorf("after two minutes in which every request took 4 s it is %v", got)
		}
		busy.Store(int64(100 * time.Millisecond))
		time.Sleep(time.Minute)
		all.Wait()
		if got := total(t, registry, "sojourn_gateway_work_limit_bytes"); got < 1<<20 {
			t.Errorf("a minute later it is %v", got)
		}
	})
}

func TestNoMoreIsUnderWayThanTheLimitsSayAndAllIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		registry := prometheus.NewRegistry()
		l, err := limit.New(limit.Config{Requests: 40, WorkBytes: 300 * kib, BodyBytes: 100 * kib}, registry)
		if err != nil {
			t.Fatal(err)
		}
		random := rand.New(rand.NewPCG(1, 2))
		var all sync.WaitGroup
		for i := range 3000 {
			n, late := 1+random.IntN(20), time.Duration(random.IntN(20000))*time.Millisecond
			size, busy, inBody := random.IntN(12<<10), time.Duration(random.IntN(900))*time.Millisecond, random.IntN(2) == 0
			all.Go(func() {
				time.Sleep(late)
				pass := l.Arrive(fmt.Sprintf("192.0.2.%d:1", i%5))
				defer pass.Leave()
				from := of(fmt.Sprint("w", i%7))
				if inBody && pass.EnterUnknown() != nil || !inBody && pass.Enter(from) != nil {
					return
				}
				if _, err := pass.ReadAll(strings.NewReader(strings.Repeat("x", size)), -1); err != nil {
					return
				}
				if inBody && pass.Enter(from) != nil {
					return
				}
				if pass.Work(t.Context(), n*kib) == nil {
					time.Sleep(busy)
				}
			})
		}
		most := map[string]float64{}
		for range 2500 {
			time.Sleep(10 * time.Millisecond)
			for name, limit := range map[string]float64{
				"sojourn_gateway_requests_under_way": 40, "sojourn_gateway_work_bytes": 300 * kib, "sojourn_gateway_body_bytes": 100 * kib,
			} {
				got := total(t, registry, name)
				if got > limit || got < 0 {
					t.Fatalf("%s is %v, and may be %v", name, got, limit)
				}
				most[name] = max(most[name], got/limit)
			}
		}
		all.Wait()
		for name, part := range most {
			if part < 0.4 {
				t.Errorf("%s was never above %.2f of what is allowed", name, part)
			}
			if got := total(t, registry, name); got != 0 {
				t.Errorf("%s is %v in the end", name, got)
			}
		}
	})
}

// total returns the sum over all series of a metric.
func total(t *testing.T, from prometheus.Gatherer, name string) (sum float64) {
	t.Helper()
	families, err := from.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == name {
			for _, m := range family.GetMetric() {
				sum += m.GetGauge().GetValue() + m.GetCounter().GetValue()
			}
		}
	}
	return sum
}

func TestWhoIsAloneGetsFourFifthsAndOneOfTwoFourNinths(t *testing.T) {
	l := open(t, limit.Config{Requests: 900})
	enter := func(workspace string) (n int) {
		for l.Arrive(address).Enter(of(workspace)) == nil {
			n++
		}
		return n
	}
	if got := enter("first"); got != 720 {
		t.Errorf("the first got %d places of 900, want 720", got)
	}
	if got := enter("second"); got != 144 {
		t.Errorf("the second got %d of the remaining 180, want 144", got)
	}
	err := l.Arrive(address).Enter(of("first"))
	if r := refused(t, err); r.Overloaded || r.Code != limit.CodeTooManyRequests || r.After != time.Second {
		t.Errorf("beyond its share: %+v", r)
	}
}

func TestWhenNothingIsFreeTheProcessIsOverloaded(t *testing.T) {
	l := open(t, limit.Config{Requests: 3})
	for i := range 3 {
		if err := l.Arrive(address).Enter(of(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	for _, workspace := range []string{"0", "new"} {
		if r := refused(t, l.Arrive(address).Enter(of(workspace))); !r.Overloaded || r.Code != limit.CodeOverloaded || r.After != time.Second {
			t.Errorf("%s: %+v", workspace, r)
		}
	}
}

func TestWorkWaitsForRoomButNotLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := open(t, limit.Config{WorkBytes: 10 * kib})
		first := l.Arrive(address)
		for range 4 {
			if err := first.Work(t.Context(), 2*kib); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		r := refused(t, l.Arrive(address).Work(t.Context(), 2*kib))
		if waited := time.Since(began); waited != 500*time.Millisecond || r.Overloaded {
			t.Errorf("refused after %v with %+v", waited, r)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		began = time.Now()
		_ = refused(t, l.Arrive(address).Work(ctx, 2*kib))
		if waited := time.Since(began); waited != 100*time.Millisecond {
			t.Errorf("with less time it was refused after %v", waited)
		}
		time.AfterFunc(300*time.Millisecond, first.Leave)
		began = time.Now()
		if err := l.Arrive(address).Work(t.Context(), 2*kib); err != nil || time.Since(began) != 300*time.Millisecond {
			t.Errorf("got %v after %v, want room after 300ms", err, time.Since(began))
		}
	})
}

func TestInLineWhoHoldsLeastIsFirstThenWhoWaitsLongest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := open(t, limit.Config{WorkBytes: 100 * kib})
		call := func(workspace string, n int) *limit.Pass {
			pass := l.Arrive(address)
			if err := pass.Enter(of(workspace)); err != nil {
				t.Error(workspace, err)
			}
			if err := pass.Work(t.Context(), n*kib); err != nil {
				t.Error(workspace, err)
			}
			return pass
		}
		held := []*limit.Pass{call("much", 25), call("much", 25), call("some", 25), call("rest", 25)}
		var order []string
		var served []*limit.Pass
		for _, workspace := range []string{"much", "some", "new", "new", "other"} {
			go func() {
				served = append(served, call(workspace, 20))
				order = append(order, workspace)
			}()
			synctest.Wait()
		}
		if len(order) > 0 {
			t.Fatalf("%v did not wait", order)
		}
		for _, i := range []int{3, 0, 1, 2} { // each makes room for one
			held[i].Leave()
			synctest.Wait()
		}
		served[0].Leave()
		synctest.Wait()
		// When the first leaves, much holds 50, some 25, and new and other nothing; then new holds 20; then much and some hold
		// nothing; then new holds nothing any more.
		if got := strings.Join(order, " "); got != "new other much some new" {
			t.Errorf("the order was %s", got)
		}
	})
}

func TestTheLargestBatchPassesASmallPool(t *testing.T) {
	l := open(t, limit.Config{WorkBytes: 8 * kib})
	if err := request(l, of("w"), 10_000, 0); err != nil {
		t.Error(err)
	}
}

func TestWhatIsPromisedTakesLittleMemoryUntilItComesAndThenNoMoreThanIsNeeded(t *testing.T) {
	registry := prometheus.NewRegistry()
	l, err := limit.New(limit.Config{BodyBytes: 1 << 20}, registry)
	if err != nil {
		t.Fatal(err)
	}
	held := func() float64 { return total(t, registry, "sojourn_gateway_body_bytes") }
	for _, c := range []struct{ promised, comes, holds int }{
		{700, 700, 701},
		{700, 0, 701},
		{0, 0, 1},
		{4095, 4095, 4096},
		{4096, 4096, 4097},
		{70_000, 70_000, 70_001},
		{70_000, 100, 4 << 10},
		{70_000, 4 << 10, 32 << 10},
		{1 << 40, 10_000, 32 << 10},
		{5_000, 6_000, 10_002}, // which HTTP does not let happen
	} {
		pass, text := l.Arrive(address), strings.Repeat("x", c.comes)
		body, err := pass.ReadAll(strings.NewReader(text), int64(c.promised))
		if err != nil || string(body) != text || held() != float64(c.holds) {
			t.Errorf("%+v: read %d bytes, holding %v, %v", c, len(body), held(), err)
		}
		pass.Leave()
	}
}

func TestABodyTakesMemoryAsItComesAndGivesItBack(t *testing.T) {
	registry := prometheus.NewRegistry()
	l, err := limit.New(limit.Config{BodyBytes: 100 << 10}, registry)
	if err != nil {
		t.Fatal(err)
	}
	held := func() float64 { return total(t, registry, "sojourn_gateway_body_bytes") }
	from, to := io.Pipe()
	slow, done := l.Arrive(address), make(chan error)
	go func() {
		_, err := slow.ReadAll(from, -1)
		done <- err
	}()
	if _, err := to.Write([]byte("{")); err != nil {
		t.Fatal(err)
	}
	if got := held(); got != 4<<10 {
		t.Errorf("a body that has begun holds %v bytes", got)
	}
	if err := to.CloseWithError(errors.New("reset")); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err == nil || err.Error() != "reset" {
		t.Errorf("reading ended with %v", err)
	}
	slow.Leave()
	whole, text := l.Arrive(address), strings.Repeat("0123456789", 2000)
	if body, err := whole.ReadAll(strings.NewReader(text), -1); err != nil || string(body) != text {
		t.Errorf("read %d bytes of %d, %v", len(body), len(text), err)
	}
	if got := held(); got != 32<<10 {
		t.Errorf("20,000 bytes hold %v", got)
	}
	long := l.Arrive(address)
	if r := refused(t, errOf(long.ReadAll(strings.NewReader(strings.Repeat("x", 90<<10)), -1))); r.Overloaded {
		t.Errorf("beyond its share: %+v", r)
	}
	long.Leave()
	other := l.Arrive("198.51.100.1:1")
	if _, err := other.ReadAll(strings.NewReader(text), -1); err != nil {
		t.Errorf("another address: %v", err)
	}
	for _, pass := range []*limit.Pass{whole, other} {
		pass.Leave()
		pass.Leave() // does nothing
	}
}

func errOf(_ []byte, err error) error { return err }

func TestWhatAnUnknownSenderHoldsBecomesItsWorkspaces(t *testing.T) {
	registry := prometheus.NewRegistry()
	l, err := limit.New(limit.Config{Requests: 10, BodyBytes: 100 << 10}, registry)
	if err != nil {
		t.Fatal(err)
	}
	pass := l.Arrive(address)
	if err := pass.EnterUnknown(); err != nil {
		t.Fatal(err)
	}
	if _, err := pass.ReadAll(strings.NewReader("{}"), -1); err != nil {
		t.Fatal(err)
	}
	compare := func(workspace string) {
		t.Helper()
		want := fmt.Sprintf("# HELP sojourn_gateway_requests_under_way Requests for calls that are under way, by workspace (empty: not known yet).\n"+
			"# TYPE sojourn_gateway_requests_under_way gauge\n%s", workspace)
		if err := testutil.GatherAndCompare(registry, strings.NewReader(want), "sojourn_gateway_requests_under_way"); err != nil {
			t.Error(err)
		}
	}
	compare("sojourn_gateway_requests_under_way{workspace=\"\"} 1\n")
	if err := pass.Enter(of("acme")); err != nil {
		t.Fatal(err)
	}
	compare("sojourn_gateway_requests_under_way{workspace=\"\"} 0\nsojourn_gateway_requests_under_way{workspace=\"acme\"} 1\n")
	pass.Leave()
	compare("sojourn_gateway_requests_under_way{workspace=\"\"} 0\n")
}

func TestUnknownSendersShareByNetwork(t *testing.T) {
	l := open(t, limit.Config{Requests: 10})
	enter := func(address string) (n int) {
		for l.Arrive(address).EnterUnknown() == nil {
			n++
		}
		return n
	}
	if got := enter("[2001:db8::1]:1"); got != 8 {
		t.Errorf("the first got %d places of 10", got)
	}
	if got := enter("[2001:db8::ffff:2]:1"); got != 0 {
		t.Errorf("a neighbour in its network got %d", got)
	}
	if got := enter("[2001:db8:1::1]:1"); got != 1 {
		t.Errorf("another got %d of the remaining two", got)
	}
	if got := enter("not an address"); got != 1 {
		t.Errorf("the last got %d", got)
	}
}

func TestAWorkspaceGetsNoMoreByKeysInBodies(t *testing.T) {
	l := open(t, limit.Config{Requests: 100})
	entered := 0
	for i := range 200 {
		pass := l.Arrive(fmt.Sprintf("192.0.2.%d:1", i))
		if pass.EnterUnknown() != nil || pass.Enter(of("acme")) != nil {
			pass.Leave()
			continue
		}
		entered++
	}
	if entered != 80 {
		t.Errorf("%d requests of one workspace entered, want 80 of 100", entered)
	}
	if err := l.Arrive(address).Enter(of("other")); err != nil {
		t.Errorf("another workspace: %v", err)
	}
}

func TestTwoLimitsOnOneRegistryAreAnError(t *testing.T) {
	registry := prometheus.NewRegistry()
	if _, err := limit.New(limit.Config{}, registry); err != nil {
		t.Fatal(err)
	}
	if _, err := limit.New(limit.Config{}, registry); err == nil {
		t.Error("no error")
	}
}

func TestQuestionsAndStreamsHavePlacesOfTheirOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := open(t, limit.Config{Requests: 1, WorkBytes: 1, Questions: 5})
		if err := request(l, of("acme"), 1, 0); err != nil {
			t.Fatal(err)
		}
		var leave []func()
		for range 4 {
			done, err := l.Question(t.Context(), "acme")
			if err != nil {
				t.Fatal(err)
			}
			leave = append(leave, done)
		}
		began := time.Now()
		if r := refused(t, errOfPlace(l.Question(t.Context(), "acme"))); r.Overloaded || time.Since(began) != 500*time.Millisecond {
			t.Errorf("a fifth question of one workspace: %+v after %v", r, time.Since(began))
		}
		if _, err := l.Question(t.Context(), "other"); err != nil {
			t.Errorf("another workspace: %v", err)
		}
		if r := refused(t, errOfPlace(l.Question(t.Context(), "third"))); !r.Overloaded {
			t.Errorf("without any place: %+v", r)
		}
		leave[0]()
		if _, err := l.Question(t.Context(), "third"); err != nil {
			t.Errorf("after one has left: %v", err)
		}
		streams := 0
		for errOfPlace(l.Stream("acme")) == nil {
			streams++
		}
		if streams != 819 {
			t.Errorf("one workspace has %d streams of 1024", streams)
		}
		if _, err := l.Stream("other"); err != nil {
			t.Errorf("a stream of another: %v", err)
		}
	})
}

func errOfPlace(_ func(), err error) error { return err }
