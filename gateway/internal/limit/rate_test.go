package limit_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/sojournhq/sojourn/internal/domain/workspace"

	"github.com/sojournhq/sojourn/gateway/internal/limit"
)

// limited is a source with limits of its own.
func limited(limits workspace.Limits) limit.Source {
	return limit.Source{Workspace: "acme", Source: "web", Limits: limits}
}

func TestASourceMaySendItsBurstAndThenItsRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, from := open(t, limit.Config{}), limited(workspace.Limits{CallsPerSecond: 2, Burst: 10})
		for range 10 {
			if err := request(l, from, 1, 0); err != nil {
				t.Fatal(err)
			}
		}
		err := request(l, from, 1, 0)
		r := refused(t, err)
		if r.Overloaded || r.Code != limit.CodeRateLimited || r.After != 500*time.Millisecond {
			t.Errorf("beyond the burst: %+v", r)
		}
		time.Sleep(r.After)
		if err := request(l, from, 1, 0); err != nil {
			t.Errorf("after the time it was told: %v", err)
		}
		err = request(l, from, 4, 0)
		if r := refused(t, err); r.After != 500*time.Millisecond {
			// What is known before the body is read is that one call will have to wait.
			t.Errorf("four at once: %+v", r)
		}
	})
}

func TestABatchCountsForAsManyCallsAsItHas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, from := open(t, limit.Config{}), limited(workspace.Limits{CallsPerSecond: 10, Burst: 100})
		if err := request(l, from, 80, 0); err != nil {
			t.Fatal(err)
		}
		err := request(l, from, 60, 0)
		if r := refused(t, err); r.After != 4*time.Second {
			t.Errorf("60 calls with 20 left: %+v", r)
		}
		if err := request(l, from, 20, 0); err != nil {
			t.Errorf("what was refused was counted: %v", err)
		}
	})
}

func TestABatchLargerThanTheBurstPassesAndTheRateHoldsInTheLongRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, from := open(t, limit.Config{}), limited(workspace.Limits{CallsPerSecond: 10, Burst: 20})
		passed, began := 0, time.Now()
		for time.Since(began) < time.Hour {
			err := request(l, from, 500, 0)
			if err == nil {
				passed += 500
				continue
			}
			time.Sleep(refused(t, err).After)
		}
		if want := 10 * 3600; passed < want-500 || passed > want+500+20 {
			t.Errorf("%d calls passed in an hour, want about %d", passed, want)
		}
	})
}

func TestASourceHasOnlySoManyRequestsUnderWay(t *testing.T) {
	l, from := open(t, limit.Config{}), limited(workspace.Limits{ConcurrentRequests: 2})
	passes := []*limit.Pass{l.Arrive(address), l.Arrive(address), l.Arrive(address)}
	for _, pass := range passes[:2] {
		if err := pass.Enter(from); err != nil {
			t.Fatal(err)
		}
	}
	if r := refused(t, passes[2].Enter(from)); r.Overloaded || r.Code != limit.CodeTooManyRequests || r.Reason != "source_concurrency" {
		t.Errorf("the third: %+v", r)
	}
	passes[2].Leave()
	if err := l.Arrive(address).Enter(of("acme2")); err != nil {
		t.Errorf("another source: %v", err)
	}
	passes[0].Leave()
	if err := l.Arrive(address).Enter(from); err != nil {
		t.Errorf("after one has left: %v", err)
	}
}

func TestLimitsAreThoseOfTheConfigurationOfNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := open(t, limit.Config{})
		spend := func(limits workspace.Limits, n int) error {
			return request(l, limited(limits), n, 0)
		}
		slow := workspace.Limits{CallsPerSecond: 1, Burst: 10}
		if err := spend(slow, 10); err != nil {
			t.Fatal(err)
		}
		_ = refused(t, spend(slow, 1))
		if err := spend(workspace.Limits{}, 1000); err != nil {
			t.Errorf("without limits: %v", err)
		}
		if err := spend(slow, 10); err != nil {
			t.Errorf("with limits again: %v", err)
		}
		fast := workspace.Limits{CallsPerSecond: 100, Burst: 10}
		if r := refused(t, spend(fast, 1)); r.After != 10*time.Millisecond {
			t.Errorf("a higher rate fills what was used up: %+v", r)
		}
		time.Sleep(100 * time.Millisecond)
		if err := spend(fast, 10); err != nil {
			t.Errorf("at the higher rate: %v", err)
		}
	})
}
