package workspace_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
)

const good = `
admin_token: admin-token-0000000000
workspaces:
  - id: acme
    query_tokens: [query-token-0000000000]
    tiers: [gold, silver]
    session_timeout: 45m
    sources:
      - id: web
        write_keys: [write-key-000000000000]
        require_user_id: false
        max_clock_skew: 90s
`

func TestAConfigurationIsReadAndWrittenBack(t *testing.T) {
	c, err := workspace.Parse([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	s := c.Workspaces[0].Sources[0]
	if s.RequireAnonymousID != nil || *s.RequireUserID || time.Duration(*s.MaxClockSkew) != 90*time.Second {
		t.Errorf("source read as %+v", s)
	}
	text, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	again, err := workspace.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c, again); diff != "" {
		t.Error(diff)
	}
}

func TestEveryProblemIsNamedAtOnceAndNoKeyIsShown(t *testing.T) {
	_, err := workspace.Parse([]byte(`
admin_token: secret-short
workspaces:
  - id: a
    query_tokens: [the-same-secret-000000]
    tiers: [gold, gold]
    session_timeout: 25h
    idle_cap: 10ms
    max_session: 1h0.0000001s
    sources:
      - id: web
        write_keys: [the-same-secret-000000]
      - id: web
        write_keys: []
  - id: a
  - id: ""
`))
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		"admin_token: shorter", "workspaces[0].tiers[1]", "workspaces[0].session_timeout", "workspaces[0].idle_cap", "workspaces[0].max_session: finer", "workspaces[0].sources[0].write_keys[0]: the same as workspaces[0].query_tokens[0]",
		`workspaces[0].sources[1].id: "web" stands twice`, "workspaces[0].sources[1].write_keys: at least one",
		`workspaces[1].id: "a" stands twice`, "workspaces[2].id: required",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error lacks %q:\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("error shows a key:\n%v", err)
	}
}

func TestATypoIsAnErrorThatShowsNoKey(t *testing.T) {
	for name, text := range map[string]string{
		"unknown field": strings.Replace(good, "require_user_id", "require_userid", 1),
		"bad duration":  strings.Replace(good, "90s", "soon", 1),
		"not yaml":      "{secret-key-0000000000",
		"empty":         "",
	} {
		_, err := workspace.Parse([]byte(text))
		if err == nil {
			t.Errorf("%s: no error", name)
		} else if strings.Contains(err.Error(), "key-0") {
			t.Errorf("%s: error shows a key: %v", name, err)
		}
	}
}
