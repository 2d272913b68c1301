package limit_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sojournhq/sojourn/gateway/internal/limit"
)

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
