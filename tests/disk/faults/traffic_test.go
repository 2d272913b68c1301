package faults

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

const senders = 8

// traffic is calls that are sent until each is answered with 200, as Segment does, and some again after that.
type traffic struct {
	client http.Client
	pace   time.Duration // between two calls of a sender

	mutex    sync.Mutex
	chance   *rand.Rand
	sent     int
	again    []int // not answered with 200
	answered []int
	statuses map[int]int
	unfit    []string  // answers that there should not be
	late     int       // answers of 200 to calls sent after the time
	time     time.Time // from which on there should be none; zero: none
}

func newTraffic(seed uint64) *traffic {
	return &traffic{
		client: http.Client{Timeout: 6 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: senders}},
		chance: rand.New(rand.NewPCG(seed, 0)), statuses: map[int]int{},
	}
}

// start sends until the returned function is called, which returns when nothing is under way any more.
func (tr *traffic) start(s *server) (stop func()) {
	done := make(chan struct{})
	var group sync.WaitGroup
	for range senders {
		group.Go(func() {
			for {
				select {
				case <-done:
					return
				case <-s.ended:
					return
				case <-time.After(tr.pace):
					tr.one(s)
				}
			}
		})
	}
	return func() {
		close(done)
		group.Wait()
		tr.client.CloseIdleConnections()
	}
}

// one sends a call that was not answered, a new one, or one that was answered.
func (tr *traffic) one(s *server) {
	number, repeated := tr.choose()
	began := time.Now()
	request, err := http.NewRequest(http.MethodPost, s.url+"/v1/track", strings.NewReader(callBody(number)))
	if err != nil {
		panic(err)
	}
	request.SetBasicAuth(s.keys["write_key"], "")
	response, err := tr.client.Do(request)
	tr.mutex.Lock()
	defer tr.mutex.Unlock()
	status := 0
	if err == nil {
		status = response.StatusCode
		_ = response.Body.Close()
		tr.judge(response, time.Since(began))
	}
	tr.statuses[status]++
	switch {
	case status == http.StatusOK && !repeated:
		tr.answered = append(tr.answered, number)
	case !repeated:
		tr.again = append(tr.again, number)
		time.Sleep(time.Millisecond)
	}
	if status == http.StatusOK && !tr.time.IsZero() && began.After(tr.time) {
		tr.late++
	}
}

// judge notes what an answer should not be: anything but done and try again, with when, in time.
func (tr *traffic) judge(r *http.Response, took time.Duration) {
	switch {
	case r.StatusCode != http.StatusOK && r.StatusCode != http.StatusTooManyRequests && r.StatusCode != http.StatusServiceUnavailable:
		tr.unfit = append(tr.unfit, r.Status)
	case r.StatusCode != http.StatusOK && r.Header.Get("Retry-After") == "":
		tr.unfit = append(tr.unfit, r.Status+" without Retry-After")
	case took > 5*time.Second:
		tr.unfit = append(tr.unfit, fmt.Sprintf("%s after %v", r.Status, took))
	}
}

func (tr *traffic) choose() (number int, repeated bool) {
	tr.mutex.Lock()
	defer tr.mutex.Unlock()
	if len(tr.answered) > 0 && tr.chance.IntN(10) == 0 {
		return tr.answered[tr.chance.IntN(len(tr.answered))], true
	}
	if n := len(tr.again); n > 0 {
		number, tr.again = tr.again[n-1], tr.again[:n-1]
		return number, false
	}
	tr.sent++
	return tr.sent - 1, false
}

// callBody is a call of one of 20 users of 5 accounts, at any time of a day: most calls are late.
func callBody(number int) string {
	at := time.Date(2026, 11, 2, 0, 0, number*7919%86400, 0, time.UTC)
	return fmt.Sprintf(`{"messageId":"m%d","timestamp":"%s","anonymousId":"a%d","userId":"u%d","groupId":"g%d","event":"f%d","properties":{"module":"m%d"}}`,
		number, at.Format(time.RFC3339), number%20, number%20, number%5, number%7, number%3)
}

// answers is how many calls have been answered with 200.
func (tr *traffic) answers() int {
	tr.mutex.Lock()
	defer tr.mutex.Unlock()
	return len(tr.answered)
}

// await waits until so many more calls were answered.
func (tr *traffic) await(t *testing.T, s *server, more int) {
	t.Helper()
	want := tr.answers() + more
	for deadline := time.Now().Add(patience + time.Duration(more)*10*time.Millisecond); tr.answers() < want; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d calls were answered, with statuses %v\n%s", more-want+tr.answers(), more, tr.statuses, s.printed())
		}
	}
}

// quiet fails the test for answers that there should not have been.
func (tr *traffic) quiet(t *testing.T) {
	t.Helper()
	if len(tr.unfit) > 0 {
		t.Errorf("%d unfit answers, such as %s", len(tr.unfit), tr.unfit[0])
		tr.unfit = nil
	}
}

// line is what is read of a line of the dump.
type line struct {
	Kind, Type, MessageID string
	Events, Accepted      int
}

// holds compares a stopped sojourn's data with what was answered: each call is there once. If everything is answered, nothing else is there.
func (tr *traffic) holds(t *testing.T, dir string) {
	t.Helper()
	if out, _, err := run(patience, "verify", "-data", dir); err != nil {
		t.Errorf("verify: %v\n%s", err, out)
	}
	dump, printed, err := run(patience, "dump", "-data", dir)
	if err != nil {
		t.Fatalf("dump: %v\n%s", err, printed)
	}
	there, points, accepted := map[string]int{}, 0, 0
	for text := range strings.Lines(dump) {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatal(err)
		}
		if l.Kind == "event" {
			there[l.MessageID]++
		}
		points += l.Events
		if l.Type == "track" {
			accepted += l.Accepted
		}
	}
	lost := 0
	for _, number := range tr.answered {
		if there[fmt.Sprintf("m%d", number)] == 0 {
			lost++
		}
	}
	for id, n := range there {
		if n > 1 {
			t.Errorf("call %s is there %d times", id, n)
		}
	}
	if n := len(tr.answered); lost > 0 || points < n || accepted < n {
		t.Errorf("of %d answered calls %d are lost; %d points, %d in the books", n, lost, points, accepted)
	}
	if n := tr.sent; len(tr.again) == 0 && (len(there) != n || points != n || accepted != n) {
		t.Errorf("%d calls left %d events, %d points and %d in the books", n, len(there), points, accepted)
	}
}

// finish has everything that was not answered sent until it is, and compares.
func (tr *traffic) finish(t *testing.T, dir string) {
	t.Helper()
	s := serve(t, dir)
	for deadline := time.Now().Add(patience); len(tr.again) > 0 && time.Now().Before(deadline); {
		tr.one(s)
	}
	if len(tr.again) > 0 {
		t.Errorf("%d calls are not taken in: %v", len(tr.again), tr.statuses)
	}
	s.stop(t)
	tr.holds(t, dir)
	t.Logf("seed %d: %d calls answered, by status %v (0: no answer)", *seedFlag, len(tr.answered), tr.statuses)
}
