package drive_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sojournhq/sojourn/tests/load/internal/drive"
	"github.com/sojournhq/sojourn/tests/load/internal/traffic"
)

// server keeps what it is sent, and answers as answer says.
type server struct {
	*httptest.Server

	mutex  sync.Mutex
	seen   map[string]int // by message id
	paths  map[string]int
	keys   map[string]int
	answer func(n int, w http.ResponseWriter)
	count  int
}

func start(t *testing.T, answer func(n int, w http.ResponseWriter)) *server {
	t.Helper()
	s := &server{seen: map[string]int{}, paths: map[string]int{}, keys: map[string]int{}, answer: answer}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	type message struct{ MessageID string }
	var body struct {
		message

		Batch []message
	}
	text, _ := io.ReadAll(r.Body)
	if err := json.Unmarshal(text, &body); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	key, _, _ := r.BasicAuth()
	s.mutex.Lock()
	if body.Batch == nil {
		body.Batch = []message{body.message}
	}
	for _, m := range body.Batch {
		s.seen[m.MessageID]++
	}
	s.paths[r.URL.Path]++
	s.keys[key]++
	s.count++
	n := s.count
	s.mutex.Unlock()
	s.answer(n, w)
}

func success(_ int, w http.ResponseWriter) { _, _ = fmt.Fprint(w, `{"success":true}`) }

func (s *server) config() drive.Config {
	return drive.Config{
		Address: strings.TrimPrefix(s.URL, "http://"), WriteKey: "key", Connections: 4, Duration: 20 * time.Second, Calls: 1000,
	}
}

func mix() *traffic.Stream {
	return traffic.New(traffic.Default(1, time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)))
}

func run(t *testing.T, c drive.Config) drive.Result {
	t.Helper()
	result, err := drive.Run(t.Context(), mix(), c)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func TestEveryCallIsSentOnceAndCounted(t *testing.T) {
	for _, batch := range []int{0, 1, 30} {
		s := start(t, success)
		c := s.config()
		c.Batch, c.First = batch, 500
		result := run(t, c)
		want := map[string]int{}
		for i := c.First; i < c.First+c.Calls; i++ {
			want[mix().MessageID(mix().Call(i))]++
		}
		if len(s.seen) != len(want) || s.keys["key"] != s.count {
			t.Errorf("batch %d: %d calls came with keys %v, want %d", batch, len(s.seen), s.keys, len(want))
		}
		for id, n := range want {
			if s.seen[id] != n {
				t.Fatalf("batch %d: %s came %d times, want %d", batch, id, s.seen[id], n)
			}
		}
		if batch > 0 != (s.paths["/v1/batch"] == s.count) || (batch == 0 && (s.paths["/v1/track"] < 600 || s.paths["/v1/group"] == 0)) {
			t.Errorf("batch %d: requests went to %v", batch, s.paths)
		}
		if result.Calls != c.Calls || result.Requests != uint64(s.count) || result.Next != c.First+c.Calls || result.Failed != 0 {
			t.Errorf("batch %d: %+v", batch, result)
		}
	}
}

func TestWhatIsNotAnsweredWith200IsNoSuccess(t *testing.T) {
	s := start(t, func(n int, w http.ResponseWriter) {
		if n%10 == 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, _ = fmt.Fprint(w, `{"code":"x"}`)
	})
	result := run(t, s.config())
	if result.Calls != 900 || result.Failed != 100 || result.Answers["503"] != 100 || result.Answers["200"] != 900 || result.Requests != 900 {
		t.Errorf("%+v", result)
	}
	if len(result.Failures) != 1 || result.Failures[0] != `503: {"code":"x"}` {
		t.Errorf("failures: %q", result.Failures)
	}
}

func TestWhatIsRefusedIsSentAgainIfThatIsWanted(t *testing.T) {
	s := start(t, func(n int, w http.ResponseWriter) {
		if n%100 == 0 {
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		success(n, w)
	})
	c := s.config()
	c.Retry = true
	result := run(t, c)
	if result.Calls != 1000 || result.Failed != 0 || result.Repeated != 10 || result.Answers["429"] != 10 || result.Latency.Max < 50 {
		t.Errorf("%+v", result)
	}
}

func TestACallThatABatchRejectsIsNoSuccess(t *testing.T) {
	s := start(t, func(n int, w http.ResponseWriter) {
		if n == 3 {
			_, _ = fmt.Fprint(w, `{"success":true,"accepted":9,"rejected":[{"index":1}]}`)
			return
		}
		_, _ = fmt.Fprint(w, `{"success":true,"accepted":10,"rejected":[]}`)
	})
	c := s.config()
	c.Batch = 10
	if result := run(t, c); result.Calls != 990 || result.Failed != 10 {
		t.Errorf("%+v", result)
	}
}

func TestABrokenConnectionIsReplacedAndItsCallNoSuccess(t *testing.T) {
	s := start(t, func(n int, w http.ResponseWriter) {
		if n == 5 {
			panic(http.ErrAbortHandler)
		}
		success(n, w)
	})
	if result := run(t, s.config()); result.Calls != 999 || result.Failed != 1 {
		t.Errorf("%+v", result)
	}
}

// TestTheOpenLoopCountsFromWhenARequestWasDue stops the server once, for longer than many requests are apart: all that were due meanwhile have
// waited, although each of them is answered at once when it is sent.
func TestTheOpenLoopCountsFromWhenARequestWasDue(t *testing.T) {
	const pause = 300 * time.Millisecond
	s := start(t, func(n int, w http.ResponseWriter) {
		if n == 50 {
			time.Sleep(pause)
		}
		success(n, w)
	})
	c := s.config()
	c.Connections, c.Calls, c.Rate = 1, 500, 1000
	result := run(t, c)
	if result.Calls != c.Calls || result.Seconds < 0.45 {
		t.Fatalf("%d calls in %.3f s, want 500 that were due in half a second", result.Calls, result.Seconds)
	}
	if result.Latency.Max < 300 || result.Latency.P50 < 1 || result.Latency.P90 < 100 {
		t.Errorf("latency %+v does not show that hundreds of requests waited", result.Latency)
	}
	c.Rate, c.First = 0, 500
	s.count = 0
	if closed := run(t, c); closed.Latency.P90 > result.Latency.P90/2 {
		t.Errorf("a closed loop shows %+v, as if requests had waited", closed.Latency)
	}
}

func TestItEndsByTime(t *testing.T) {
	s := start(t, success)
	c := s.config()
	c.Calls, c.Duration, c.Warmup = 0, 100*time.Millisecond, 50*time.Millisecond
	began, ended := 0, 0
	c.Begin, c.End = func() { began++ }, func() { ended++ }
	result := run(t, c)
	if began != 1 || ended != 1 || result.Seconds < 0.1 || result.Calls == 0 || result.Calls >= uint64(s.count) || result.Failed > 0 {
		t.Errorf("began %d times, ended %d times, %d requests came: %+v", began, ended, s.count, result)
	}
	if result.Next != uint64(s.count) {
		t.Errorf("the next call is %d, want %d", result.Next, s.count)
	}
}

func TestABatchTooLongForAGatewayIsNotSent(t *testing.T) {
	s := start(t, success)
	c := s.config()
	c.Batch = 1000
	if result := run(t, c); result.Failed != 1000 || s.count != 0 {
		t.Errorf("%d requests came: %+v", s.count, result)
	}
}
