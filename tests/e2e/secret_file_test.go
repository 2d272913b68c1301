package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestServicesStartWithoutTheSecretFilesThatOnlyTheGatewayReads is what a cluster does: the file of workspaces is everybody's, the files of
// shared secrets are the gateway's alone.
func TestServicesStartWithoutTheSecretFilesThatOnlyTheGatewayReads(t *testing.T) {
	dir := newDir(t)
	file := filepath.Join(dir, "workspaces.yaml")
	text := strings.Replace(workspacesYAML, "write_keys: ["+writeKey+"]",
		"write_keys: ["+writeKey+"]\n        shared_secrets: [\"file:/no/such/directory/segment\"]", 1)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"identityd", "sessionsd"} {
		process, _ := start(t, serviceReady, name, "-listen", "127.0.0.1:0", "-admin-listen", "127.0.0.1:0", "-data", dir, "-workspaces", file)
		process.Stop()
	}
}
