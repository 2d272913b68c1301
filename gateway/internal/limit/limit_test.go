package limit_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

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

func TestTheLargestBatchPassesASmallPool(t *testing.T) {
	l := open(t, limit.Config{WorkBytes: 8 * kib})
	if err := request(l, of("w"), 10_000, 0); err != nil {
		t.Error(err)
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
