package setup_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sojournhq/sojourn/standalone/internal/setup"
)

func TestKeysAreMadeOnceAndKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "data")
	first, err := setup.Workspaces(dir)
	if err != nil {
		t.Fatal(err)
	}
	second, err := setup.Workspaces(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, second); diff != "" {
		t.Error(diff)
	}
	other, err := setup.Workspaces(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if other.AdminTokens[0].Equal(first.AdminTokens[0]) {
		t.Error("two directories have the same keys")
	}
	for _, name := range []string{setup.File, setup.KeysFile} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != 0o600 {
			t.Errorf("%s: mode %o, want 600", name, got)
		}
	}
}

func TestTheWorkspacesFileHoldsTheHashesOfTheFirstKeysAlone(t *testing.T) {
	dir := t.TempDir()
	config, err := setup.Workspaces(dir)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := setup.FirstKeys(dir, config)
	if err != nil || keys.WriteKey == "" || keys.QueryToken == "" || keys.AdminToken == "" {
		t.Fatalf("keys %v, error %v", keys, err)
	}
	text, err := os.ReadFile(filepath.Join(dir, setup.File))
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{keys.WriteKey, keys.QueryToken, keys.AdminToken} {
		if strings.Contains(string(text), key) {
			t.Errorf("the file holds a key:\n%s", text)
		}
	}
	if n := strings.Count(string(text), "sha256:"); n != 3 {
		t.Errorf("%d hashes, want 3:\n%s", n, text)
	}
}

func TestFirstKeysThatAreNoLongerValidAreLeftOut(t *testing.T) {
	dir := t.TempDir()
	config, err := setup.Workspaces(dir)
	if err != nil {
		t.Fatal(err)
	}
	all, err := setup.FirstKeys(dir, config)
	if err != nil {
		t.Fatal(err)
	}
	config.Workspaces[0].Sources[0].WriteKeys = nil
	config.AdminTokens = config.Workspaces[0].QueryTokens
	got, err := setup.FirstKeys(dir, config)
	if want := (setup.Keys{QueryToken: all.QueryToken}); err != nil || got != want {
		t.Errorf("got %+v, want %+v; error %v", got, want, err)
	}
}

func TestWithoutTheirFileThereAreNoFirstKeysAndAWrongOneSaysSoWithoutThem(t *testing.T) {
	dir := t.TempDir()
	config, err := setup.Workspaces(dir)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, setup.KeysFile)
	if err := os.WriteFile(file, []byte("write_key: [write_ABC"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := setup.FirstKeys(dir, config); err == nil || strings.Contains(err.Error(), "ABC") {
		t.Errorf("a wrong file: %v", err)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if got, err := setup.FirstKeys(dir, config); err != nil || got != (setup.Keys{}) {
		t.Errorf("no file: %v, %v", got, err)
	}
}

func TestAFileThatCannotBeReadIsNotReplaced(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, setup.File)
	if err := os.WriteFile(path, []byte("workspaces: ["), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := setup.Workspaces(dir); err == nil {
		t.Fatal("no error")
	}
	if text, _ := os.ReadFile(path); string(text) != "workspaces: [" {
		t.Errorf("file now holds %q", text)
	}
}
