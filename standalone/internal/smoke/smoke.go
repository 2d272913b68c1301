// Package smoke tries a running Sojourn from outside, as its senders and readers use it: one call goes in, its effects are asked for in
// every service, and an admin deletes it again.
package smoke

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// User is who the call is of. Other than by the outcomes that are counted, nothing is left of it.
const User = "sojourn-smoke"

// Client is how Sojourn is reached.
type Client struct {
	// URL is where the gateway is, such as "http://127.0.0.1:8080".
	URL string
	// Workspace is where the call goes, and WriteKey and QueryToken are that workspace's.
	Workspace, WriteKey, QueryToken string
	// AdminToken deletes the call's user: a write key need not be allowed to.
	AdminToken string
	// HTTP is what to send with.
	HTTP *http.Client
}

// Run returns nil when a call that was just answered can be asked for, and cannot any more once its user is deleted.
func (c Client) Run(ctx context.Context) error {
	id := "smoke-" + rand.Text()
	sent := time.Now().UTC()
	call := map[string]any{
		"messageId": id, "anonymousId": id, "userId": User, "timestamp": sent,
		"event": "Smoke Tested", "properties": map[string]any{"module": "Smoke"},
	}
	if err := c.send(ctx, "/v1/track", call); err != nil {
		return err
	}
	for _, q := range questions(id) {
		if err := c.expect(ctx, q, id, true); err != nil {
			return err
		}
	}
	if err := c.delete(ctx); err != nil {
		return err
	}
	for _, q := range questions(id) {
		if err := c.expect(ctx, q, id, false); err != nil {
			return err
		}
	}
	return nil
}

// question is one that a service answers, and what its answer shows of the call.
type question struct{ method, body, shows string }

func questions(id string) []question {
	ofUser := fmt.Sprintf(`{"userId":%q}`, User)
	return []question{
		{"sojourn.identity.v1.QueryService/GetUser", ofUser, User},
		{"sojourn.events.v1.QueryService/ListEvents", ofUser, id},
		{"sojourn.sessions.v1.QueryService/ListSessions", ofUser, id},
	}
}

func (c Client) send(ctx context.Context, path string, call any) error {
	return c.request(ctx, path, call, func(r *http.Request) { r.SetBasicAuth(c.WriteKey, "") })
}

// delete deletes the user of the call.
func (c Client) delete(ctx context.Context) error {
	user := map[string]any{"workspace": c.Workspace, "userId": User}
	return c.request(ctx, "/sojourn.admin.v1.AdminService/DeleteUser", user, bearer(c.AdminToken))
}

// request posts a body, and wants 200.
func (c Client) request(ctx context.Context, path string, body any, authorize func(*http.Request)) error {
	text, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encode request: %w", err)
	}
	a, err := c.post(ctx, path, text, authorize)
	if err != nil {
		return err
	}
	return a.want(path, http.StatusOK)
}

func bearer(token string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

// expect asks a question. An answer that there is no such thing shows nothing.
func (c Client) expect(ctx context.Context, q question, id string, want bool) error {
	a, err := c.post(ctx, "/"+q.method, []byte(q.body), bearer(c.QueryToken))
	if err != nil {
		return err
	}
	if err := a.want(q.method, http.StatusOK, http.StatusNotFound); err != nil {
		return err
	}
	if got := a.status == http.StatusOK && strings.Contains(a.text, q.shows); got != want {
		return fmt.Errorf("%s: shows the call %s: %v, want %v", q.method, id, got, want)
	}
	return nil
}

// answer is what the gateway said.
type answer struct {
	status int
	text   string
}

func (a answer) want(of string, statuses ...int) error {
	if slices.Contains(statuses, a.status) {
		return nil
	}
	return fmt.Errorf("%s: answered %d: %s", of, a.status, strings.TrimSpace(a.text))
}

func (a answer) again() bool {
	return a.status == http.StatusTooManyRequests || a.status >= http.StatusInternalServerError
}

// attempts is how often something is sent before it counts as failed: a service may be just restarting.
const attempts = 10

// post sends a body until the answer is not to send it again, and returns the answer.
func (c Client) post(ctx context.Context, path string, body []byte, authorize func(*http.Request)) (answer, error) {
	for attempt := 1; ; attempt++ {
		a, err := c.once(ctx, path, body, authorize)
		if (err == nil && !a.again()) || attempt == attempts {
			return a, err
		}
		select {
		case <-ctx.Done():
			return a, ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

func (c Client) once(ctx context.Context, path string, body []byte, authorize func(*http.Request)) (answer, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL+path, bytes.NewReader(body))
	if err != nil {
		return answer{}, fmt.Errorf("make request: %w", err)
	}
	request.Header.Set("Content-Type", "application/json")
	authorize(request)
	response, err := c.HTTP.Do(request)
	if err != nil {
		return answer{}, fmt.Errorf("%s: %w", path, err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, fmt.Errorf("%s: read answer: %w", path, err)
	}
	return answer{response.StatusCode, string(text)}, nil
}
