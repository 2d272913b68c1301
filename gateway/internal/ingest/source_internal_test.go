package ingest

import (
	"testing"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
	"github.com/sojournhq/sojourn/internal/domain/workspace/workspacetest"

	"github.com/sojournhq/sojourn/gateway/internal/keyring"
)

func TestSourcesAndKindsOfKeysAreWorkInProportionToTheConfiguration(t *testing.T) {
	configs := map[int]*workspace.Config{}
	for _, n := range []int{50, 200} {
		config, err := workspace.Parse(workspacetest.Many(n))
		if err != nil {
			t.Fatal(err)
		}
		configs[n] = config
	}
	workspacetest.Linear(t, 50, func(n int) {
		ring, kinds := sourcesOf(configs[n], 1<<15), keyring.KindsOf(configs[n])
		if s, ok := ring.Find("write-key-0000000000000007"); !ok || s.workspace != "customer-7" {
			t.Errorf("found %+v", s)
		}
		if kind, ok := kinds.Find("query-token-0000000000000007"); !ok || kind != keyring.QueryToken {
			t.Errorf("a query token is a %v", kind)
		}
	})
}
