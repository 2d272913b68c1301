package workspace

import "math"

// Limits are how much one source may send. What is 0 is not limited. They count for each gateway by itself.
type Limits struct {
	// CallsPerSecond is how many calls may come in the long run, and Burst how many at once after a pause. Burst 0: those of one second.
	CallsPerSecond float64 `yaml:"calls_per_second,omitempty"`
	Burst          int     `yaml:"burst,omitempty"`
	// ConcurrentRequests is how many requests may be under way.
	ConcurrentRequests int `yaml:"concurrent_requests,omitempty"`
}

// BurstSize returns how many calls may come at once.
func (l Limits) BurstSize() int {
	if l.Burst > 0 {
		return l.Burst
	}
	return max(1, int(math.Ceil(l.CallsPerSecond)))
}

// maxLimit is far beyond what one gateway can do.
const maxLimit = 1e9

func (p *problems) limits(where string, l Limits) {
	if !(l.CallsPerSecond >= 0 && l.CallsPerSecond <= maxLimit) { // so that NaN is none of them
		p.add("%s.calls_per_second: not between 0 and %d", where, int(maxLimit))
	}
	if l.Burst < 0 || l.Burst > maxLimit {
		p.add("%s.burst: not between 0 and %d", where, int(maxLimit))
	}
	if l.Burst > 0 && l.CallsPerSecond == 0 {
		p.add("%s.burst: means nothing without calls_per_second: set that, or take burst away", where)
	}
	if l.ConcurrentRequests < 0 || l.ConcurrentRequests > maxLimit {
		p.add("%s.concurrent_requests: not between 0 and %d", where, int(maxLimit))
	}
}
