package query_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/internal/kit/streams"

	"github.com/sojournhq/sojourn/gateway/internal/limit"
	"github.com/sojournhq/sojourn/gateway/internal/query"
)

func TestTheTailsOfOneWorkspaceLeaveRoomForThoseOfAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		services := newAnything(t)
		services.think = time.Hour
		limits, err := limit.New(limit.Config{}, prometheus.NewRegistry())
		if err != nil {
			t.Fatal(err)
		}
		mux := http.NewServeMux()
		if err := query.Register(mux, query.Config{
			Workspaces: &workspace.Config{Workspaces: []workspace.Workspace{
				{ID: "acme", QueryTokens: workspace.NewSecrets(acmeToken)}, {ID: "other", QueryTokens: workspace.NewSecrets(otherToken)},
			}},
			Identity: services.conn, Deadline: 4 * time.Second, Streams: streams.New(1024), Limits: limits,
		}, observe.Discard()); err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		// tail returns what a tail ends with, if it does not go on.
		tail := func(token string) string {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/sojourn.identity.v1.QueryService/TailCalls",
				strings.NewReader("\x00\x00\x00\x00\x02{}"))
			r.Header.Set("Authorization", "Bearer "+token)
			r.Header.Set("Content-Type", "application/connect+json")
			w, ended := httptest.NewRecorder(), make(chan struct{})
			all.Go(func() { defer close(ended); mux.ServeHTTP(w, r) })
			synctest.Wait()
			select {
			case <-ended:
				return w.Body.String()
			default:
				return ""
			}
		}
		n := 0
		for ; n < 1024; n++ {
			if end := tail(acmeToken); end != "" {
				if !strings.Contains(end, `"code":"resource_exhausted"`) {
					t.Errorf("ended with %q", end)
				}
				break
			}
		}
		if n != 819 { // four fifths
			t.Errorf("one workspace has %d tails", n)
		}
		if end := tail(otherToken); end != "" {
			t.Errorf("another's ended with %q", end)
		}
		all.Wait()
	})
}

func TestTheQuestionsOfOneWorkspaceLeaveRoomForThoseOfAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		services := newAnything(t)
		services.think = 3 * time.Second
		limits, err := limit.New(limit.Config{Questions: 10}, prometheus.NewRegistry())
		if err != nil {
			t.Fatal(err)
		}
		mux := http.NewServeMux()
		if err := query.Register(mux, query.Config{
			Workspaces: &workspace.Config{AdminTokens: workspace.NewSecrets(adminToken), Workspaces: []workspace.Workspace{
				{ID: "acme", QueryTokens: workspace.NewSecrets(acmeToken, secondAcme)}, {ID: "other", QueryTokens: workspace.NewSecrets(otherToken)},
			}},
			Identity: services.conn, Deadline: 4 * time.Second, Limits: limits,
		}, observe.Discard()); err != nil {
			t.Fatal(err)
		}
		ask := func(token string) *httptest.ResponseRecorder {
			const path = "/sojourn.identity.v1.QueryService/ListUsers"
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(`{"workspace":"acme"}`))
			if token == otherToken {
				r = httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(`{}`))
			}
			r.Header.Set("Authorization", "Bearer "+token)
			r.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			mux.ServeHTTP(w, r)
			return w
		}
		var all sync.WaitGroup
		var answered, refused atomic.Int64
		for i := range 200 {
			all.Go(func() {
				w := ask([]string{acmeToken, secondAcme}[i%2])
				switch {
				case w.Code == http.StatusOK:
					answered.Add(1)
				case w.Code == http.StatusTooManyRequests && strings.Contains(w.Body.String(), `"code":"resource_exhausted"`):
					refused.Add(1)
				default:
					t.Errorf("answered %d %s", w.Code, w.Body)
				}
			})
		}
		synctest.Wait()
		for _, token := range []string{otherToken, adminToken} {
			if w := ask(token); w.Code != http.StatusOK {
				t.Errorf("%s was answered %d %s", token, w.Code, w.Body)
			}
		}
		all.Wait()
		if got := fmt.Sprint(answered.Load(), refused.Load()); got != "8 192" {
			t.Errorf("of 200 questions %s were answered and refused, want 8 and 192", got)
		}
	})
}
