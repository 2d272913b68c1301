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

// request goes through all steps with n calls, and keeps the services busy for a while. It returns how long it waited for them.
func request(l *limit.Limits, from limit.Source, n int, busy time.Duration) (waited time.Duration, err error) {
	began := time.Now()
	pass := l.Arrive(address)
	defer pass.Leave()
	if err := pass.Enter(from); err != nil {
		return time.Since(began), err
	}
	if err := pass.Calls(context.Background(), n); err != nil {
		return time.Since(began), err
	}
	waited = time.Since(began)
	time.Sleep(busy)
	return waited, nil
}

// refused returns the refusal that err is.
func refused(t *testing.T, err error) *limit.Refusal {
	t.Helper()
	var refusal *limit.Refusal
	if !errors.As(err, &refusal) {
		t.Fatalf("got %v, want a refusal", err)
	}
	return refusal
}

func TestAPoliteWorkspaceIsNeverRefusedHoweverMuchOthersAskFor(t *testing.T) {
	for name, c := range map[string]struct{ greedy, requests, calls, politeCalls int }{
		"thousands of requests of one":          {1, 5000, 1, 100},
		"thousands of requests with many calls": {1, 3000, 400, 100},
		"the largest batches":                   {1, 200, 10000, 100},
		"fifty that all want everything":        {50, 100, 100, 10},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := open(t, limit.Config{})
				end := time.Now().Add(8 * time.Second)
				var refusals, answers atomic.Int64
				var all sync.WaitGroup
				for g := range c.greedy {
					for range c.requests {
						all.Go(func() {
							for time.Now().Before(end) {
								if _, err := request(l, of(fmt.Sprint("greedy", g)), c.calls, time.Second); err != nil {
									refusals.Add(1)
									time.Sleep(time.Second + rand.N(time.Second))
									continue
								}
								answers.Add(1)
							}
						})
					}
				}
				time.Sleep(2 * time.Second) // by now the greedy have what they can get
				var polite atomic.Int64
				for range 5 {
					all.Go(func() {
						for time.Now().Before(end) {
							waited, err := request(l, of("polite"), c.politeCalls, 100*time.Millisecond)
							if err != nil || waited > 500*time.Millisecond {
								t.Errorf("refused with %v after %v", err, waited)
								return
							}
							polite.Add(1)
						}
					})
				}
				all.Wait()
				if polite.Load() < 5*50 {
					t.Errorf("the polite one had only %d answers", polite.Load())
				}
				if refusals.Load() == 0 || answers.Load() == 0 {
					t.Errorf("the greedy had %d answers and %d refusals: nothing was scarce", answers.Load(), refusals.Load())
				}
			})
		})
	}
}

func TestNoMoreIsUnderWayThanTheLimitsSayAndAllIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		registry := prometheus.NewRegistry()
		l, err := limit.New(limit.Config{Requests: 40, Calls: 300, BodyBytes: 100 << 10}, registry)
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
				if _, err := pass.ReadAll(strings.NewReader(strings.Repeat("x", size))); err != nil {
					return
				}
				if inBody && pass.Enter(from) != nil {
					return
				}
				if pass.Calls(t.Context(), n) == nil {
					time.Sleep(busy)
				}
			})
		}
		most := map[string]float64{}
		for range 2500 {
			time.Sleep(10 * time.Millisecond)
			for name, limit := range map[string]float64{
				"sojourn_gateway_requests_under_way": 40, "sojourn_gateway_calls_under_way": 300, "sojourn_gateway_body_bytes": 100 << 10,
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

func TestACallWaitsForRoomAtTheServicesButNotLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := open(t, limit.Config{Calls: 10})
		first := l.Arrive(address)
		for range 4 {
			if err := first.Calls(t.Context(), 2); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		r := refused(t, l.Arrive(address).Calls(t.Context(), 2))
		if waited := time.Since(began); waited != 500*time.Millisecond || r.Overloaded {
			t.Errorf("refused after %v with %+v", waited, r)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		began = time.Now()
		refused(t, l.Arrive(address).Calls(ctx, 2))
		if waited := time.Since(began); waited != 100*time.Millisecond {
			t.Errorf("with less time it was refused after %v", waited)
		}
		time.AfterFunc(300*time.Millisecond, first.Leave)
		began = time.Now()
		if err := l.Arrive(address).Calls(t.Context(), 2); err != nil || time.Since(began) != 300*time.Millisecond {
			t.Errorf("got %v after %v, want room after 300ms", err, time.Since(began))
		}
	})
}

func TestInLineWhoHoldsLeastIsFirstThenWhoWaitsLongest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := open(t, limit.Config{Calls: 100})
		call := func(workspace string, n int) *limit.Pass {
			pass := l.Arrive(address)
			if err := pass.Enter(of(workspace)); err != nil {
				t.Error(workspace, err)
			}
			if err := pass.Calls(t.Context(), n); err != nil {
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
	l := open(t, limit.Config{Calls: 8})
	if _, err := request(l, of("w"), 10_000, 0); err != nil {
		t.Error(err)
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
		_, err := slow.ReadAll(from)
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
	if body, err := whole.ReadAll(strings.NewReader(text)); err != nil || string(body) != text {
		t.Errorf("read %d bytes of %d, %v", len(body), len(text), err)
	}
	if got := held(); got != 32<<10 {
		t.Errorf("20,000 bytes hold %v", got)
	}
	long := l.Arrive(address)
	if r := refused(t, errOf(long.ReadAll(strings.NewReader(strings.Repeat("x", 90<<10))))); r.Overloaded {
		t.Errorf("beyond its share: %+v", r)
	}
	long.Leave()
	other := l.Arrive("198.51.100.1:1")
	if _, err := other.ReadAll(strings.NewReader(text)); err != nil {
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
	if _, err := pass.ReadAll(strings.NewReader("{}")); err != nil {
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
		l := open(t, limit.Config{Requests: 1, Calls: 1, Questions: 5})
		if _, err := request(l, of("acme"), 1, 0); err != nil {
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
