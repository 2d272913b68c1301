package limit

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
)

type sourceKey struct{ workspace, source string }

// source is what a source uses of its own limits. It outlives changes of the configuration, so that those give nobody a fresh start.
type source struct {
	mu       sync.Mutex
	limits   workspace.Limits
	rate     *rate.Limiter // nil: no limit
	underWay int
}

// source returns the state of a source, with the limits that it has now.
func (l *Limits) source(from Source) *source {
	key := sourceKey{from.Workspace, from.Source}
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.sources[key]
	if s == nil {
		s = &source{}
		l.sources[key] = s
	}
	s.set(from.Limits)
	return s
}

func (s *source) set(limits workspace.Limits) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.limits == limits {
		return
	}
	s.limits = limits
	switch {
	case limits.CallsPerSecond == 0:
		s.rate = nil
	case s.rate == nil:
		s.rate = rate.NewLimiter(rate.Limit(limits.CallsPerSecond), limits.BurstSize())
	default:
		now := time.Now()
		s.rate.SetLimitAt(now, rate.Limit(limits.CallsPerSecond))
		s.rate.SetBurstAt(now, limits.BurstSize())
	}
}

// enter counts a request, or says that it cannot be taken: with how long to wait until one call may pass, or without, when the limit is
// that of concurrent requests.
func (s *source) enter(now time.Time) (wait time.Duration, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if wait := s.missing(now, 1); wait > 0 {
		return wait, false
	}
	if s.limits.ConcurrentRequests > 0 && s.underWay >= s.limits.ConcurrentRequests {
		return 0, false
	}
	s.underWay++
	return 0, true
}

func (s *source) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.underWay--
}

// spend counts n calls, or says how long to wait. More calls than the burst pass when the whole burst is there, and are paid for by those
// who come later: in the long run the rate holds.
func (s *source) spend(now time.Time, n int) (wait time.Duration, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rate == nil {
		return 0, true
	}
	burst := s.rate.Burst()
	if wait := s.missing(now, min(n, burst)); wait > 0 {
		return wait, false
	}
	for n > 0 {
		part := min(n, burst)
		s.rate.ReserveN(now, part)
		n -= part
	}
	return 0, true
}

// missing returns how long it takes until n calls may pass.
func (s *source) missing(now time.Time, n int) time.Duration {
	if s.rate == nil {
		return 0
	}
	short := float64(n) - s.rate.TokensAt(now)
	if short <= 0 {
		return 0
	}
	return max(1, time.Duration(short/float64(s.rate.Limit())*float64(time.Second)))
}
