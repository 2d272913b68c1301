package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// eventually waits for something that happens soon, but not at once.
func eventually(t *testing.T, what string, happened func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !happened(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v", what, patience)
		}
	}
}

func TestAChangedWorkspacesFileCountsWhileEverythingRuns(t *testing.T) {
	const newKey = "write-key-that-is-new-here"
	body := `{"messageId":"g","timestamp":"2026-11-02T09:00:00Z","anonymousId":"s","userId":"u","groupId":"acme",
		"traits":{"name":"Acme","createdAt":"2020-01-01","tier":"bronze"}}`
	onBoth(t, func(t *testing.T, d deployment) {
		status := func(key string) int { return send(t, d, "/v1/group", key, body).status }
		write := func(text string) {
			if err := os.WriteFile(filepath.Join(d.dir(), "workspaces.yaml"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		account := func() string {
			return ask[struct {
				Account struct{ Traits struct{ Tier string } }
			}](t, d, queryToken,
				"sojourn.identity.v1.QueryService/GetAccount", `{"accountId":"acme"}`).Account.Traits.Tier
		}
		if got := status(writeKey); got != http.StatusOK || status(newKey) != http.StatusUnauthorized || account() != "" {
			t.Fatalf("before: the call is answered %d, tier %q", got, account())
		}
		write(strings.NewReplacer(writeKey, newKey, "[gold, silver]", "[bronze]").Replace(workspacesYAML))
		eventually(t, "the new key", func() bool { return status(newKey) == http.StatusOK })
		if got := status(writeKey); got != http.StatusUnauthorized {
			t.Errorf("the key that is no more is answered %d", got)
		}
		eventually(t, "the new tier", func() bool { return account() == "bronze" })
		tiers := ask[struct{ Settings struct{ Tiers []string } }](t, d, queryToken,
			"sojourn.identity.v1.QueryService/GetSettings", `{}`).Settings.Tiers
		if !slices.Equal(tiers, []string{"bronze"}) {
			t.Errorf("tiers %q", tiers)
		}
	})
}
