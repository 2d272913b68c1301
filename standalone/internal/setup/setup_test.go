package setup_test

import (
	"os"
	"path/filepath"
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
	if other.AdminToken == first.AdminToken {
		t.Error("two directories have the same keys")
	}
	info, err := os.Stat(filepath.Join(dir, setup.File))
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o600 {
		t.Errorf("mode %o, want 600", got)
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
