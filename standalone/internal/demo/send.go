// Package demo invents a few weeks of a small software company's customers and sends them to Sojourn as a Segment client would.
package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Client sends calls to a gateway.
type Client struct {
	// URL is where the gateway is, such as "http://127.0.0.1:8080".
	URL string
	// WriteKey is that of the source to send as.
	WriteKey string
	// HTTP is what to send with.
	HTTP *http.Client
}

const (
	batchSize = 100
	attempts  = 6
)

// Sent says what became of the calls.
type Sent struct{ Accepted, Rejected int }

// Send sends the calls in batches and calls progress after each with the number sent so far. A batch is sent again while the gateway
// says that it cannot take it now, as every Segment client does.
func (c Client) Send(ctx context.Context, calls []Call, progress func(sent int)) (Sent, error) {
	var total Sent
	for start := 0; start < len(calls); start += batchSize {
		batch := calls[start:min(start+batchSize, len(calls))]
		sent, err := c.sendBatch(ctx, batch)
		if err != nil {
			return total, err
		}
		total.Accepted += sent.Accepted
		total.Rejected += sent.Rejected
		progress(start + len(batch))
	}
	return total, nil
}

func (c Client) sendBatch(ctx context.Context, batch []Call) (Sent, error) {
	body, err := json.Marshal(map[string]any{"batch": batch, "sentAt": time.Now()})
	if err != nil {
		return Sent{}, fmt.Errorf("encode batch: %w", err)
	}
	for attempt := 1; ; attempt++ {
		sent, retry, err := c.post(ctx, body)
		if err == nil || !retry || attempt == attempts {
			return sent, err
		}
		select {
		case <-ctx.Done():
			return Sent{}, ctx.Err()
		case <-time.After(time.Duration(attempt) * time.Second / 2):
		}
	}
}

// post sends one batch once, and says whether it is worth another try.
func (c Client) post(ctx context.Context, body []byte) (sent Sent, retry bool, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL+"/v1/batch", bytes.NewReader(body))
	if err != nil {
		return sent, false, fmt.Errorf("make request: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	request.SetBasicAuth(c.WriteKey, "")
	response, err := c.HTTP.Do(request)
	if err != nil {
		return sent, false, fmt.Errorf("send batch (is sojourn running?): %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return sent, true, fmt.Errorf("read answer: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		retry = response.StatusCode == http.StatusTooManyRequests || response.StatusCode >= http.StatusInternalServerError
		return sent, retry, fmt.Errorf("the gateway answered %s: %s", response.Status, bytes.TrimSpace(text))
	}
	var answer struct {
		Accepted int               `json:"accepted"`
		Rejected []json.RawMessage `json:"rejected"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return sent, false, fmt.Errorf("read answer: %w", err)
	}
	return Sent{answer.Accepted, len(answer.Rejected)}, false, nil
}
