//go:build reliability

package e2e

import (
	"flag"
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var (
	soakFor     = flag.Duration("soak", 15*time.Second, "for how long Sojourn is at half load")
	soakMeasure = flag.Duration("measure", 3*time.Second, "for how long is measured what full load is")
)

const (
	soakSenders = 8
	soakBatch   = 20
	// Of so many calls one is new, and the others were sent before: so what grows with the data is told from what grows with time.
	soakNewOf = 10
	soakPool  = 20_000
)

// soak sends to a Sojourn and looks at how it fares.
type soak struct {
	t           *testing.T
	d           *standalone
	seed        uint64
	fresh, sent atomic.Int64
}

// sample is how a process is at a moment.
type sample struct {
	at, fresh, dataBytes float64 // seconds; new calls
	held                 held
}

// TestRelSoak keeps a Sojourn at half of what it can do, and fits lines through what must not grow.
func TestRelSoak(t *testing.T) {
	dice := seeded(t)
	s := &soak{t: t, d: startStandalone(t, newDir(t)), seed: dice.Uint64()}
	began := time.Now()
	s.send(began.Add(*soakMeasure), 0)
	full := float64(s.sent.Load()) / time.Since(began).Seconds()
	t.Logf("full load: %.0f calls a second", full)
	for s.fresh.Load() < soakPool { // so that what is sent again is there
		s.send(time.Now().Add(time.Second), 0)
	}
	s.send(time.Now().Add(*soakFor/10), full/2) // pages that it will keep

	var samples []sample
	var sending sync.WaitGroup
	began = time.Now()
	before := s.sent.Load()
	until := began.Add(*soakFor)
	sending.Go(func() { s.send(until, full/2) })
	most := 0
	for time.Now().Before(until) {
		samples = append(samples, s.look(time.Since(began)))
		most = max(most, anonymous(t, s.d.sojourn))
		time.Sleep(time.Until(began.Add(time.Duration(len(samples)) * *soakFor / 50)))
	}
	sending.Wait()
	rate := float64(s.sent.Load()-before) / soakFor.Seconds()
	if t.Logf("soaked for %v: %.0f calls a second, %d samples", *soakFor, rate, len(samples)); rate < full/4 || len(samples) < 20 {
		t.Errorf("the traffic was below its floor of %.0f calls a second, or too little was seen of it", full/4)
	}
	if t.Logf("memory at most %d KiB", most); most > mostAnonymous {
		t.Errorf("memory grew to %d KiB, want %d at most", most, mostAnonymous)
	}
	s.expectFlat(samples)
	s.d.stop()
	sojourn(t, "verify", "-data", s.d.dir())
}

// send sends batches until a time, no more than so many calls a second; 0: as many as are taken.
func (s *soak) send(until time.Time, rate float64) {
	var senders sync.WaitGroup
	for sender := range uint64(soakSenders) {
		senders.Go(func() {
			random := sender + s.seed
			next := time.Now()
			for time.Now().Before(until) {
				var batch strings.Builder
				for i := range soakBatch {
					random = random*6364136223846793005 + 1442695040888963407
					_, _ = batch.WriteString(map[bool]string{true: `{"batch":[`, false: ","}[i == 0])
					_, _ = batch.WriteString(s.call(random >> 33))
				}
				a, err := trySend(s.d, "/v1/batch", writeKey, batch.String()+"]}")
				switch {
				case err == nil && a.status == http.StatusOK:
					s.sent.Add(soakBatch)
				case err != nil || a.status != http.StatusServiceUnavailable && a.status != http.StatusTooManyRequests:
					s.t.Errorf("a batch was answered %d %s, %v", a.status, a.body, err)
				}
				if rate > 0 {
					next = next.Add(time.Duration(soakBatch * soakSenders / rate * float64(time.Second)))
					time.Sleep(time.Until(next))
				}
			}
		})
	}
	senders.Wait()
}

// call returns a new call, or one that was sent before.
func (s *soak) call(random uint64) string {
	n := s.fresh.Load()
	if n < soakPool || random%soakNewOf == 0 {
		n = s.fresh.Add(1)
	} else {
		n = int64(random) % soakPool
	}
	at := time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC).Add(time.Duration(n) * 700 * time.Millisecond)
	return fmt.Sprintf(`{"type":"track","event":"Feature %d","messageId":"soak-%d","timestamp":%q,"anonymousId":"anon-%d","userId":"user-%d",`+
		`"context":{"groupId":"account-%d"},"properties":{"module":"module-%d"}}`,
		n%50, n, at.Format(time.RFC3339Nano), n%500, n%500, n%20, n%8)
}

// look returns how the process is.
func (s *soak) look(at time.Duration) sample {
	now := sample{at: at.Seconds(), fresh: float64(s.fresh.Load()), held: lookAt(s.t, s.d)}
	paths, err := filepath.Glob(filepath.Join(s.d.dir(), "*.db*"))
	if err != nil || len(paths) < 3 {
		s.t.Errorf("data files: %q, %v", paths, err)
	}
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil { // parts of a log come and go
			now.dataBytes += float64(info.Size())
		}
	}
	return now
}

// expectFlat fails where what must not grow with time has done so by more than it may vary.
func (s *soak) expectFlat(samples []sample) {
	first, last := samples[0], samples[len(samples)-1]
	perCall := (last.dataBytes - first.dataBytes) / max(1, last.fresh-first.fresh)
	for _, c := range []struct {
		what  string
		value func(sample) float64
		vary  float64 // over the whole time
	}{
		{"memory that is held", func(x sample) float64 { return float64(x.held.heap) }, 48 << 20}, // rows that are not applied yet among it
		{"goroutines", func(x sample) float64 { return float64(x.held.goroutines) }, 100},
		{"open files", func(x sample) float64 { return float64(x.held.files) }, 50},
		// What a new call takes is known; files grow and logs are applied in steps.
		{"bytes of data beyond 2 KiB a new call", func(x sample) float64 { return x.dataBytes - 2048*(x.fresh-first.fresh) }, 64 << 20},
	} {
		growth := slope(samples, c.value) * (last.at - first.at)
		s.t.Logf("%s: from %.0f to %.0f, the line through it grows by %.0f", c.what, c.value(first), c.value(last), growth)
		if growth > c.vary || math.IsNaN(growth) {
			s.t.Errorf("%s grew by %.0f, want at most %.0f", c.what, growth, c.vary)
		}
	}
	s.t.Logf("%.0f new calls took %.0f bytes each", last.fresh-first.fresh, perCall)
	if last.held.goroutines == 0 || last.held.files == 0 || last.held.heap == 0 || last.dataBytes == 0 {
		s.t.Error("something was not measured")
	}
}

// slope is that of the line through the samples, in units a second: least squares.
func slope(samples []sample, value func(sample) float64) float64 {
	var n, x, y, xx, xy float64
	for _, one := range samples {
		v := value(one)
		n, x, y, xx, xy = n+1, x+one.at, y+v, xx+one.at*one.at, xy+one.at*v
	}
	return (n*xy - x*y) / (n*xx - x*x)
}
