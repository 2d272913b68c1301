package query_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/internal/kit/streams"
)

const (
	acmeSite, otherSite = "https://dash.acme.example", "https://other.example:8443"
	listUsers           = "/sojourn.identity.v1.QueryService/ListUsers"
	byGET               = "?encoding=json&message=%7B%7D"
)

// shared serves the query door of two workspaces that each let a site read.
func shared(t *testing.T) string {
	t.Helper()
	services := newAnything(t)
	url, _ := serveTo(t, &workspace.Config{AdminTokens: workspace.NewSecrets(adminToken), Workspaces: []workspace.Workspace{
		{ID: "acme", QueryTokens: workspace.NewSecrets(acmeToken), QueryOrigins: []string{acmeSite, "http://localhost:3000"}},
		{ID: "other", QueryTokens: workspace.NewSecrets(otherToken), QueryOrigins: []string{otherSite}},
		{ID: "third", QueryTokens: workspace.NewSecrets(secondAcme)},
	}}, services.conn, streams.New(1), never)
	return url
}

func TestAPreflightLetsInEveryOriginThatAnyWorkspaceNames(t *testing.T) {
	url := shared(t)
	for path, shares := range map[string]bool{
		listUsers: true, "/sojourn.events.v1.QueryService/QueryUsage": true, "/sojourn.report.v1.ReportService/Export": true,
		"/sojourn.sessions.v1.QueryService/WatchSessions": true, "/sojourn.admin.v1.AdminService/DeleteUser": false,
		"/sojourn.sessions.v1.AdminService/RebuildSessions": false, "/sojourn.backup.v1.BackupService/CopyFile": false,
	} {
		for origin, named := range map[string]bool{
			acmeSite: true, otherSite: true, "http://localhost:3000": true, "https://localhost:3000": false, "http://dash.acme.example": false,
			"https://evil.example": false, "null": false, acmeSite + ".evil.example": false, strings.ToUpper(acmeSite): false,
		} {
			answer := request(t, http.MethodOptions, url+path+byGET, "", "Origin", origin,
				"Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "authorization,content-type")
			h := answer.header
			if got := h.Get("Access-Control-Allow-Origin"); got != map[bool]string{true: origin}[shares && named] {
				t.Errorf("%s to %s: let in is %q", origin, path, got)
			}
			if !shares {
				continue
			}
			allows := strings.Contains(h.Get("Access-Control-Allow-Headers"), "Authorization") && h.Get("Access-Control-Allow-Methods") == "GET, POST"
			if answer.status != http.StatusNoContent || allows != named || h.Get("Vary") != "Origin" || answer.text != "" {
				t.Errorf("%s to %s: %v", origin, path, answer)
			}
		}
	}
}

func TestAnAnswerIsForThePagesOfItsTokensWorkspaceAlone(t *testing.T) {
	url := shared(t)
	for name, c := range map[string]struct {
		token, origin string
		status        int
		shared        bool
	}{
		"its own":                   {acmeToken, acmeSite, http.StatusOK, true},
		"its second":                {acmeToken, "http://localhost:3000", http.StatusOK, true},
		"another workspace's":       {acmeToken, otherSite, http.StatusOK, false},
		"that one's":                {otherToken, otherSite, http.StatusOK, true},
		"of a workspace with none":  {secondAcme, acmeSite, http.StatusOK, false},
		"nobody's":                  {acmeToken, "https://evil.example", http.StatusOK, false},
		"no page":                   {acmeToken, "", http.StatusOK, false},
		"with an unknown token":     {"unknown-token-00000", acmeSite, http.StatusUnauthorized, false},
		"without a token":           {"", acmeSite, http.StatusUnauthorized, false},
		"with the admin's":          {adminToken, acmeSite, http.StatusBadRequest, false},
		"with the admin's, no page": {adminToken, "", http.StatusBadRequest, false},
	} {
		for method, at := range map[string]string{http.MethodGet: listUsers + byGET, http.MethodPost: listUsers} {
			header := []string{"Authorization", "Bearer " + c.token, "Content-Type", "application/json"}
			if c.origin != "" {
				header = append(header, "Origin", c.origin)
			}
			answer := request(t, method, url+at, map[string]string{http.MethodPost: "{}"}[method], header...)
			want := map[bool]string{true: c.origin}[c.shared]
			if got := answer.header.Get("Access-Control-Allow-Origin"); got != want || answer.status != c.status {
				t.Errorf("%s by %s: for %q, want %d for %q: %v", name, method, got, c.status, want, answer)
			}
			h := answer.header
			if h.Get("Access-Control-Allow-Credentials") != "" || !strings.Contains(strings.Join(h.Values("Vary"), " "), "Origin") {
				t.Errorf("%s by %s: %v", name, method, h)
			}
			if exposed := h.Get("Access-Control-Expose-Headers"); (exposed != "") != c.shared {
				t.Errorf("%s by %s: the page may read %q", name, method, exposed)
			}
		}
	}
}

func TestAPageReadsAlsoWhyItsQueryWasRefused(t *testing.T) {
	url := shared(t)
	answer := get(t, url+listUsers+"?encoding=json&message=%7B%22acount%22:1%7D", "Authorization", "Bearer "+acmeToken, "Origin", acmeSite)
	if answer.status != http.StatusBadRequest || answer.header.Get("Access-Control-Allow-Origin") != acmeSite ||
		!strings.Contains(answer.text, "acount is not a field") {
		t.Errorf("%v", answer)
	}
}

func TestOriginsAreThoseOfTheConfigurationOfNow(t *testing.T) {
	var config changing
	services := newAnything(t)
	named := func(origin string) *workspace.Config {
		return &workspace.Config{Workspaces: []workspace.Workspace{
			{ID: "acme", QueryTokens: workspace.NewSecrets(acmeToken), QueryOrigins: []string{origin}},
		}}
	}
	config.Store(named(acmeSite))
	url, _ := serveTo(t, &config, services.conn, streams.New(1), never)
	for _, now := range []string{acmeSite, otherSite} {
		config.Store(named(now))
		for _, origin := range []string{acmeSite, otherSite} {
			answer := get(t, url+listUsers+byGET, "Authorization", "Bearer "+acmeToken, "Origin", origin)
			before := request(t, http.MethodOptions, url+listUsers, "", "Origin", origin)
			for _, a := range []answered{answer, before} {
				if got := a.header.Get("Access-Control-Allow-Origin"); (got == origin) != (origin == now) {
					t.Errorf("%s is named, and let in is %q", now, got)
				}
			}
		}
	}
}
