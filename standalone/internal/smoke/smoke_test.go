package smoke_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn/gateway"
	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/standalone"
	"github.com/sojournhq/sojourn/standalone/internal/setup"
	"github.com/sojournhq/sojourn/standalone/internal/smoke"
)

// running is a whole Sojourn, of which spoil may change what is asked of it.
func running(t *testing.T, spoil func(http.Handler) http.Handler) smoke.Client {
	t.Helper()
	dir := t.TempDir()
	config, err := setup.Workspaces(dir)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := setup.FirstKeys(dir, config)
	if err != nil {
		t.Fatal(err)
	}
	suite, err := standalone.Open(t.Context(), standalone.Config{Dir: dir, Workspaces: config}, observe.Discard())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := suite.Close(); err != nil {
			t.Error(err)
		}
	})
	g, err := gateway.Open(t.Context(), gateway.Config{Workspaces: config}, suite.Backends(), observe.Discard())
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(spoil(g.Handler()))
	t.Cleanup(server.Close)
	return smoke.Client{
		URL: server.URL, Workspace: "default", WriteKey: keys.WriteKey, QueryToken: keys.QueryToken, AdminToken: keys.AdminToken,
		HTTP: server.Client(),
	}
}

func TestItPassesAgainAndAgain(t *testing.T) {
	c := running(t, func(h http.Handler) http.Handler { return h })
	for range 3 {
		if err := c.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func TestItFailsWhenWhatItSentIsNotThereOrDoesNotGo(t *testing.T) {
	for path, want := range map[string]string{
		"/v1/track": "false, want true",
		"/sojourn.admin.v1.AdminService/DeleteUser": "true, want false",
	} {
		c := running(t, func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != path { // what is not passed on is answered with 200 all the same
					h.ServeHTTP(w, r)
				}
			})
		})
		if err := c.Run(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("without %s: %v", path, err)
		}
	}
}

func TestItFailsWithAWrongKey(t *testing.T) {
	for name, spoil := range map[string]func(*smoke.Client){
		"write key":   func(c *smoke.Client) { c.WriteKey = "write_of_somebody_else" },
		"query token": func(c *smoke.Client) { c.QueryToken = "query_of_somebody_else" },
		"admin token": func(c *smoke.Client) { c.AdminToken = "admin_of_somebody_else" },
	} {
		c := running(t, func(h http.Handler) http.Handler { return h })
		spoil(&c)
		if err := c.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "401") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}
