//go:build reliability

package e2e

import (
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var (
	relSeed    = flag.Uint64("seed", 0, "seed; 0 draws one")
	hostileFor = flag.Duration("hostile", 8*time.Second, "for how long everything hostile goes on")
	botPoints  = flag.Int("points", 20_000, "points of the bot's session")
	healthyP99 = flag.Duration("p99", 100*time.Millisecond, "what 99 of 100 answers to a healthy client may take at most")
)

// canary is in everything that calls hold, and in nothing else.
const canary = "canary-9f3c"

// seeded returns what everything random in a run follows from.
func seeded(t *testing.T) *rand.Rand {
	t.Helper()
	if *relSeed == 0 {
		*relSeed = uint64(time.Now().UnixNano()) % 1_000_000_000
	}
	t.Logf("seed %d", *relSeed)
	return rand.New(rand.NewPCG(*relSeed, 8))
}

// siege is what attacks a Sojourn, and what it counts.
type siege struct {
	t     *testing.T
	d     *standalone
	until time.Time
	seed  uint64

	slow, cutOff, bombs, resets, deep, cases, points, strangers, healthyCalls atomic.Int64

	mutex sync.Mutex
	took  []time.Duration // by the healthy client
}

// TestRelHostile attacks a Sojourn in every way at once, beside a healthy client in a workspace of its own.
func TestRelHostile(t *testing.T) {
	dice := seeded(t)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "workspaces.yaml"), []byte(hostileYAML), 0o600); err != nil {
		t.Fatal(err)
	}
	d := &standalone{t: t, data: dir, address: "127.0.0.1:0"}
	var match []string
	d.sojourn, match = start(t, greeting, "sojourn", "-data", dir, "-listen", d.address, "-admin-listen", "127.0.0.1:0", "-log-level", "debug")
	d.address = match[0]
	s := &siege{t: t, d: d, until: time.Now().Add(*hostileFor), seed: dice.Uint64()}
	cases := hostileCases(t)
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() { s.again(s.slowHeader) })
		all.Go(func() { s.again(s.slowBody) })
	}
	bomb, nested := compressed(strings.Repeat(" ", 64<<20), "whole"), strings.Repeat(`{"a":[`, 5_000)
	all.Go(func() { s.again(func() { s.post(&s.bombs, bomb, "gzip") }) })
	all.Go(func() { s.again(func() { s.post(&s.deep, `{"type":"track","properties":`+nested, "") }) })
	all.Go(func() { s.again(s.reset) })
	all.Go(s.bot)
	all.Go(s.twins)
	all.Go(func() {
		for i := 0; time.Now().Before(s.until); i++ {
			c := cases[i%len(cases)]
			if _, err := c.send(d.address); err != nil {
				t.Errorf("%s: %v", c.Name, err)
			}
			s.cases.Add(1)
			time.Sleep(5 * time.Millisecond)
		}
	})
	all.Go(s.healthy)
	all.Wait()
	s.report()
	s.expectNoCanary()
	s.expectNoCrossing()
	d.stop()
	sojourn(t, "verify", "-data", dir)
}

// again repeats one attack, with a pause, until the siege ends.
func (s *siege) again(attack func()) {
	for time.Now().Before(s.until) {
		attack()
		time.Sleep(20 * time.Millisecond)
	}
}

// drip sends a request byte by byte until the other side has had enough.
func (s *siege) drip(head, endless string) {
	conn, err := net.Dial("tcp", s.d.address)
	if err != nil {
		return // the bound on connections
	}
	defer func() { _ = conn.Close() }()
	s.slow.Add(1)
	_, _ = io.WriteString(conn, head)
	for time.Now().Before(s.until) {
		if _, err := io.WriteString(conn, endless); err != nil {
			s.cutOff.Add(1)
			return
		}
		_ = conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
		if _, err := conn.Read(make([]byte, 512)); err == nil || err == io.EOF {
			s.cutOff.Add(1)
			return
		}
	}
}

func (s *siege) slowHeader() { s.drip("POST /v1/track HTTP/1.1\r\nHost: x\r\n", "X-A: b\r\n") }

func (s *siege) slowBody() {
	s.drip("POST /v1/track HTTP/1.1\r\nHost: x\r\n"+basic(writeKey)+"\r\nContent-Length: 20000\r\n\r\n{", " ")
}

// reset sends half a call and resets the connection.
func (s *siege) reset() {
	conn, err := net.Dial("tcp", s.d.address)
	if err != nil {
		return
	}
	_, _ = io.WriteString(conn, "POST /v1/track HTTP/1.1\r\nHost: x\r\n"+basic(writeKey)+"\r\nContent-Length: 500\r\n\r\n{\"type\":")
	_ = conn.(*net.TCPConn).SetLinger(0)
	_ = conn.Close()
	s.resets.Add(1)
}

// post sends a body that must be refused.
func (s *siege) post(count *atomic.Int64, body, encoding string) {
	request, err := http.NewRequest(http.MethodPost, s.d.url()+"/v1/track", strings.NewReader(body))
	if err != nil {
		s.t.Error(err)
		return
	}
	request.SetBasicAuth(writeKey, "")
	request.Header.Set("Content-Encoding", encoding)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return // cut off
	}
	_, _ = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
	if response.StatusCode < 400 || response.StatusCode == http.StatusInternalServerError {
		s.t.Errorf("what is hostile was answered %d", response.StatusCode)
	}
	count.Add(1)
}

// bot is one anonymousId without end: points of one session, a second apart.
func (s *siege) bot() {
	began := time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC)
	for n := 0; n < *botPoints; {
		var batch strings.Builder
		batch.WriteString(`{"batch":[`)
		for i := range min(200, *botPoints-n) {
			if i > 0 {
				batch.WriteByte(',')
			}
			_, _ = fmt.Fprintf(&batch, `{"type":"page","messageId":"bot-%d","timestamp":%q,"anonymousId":"bot","userId":"bot-%s"}`,
				n+i, began.Add(time.Duration(n+i)*time.Second/20).Format(time.RFC3339Nano), canary)
		}
		batch.WriteString(`]}`)
		if s.sendGood(writeKey, "/v1/batch", batch.String()) {
			n += min(200, *botPoints-n)
			s.points.Store(int64(n))
		}
	}
}

// sendGood sends what must be taken, again until it is, and says whether it was the first time.
func (s *siege) sendGood(key, path, body string) bool {
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		a, err := trySend(s.d, path, key, body)
		if err == nil && a.status == http.StatusOK {
			return true
		}
		if err == nil && a.status != http.StatusTooManyRequests && a.status != http.StatusServiceUnavailable {
			s.t.Errorf("a good call was answered %d %s", a.status, a.body)
			return false
		}
	}
	s.t.Error("a good call was not taken within a minute")
	return false
}

// twins sends to two workspaces users, accounts and messages of the same names, that differ in what is known of them.
func (s *siege) twins() {
	for i := 0; time.Now().Before(s.until); i++ {
		for workspace, key := range map[string]string{"default": writeKey, "other": otherWriteKey} {
			s.sendGood(key, "/v1/identify", fmt.Sprintf(`{"messageId":"twin-%d","timestamp":"2026-11-02T09:00:00Z","anonymousId":"twin-%d",`+
				`"userId":"twin-%d","context":{"groupId":"twins-%d"},"traits":{"email":"%s-of-%s"}}`, i, i%40, i%40, i%7, canary, workspace))
			s.strangers.Add(1)
		}
	}
}

// healthy is a client that sends good calls to the other workspace and looks at the clock.
func (s *siege) healthy() {
	for i := 0; time.Now().Before(s.until); i++ {
		began := time.Now()
		a, err := trySend(s.d, "/v1/track", otherWriteKey, fmt.Sprintf(`{"messageId":"healthy-%d","timestamp":"2026-11-02T09:00:00Z",`+
			`"anonymousId":"h","userId":"h-%s","event":"E"}`, i, canary))
		if err != nil || a.status != http.StatusOK {
			s.t.Errorf("the healthy client was answered %d %s, %v", a.status, a.body, err)
		}
		s.took = append(s.took, time.Since(began))
		s.healthyCalls.Add(1)
		time.Sleep(5 * time.Millisecond)
	}
}

// report prints what happened, and fails where an attack did not take place or the healthy client had to wait.
func (s *siege) report() {
	slices.Sort(s.took)
	p50, p99 := s.took[len(s.took)/2], s.took[len(s.took)*99/100]
	s.t.Logf("healthy client: %d calls, p50 %v, p99 %v, longest %v", len(s.took), p50, p99, s.took[len(s.took)-1])
	if p99 > *healthyP99 {
		s.t.Errorf("the healthy client's p99 is %v, want at most %v", p99, *healthyP99)
	}
	seconds := int64(hostileFor.Seconds())
	for name, c := range map[string]struct{ got, floor int64 }{
		"slow connections":            {s.slow.Load(), 100},
		"slow connections cut off":    {s.cutOff.Load(), 50},
		"bombs":                       {s.bombs.Load(), seconds},
		"resets":                      {s.resets.Load(), 10 * seconds},
		"deep JSON":                   {s.deep.Load(), 2 * seconds},
		"cases of the corpus":         {s.cases.Load(), 10 * seconds},
		"points of the bot's session": {s.points.Load(), int64(*botPoints)},
		"calls of equal ids":          {s.strangers.Load(), 10 * seconds},
		"calls of the healthy client": {s.healthyCalls.Load(), 10 * seconds},
	} {
		if s.t.Logf("%s: %d", name, c.got); c.got < c.floor {
			s.t.Errorf("%s: %d, want at least %d", name, c.got, c.floor)
		}
	}
}

// expectNoCanary looks for secrets and for what calls held in the log and the metrics.
func (s *siege) expectNoCanary() {
	response, err := http.Get(s.d.admin("sojourn") + "/metrics")
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	metrics, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	for place, text := range map[string]string{"the log": s.d.sojourn.Output(), "the metrics": string(metrics)} {
		if len(text) < 10_000 {
			s.t.Errorf("%s has %d bytes only", place, len(text))
		}
		for _, secret := range []string{canary, writeKey, otherWriteKey, queryToken, otherToken, adminToken, signedKey, mappedKey} {
			if n := strings.Count(text, secret); n > 0 {
				s.t.Errorf("%s holds %q %d times", place, secret, n)
			}
		}
	}
}

// expectNoCrossing looks in each workspace for what was sent to the other.
func (s *siege) expectNoCrossing() {
	found := map[string]int{}
	for line := range strings.Lines(dumpRunning(s.t, s.d)) {
		for _, workspace := range []string{"default", "other"} {
			if strings.Contains(line, canary+"-of-"+workspace) {
				if !strings.Contains(line, `"workspace":"`+workspace+`"`) {
					s.t.Errorf("what was sent to %s is in %s", workspace, line)
				}
				found[workspace]++
			}
		}
	}
	if s.t.Logf("lines with what was sent to one of the workspaces alone: %v", found); found["default"] < 40 || found["other"] < 40 {
		s.t.Error("want 40 twins in each")
	}
}
