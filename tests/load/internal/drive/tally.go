package drive

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// The histogram holds microseconds, up to a minute, to three digits.
const (
	longest = time.Minute
	digits  = 3
)

// tally counts what came of requests.
type tally struct {
	latency    *hdrhistogram.Histogram
	requests   uint64 // measured
	answeredAs map[int]uint64
	repeated   uint64 // requests that were refused and sent again
	failed     uint64 // calls
	unsent     uint64 // requests
	warned     uint64 // requests
	failures   []string
}

func newTally() *tally {
	return &tally{latency: hdrhistogram.New(1, longest.Microseconds(), digits), answeredAs: map[int]uint64{}}
}

// answered counts a request that was answered 200.
func (t *tally) answered(measured bool, latency time.Duration, warned bool) {
	t.answeredAs[200]++
	if warned {
		t.warned++
	}
	if measured {
		t.requests++
		_ = t.latency.RecordValue(min(max(latency, time.Microsecond), longest).Microseconds()) // it is within the histogram's bounds
	}
}

// again counts a request that was refused and is sent again.
func (t *tally) again(status int) {
	t.answeredAs[status]++
	t.repeated++
}

// refuse counts a request of so many calls that was answered otherwise.
func (t *tally) refuse(status int, calls uint64, answer []byte) {
	t.answeredAs[status]++
	t.fail(calls, fmt.Sprintf("%d: %s", status, answer[:min(len(answer), 200)]))
}

// fail counts calls of which it is not known that they are stored. The first reasons are kept.
func (t *tally) fail(calls uint64, reason string) {
	t.failed += calls
	if len(t.failures) < 10 && !slices.Contains(t.failures, reason) {
		t.failures = append(t.failures, reason)
	}
}

// Result is what was measured.
type Result struct {
	Connections int     `json:"connections"`
	Batch       int     `json:"batch"`
	Rate        float64 `json:"rate"` // that was due; 0: closed loop
	// Calls were answered 200 while it was measured, in Requests, which took Seconds.
	Calls     uint64  `json:"calls"`
	Requests  uint64  `json:"requests"`
	Seconds   float64 `json:"seconds"`
	PerSecond float64 `json:"perSecond"`
	Latency   Latency `json:"latency"`
	// Answers counts all requests by status, Failed calls that were not answered 200, or rejected, Unsent requests that were due and never
	// sent because the server was too slow for them, and Warned requests whose answer had warnings.
	Answers map[string]uint64 `json:"answers"`
	// Repeated is how often a request was refused and sent again.
	Repeated uint64   `json:"repeated"`
	Failed   uint64   `json:"failed"`
	Unsent   uint64   `json:"unsent"`
	Warned   uint64   `json:"warned"`
	Failures []string `json:"failures,omitempty"`
	// Next is the number of the first call that was not sent.
	Next uint64 `json:"next"`
}

// Latency is in milliseconds, of requests.
type Latency struct {
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p999"`
	Max  float64 `json:"max"`
	Mean float64 `json:"mean"`
}

func (t *tally) result(c Config, calls uint64, took time.Duration, next uint64) Result {
	r := Result{
		Connections: c.Connections, Batch: c.Batch, Rate: c.Rate, Calls: calls, Requests: t.requests, Seconds: took.Seconds(),
		PerSecond: float64(calls) / took.Seconds(), Answers: map[string]uint64{},
		Repeated: t.repeated, Failed: t.failed, Unsent: t.unsent, Warned: t.warned, Failures: t.failures, Next: next,
	}
	for status, n := range t.answeredAs {
		r.Answers[strconv.Itoa(status)] = n
	}
	ms := func(q float64) float64 { return float64(t.latency.ValueAtQuantile(q)) / 1000 }
	r.Latency = Latency{
		P50: ms(50), P90: ms(90), P99: ms(99), P999: ms(99.9), Max: float64(t.latency.Max()) / 1000, Mean: t.latency.Mean() / 1000,
	}
	return r
}
