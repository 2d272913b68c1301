package keyring_test

import (
	"fmt"
	"testing"

	"github.com/sojournhq/sojourn/internal/domain/workspace"

	"github.com/sojournhq/sojourn/gateway/internal/keyring"
)

func TestOnlyTheExactSecretFindsItsHolder(t *testing.T) {
	var r keyring.Ring[string]
	if _, ok := r.Find(""); ok {
		t.Error("an empty ring knows the empty secret")
	}
	r.Add(workspace.NewSecret("old-key"), "web")
	r.Add(workspace.NewSecret("new-key"), "web")
	r.Add(workspace.NewSecret("other-key"), "app")
	r.Add(workspace.NewSecret(""), "nobody")
	for secret, want := range map[string]string{
		"old-key": "web", "new-key": "web", "other-key": "app", "": "", "old-ke": "", "\told-key": "", "OLD-KEY": "",
		workspace.NewSecret("old-key").Hashed(): "", // who has read the file is not let in
	} {
		if got, ok := r.Find(secret); got != want || ok != (want != "") {
			t.Errorf("Find(%q) = %q, %v, want %q", secret, got, ok, want)
		}
	}
}

func TestEverySecretOfAConfigurationIsOfItsKind(t *testing.T) {
	kinds := keyring.KindsOf(&workspace.Config{AdminTokens: workspace.NewSecrets("admin-1", "admin-2"), Workspaces: []workspace.Workspace{
		{QueryTokens: workspace.NewSecrets("query-1", "query-2"), Sources: []workspace.Source{
			{WriteKeys: workspace.NewSecrets("write-1", "write-2")}, {WriteKeys: workspace.NewSecrets("write-3")},
		}},
		{QueryTokens: workspace.NewSecrets("query-3"), Sources: []workspace.Source{{WriteKeys: workspace.NewSecrets("write-4")}}},
	}})
	for name, c := range map[string]struct {
		count int
		kind  keyring.Kind
		says  string
	}{
		"admin": {2, keyring.AdminToken, "admin token"}, "query": {3, keyring.QueryToken, "query token"}, "write": {4, keyring.WriteKey, "write key"},
	} {
		for i := range c.count {
			if got, ok := kinds.Find(fmt.Sprintf("%s-%d", name, i+1)); !ok || got != c.kind || got.String() != c.says {
				t.Errorf("%s-%d is a %v", name, i+1, got)
			}
		}
	}
	if got, ok := kinds.Find("write-5"); ok {
		t.Errorf("an unknown secret is a %v", got)
	}
}
