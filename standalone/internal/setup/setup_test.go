package setup_test

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
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

func TestDataWithoutAWorkspacesFileIsNotGivenNewKeys(t *testing.T) {
	for name, made := range map[string]bool{
		"identity.db": false, "events.db": false, "sessions.db": false, "stores.json": false, "events.db.log-7": false,
		"notes.txt": true, "events.db.new": true, "first-keys.yaml": true,
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		checked := setup.Check(dir, "")
		_, err := setup.Workspaces(dir)
		if made && (err != nil || !errors.Is(checked, fs.ErrNotExist)) {
			t.Errorf("%s: %v; checked before: %v", name, err, checked)
		}
		if made {
			continue
		}
		for _, err := range []error{err, checked} {
			if !errors.Is(err, setup.ErrNoWorkspaces) || !strings.Contains(err.Error(), "restore -only workspaces -from BACKUP -data "+dir) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if entries, _ := os.ReadDir(dir); len(entries) != 1 {
			t.Errorf("%s: something was made", name)
		}
	}
}

func TestWhatAFirstStartThatWasCutOffLeftIsRemoved(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{".new-workspaces.yaml-1", ".new-first-keys.yaml-22", ".new-cursor-1"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := setup.Workspaces(dir); err != nil {
		t.Fatal(err)
	}
	left, _ := filepath.Glob(filepath.Join(dir, ".new-*"))
	if len(left) != 1 || filepath.Base(left[0]) != ".new-cursor-1" {
		t.Errorf("left are %q", left)
	}
}

func TestFirstStartsAtTheSameTimeMakeOneSetOfKeys(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if _, err := setup.Workspaces(dir); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	keys, err := setup.LoadKeys(dir)
	if err != nil || keys.WriteKey == "" || keys.QueryToken == "" || keys.AdminToken == "" {
		t.Errorf("the first keys are not those of the workspaces file: %v", err)
	}
}

func TestAFileThatIsNamedIsFollowedAndNothingIsMade(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	file := filepath.Join(t.TempDir(), "who.yaml")
	log := slog.New(slog.DiscardHandler)
	if _, err := setup.Watch(dir, file, log); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("one that is not there: %v", err)
	}
	if err := os.WriteFile(file, []byte("workspaces: [{id: w, query_tokens: [], sources: []}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	w, err := setup.Watch(dir, file, log)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	if got := w.Config().Workspaces[0].ID; got != "w" {
		t.Errorf("workspace %q", got)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the data directory: %v", err)
	}
}
