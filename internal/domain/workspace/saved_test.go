package workspace_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
)

// TestWhatIsSavedHasKeysAsHashesPlainSecretsAsTheyAreAndFilesByName also has the files gone when it is read again.
func TestWhatIsSavedHasKeysAsHashesPlainSecretsAsTheyAreAndFilesByName(t *testing.T) {
	dir := t.TempDir()
	outside := filepath.Join(t.TempDir(), "secret")
	for path, text := range map[string]string{
		filepath.Join(dir, "workspaces.yaml"): signed("plain-secret-000", "file:secrets/web", "file:"+outside, "file:secrets/web2"),
		filepath.Join(dir, "secrets", "web"):  "secret-in-a-file-0\n", filepath.Join(dir, "secrets", "web2"): "secret-in-a-file-2\n",
		outside: "secret-outside-00",
	} {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c, err := workspace.Load(filepath.Join(dir, "workspaces.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := c.Encode()
	if err != nil {
		t.Fatal(err)
	}
	for _, not := range []string{"secret-in-a-file", "secret-outside", "admin-token-0000000000", "query-token-0000000000", "write-key-000000000000"} {
		if strings.Contains(string(text), not) {
			t.Errorf("%q is in it", not)
		}
	}
	for _, want := range []string{
		"plain-secret-000", "- file:secrets/web\n", "file:" + outside, workspace.NewSecret("admin-token-0000000000").Hashed(),
		workspace.NewSecret("query-token-0000000000").Hashed(), workspace.NewSecret("write-key-000000000000").Hashed(),
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%q is not in it:\n%s", want, text)
		}
	}
	for name, secrets := range map[string]func() (int, []string){
		"as it was loaded": c.Secrets,
		"as it was saved": func() (int, []string) {
			saved, err := workspace.ParseSaved(text)
			if err != nil {
				t.Fatal(err)
			}
			if again, err := saved.Encode(); err != nil || string(again) != string(text) {
				t.Errorf("saved again it is\n%s\n%v, not\n%s", again, err, text)
			}
			return saved.Secrets()
		},
	} {
		if plain, files := secrets(); plain != 1 || !slices.Equal(files, []string{"secrets/web", outside, "secrets/web2"}) {
			t.Errorf("%s: %d plain secrets, files %q", name, plain, files)
		}
	}
}

func TestWhatWasSavedIsCheckedAsAnyFileIs(t *testing.T) {
	for text, want := range map[string]string{
		"workspaces: [":                             "line",
		"workspaces: []":                            "at least one is required",
		signed("short"):                             "shared_secrets[0]: shorter than 16 characters",
		good + "        shared_secret: [x]\n":       "shared_secret",
		strings.ReplaceAll(good, "id: acme", "id:"): "workspaces[0].id: required",
	} {
		if _, err := workspace.ParseSaved([]byte(text)); err == nil || !strings.Contains(err.Error(), want) && want != "line" {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
