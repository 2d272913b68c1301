package ingest_test

import (
	"strings"
	"testing"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
)

func TestATokenThatDoesNotSendCallsIsToldSoAndWhatIsNoneIsUnknown(t *testing.T) {
	const queryToken, adminToken = "query-token-of-acme", "admin-token-of-all-0"
	g := open(t)
	config := workspaces()
	config.AdminTokens = workspace.NewSecrets(adminToken)
	config.Workspaces[0].QueryTokens = workspace.NewSecrets(queryToken)
	g.workspaces.Store(config)
	for key, c := range map[string]struct {
		status int
		says   string
	}{
		webKey:                               {200, `'success':true`},
		queryToken:                           {403, `the query token does not send calls`},
		adminToken:                           {403, `the admin token does not send calls`},
		"":                                   {401, `'code':'key_unknown'`},
		"no-such-key-0000":                   {401, `'code':'key_unknown'`},
		workspace.NewSecret(webKey).Hashed(): {401, `'code':'key_unknown'`},
	} {
		inBody := trackCall("m", `"writeKey":"`+key+`",`)
		for _, w := range []struct{ way, key, body string }{{"header", key, trackCall("m", "")}, {"body", "", inBody}} {
			answer := g.post("/v1/track", w.key, w.body)
			check(t, answer, c.status, c.says)
			if (c.status == 403) != strings.Contains(answer.Body.String(), `"code":"permission"`) || key != "" && strings.Contains(answer.Body.String(), key) {
				t.Errorf("%q in the %s: %s", key, w.way, answer.Body)
			}
		}
	}
	if n := len(g.Identity.Calls()); n != 2 {
		t.Errorf("identity has %d calls, want the 2 of the write key", n)
	}
}
