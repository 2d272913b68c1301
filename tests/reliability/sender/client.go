package sender

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sojournhq/sojourn/tests/reliability/oracle"
)

// Limit is how long Segment waits for an answer.
const Limit = 5 * time.Second

// Client sends batches to a gateway. It may be used by many at once.
type Client struct {
	// URL is where the gateway is.
	URL string
	// Keys are the write keys, by workspace.
	Keys map[string]string

	http     http.Client
	underWay atomic.Int64

	mutex   sync.Mutex
	seen    Seen
	slowest time.Duration
}

// Seen is what a client has seen.
type Seen struct {
	// Answers counts attempts by status; "none" are those that no answer came to.
	Answers map[string]int
	// Calls is how many calls were answered 200, every copy counted.
	Calls int
	// Longest is the longest time that an answer took.
	Longest time.Duration
	// Ahead and Behind are how many answers had a date more than an hour off.
	Ahead, Behind int
	// Wrong are the first answers that are none of 200, 429 and 503, or do not say what became of every call.
	Wrong []string
}

// New returns a client. patience is how long it waits for an answer before it takes the attempt for failed.
func New(url string, keys map[string]string, patience time.Duration) *Client {
	return &Client{
		URL: url, Keys: keys, http: http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 64}},
		seen: Seen{Answers: map[string]int{}},
	}
}

// UnderWay is how many attempts wait for an answer now.
func (c *Client) UnderWay() int { return int(c.underWay.Load()) }

// Slowest returns the longest time that an answer took since this was last asked.
func (c *Client) Slowest() (took time.Duration) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	took, c.slowest = c.slowest, 0
	return took
}

// Seen returns what the client has seen so far.
func (c *Client) Seen() Seen {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	copied := c.seen
	copied.Answers = map[string]int{}
	for answer, n := range c.seen.Answers {
		copied.Answers[answer] = n
	}
	return copied
}

// Deliver sends a batch, whose calls are all of one workspace, until it is answered 200. It fails only if ctx ends before.
func (c *Client) Deliver(ctx context.Context, calls []oracle.Call) error {
	if len(calls) == 0 {
		return nil
	}
	for pause := 20 * time.Millisecond; ; pause = min(2*pause, 500*time.Millisecond) {
		done, err := c.Try(ctx, calls)
		if done || err != nil {
			return err
		}
		select {
		case <-time.After(pause/2 + rand.N(pause)):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Try sends a batch once and says whether it was answered 200. The error is of the batch, not of the answer.
func (c *Client) Try(ctx context.Context, calls []oracle.Call) (done bool, err error) {
	body, err := Body(calls)
	if err != nil {
		return false, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL+"/v1/batch", bytes.NewReader(body))
	if err != nil {
		return false, fmt.Errorf("make a request: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.SetBasicAuth(c.Keys[calls[0].Workspace], "")
	began := time.Now()
	c.underWay.Add(1)
	status, text := c.answer(request)
	c.underWay.Add(-1)
	c.note(status, text, time.Since(began), len(calls))
	return status == http.StatusOK, nil
}

// answer returns status 0 when there is none.
func (c *Client) answer(request *http.Request) (status int, text []byte) {
	response, err := c.http.Do(request)
	if err != nil {
		return 0, nil
	}
	defer func() { _ = response.Body.Close() }()
	text, err = io.ReadAll(response.Body)
	if err != nil {
		return 0, nil
	}
	c.noteDate(response.Header.Get("Date"))
	return response.StatusCode, text
}

func (c *Client) noteDate(date string) {
	at, err := http.ParseTime(date)
	if err != nil {
		return
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	switch off := time.Until(at); {
	case off > time.Hour:
		c.seen.Ahead++
	case off < -time.Hour:
		c.seen.Behind++
	}
}

func (c *Client) note(status int, text []byte, took time.Duration, calls int) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	wrong := false
	switch status {
	case 0:
		c.seen.Answers["none"]++
		return
	case http.StatusOK:
		c.seen.Calls += calls
		wrong = settled(text) != calls
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
	default:
		wrong = true
	}
	c.seen.Answers[fmt.Sprint(status)]++
	c.seen.Longest, c.slowest = max(c.seen.Longest, took), max(c.slowest, took)
	if wrong && len(c.seen.Wrong) < 10 {
		c.seen.Wrong = append(c.seen.Wrong, fmt.Sprintf("%d for %d calls: %.200s", status, calls, text))
	}
}

// settled is of how many calls an answer says what became of them.
func settled(text []byte) int {
	var answer struct {
		Accepted int
		Rejected []struct{}
	}
	if json.Unmarshal(text, &answer) != nil {
		return -1
	}
	return answer.Accepted + len(answer.Rejected)
}
