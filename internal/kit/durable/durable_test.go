package durable_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn/internal/kit/durable"
)

var errCut = errors.New("cut off")

func names(t *testing.T, dir string) (found []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		found = append(found, e.Name())
	}
	return found
}

func TestAFileThatIsCutOffAtAnyStepHoldsTheOldTextOrTheNew(t *testing.T) {
	finished := false
	for cut := 0; !finished; cut++ {
		path := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
		var made []string
		err := durable.Steps(func(step string) error {
			if len(made) == cut {
				return errCut
			}
			made = append(made, strings.Fields(step)[0])
			return nil
		}).WriteFile(path, []byte("new"))
		want := "old"
		if slices.Contains(made, "rename") {
			want = "new"
		}
		if text, readErr := os.ReadFile(path); readErr != nil || string(text) != want {
			t.Errorf("cut off after %q it holds %q, want %q", made, text, want)
		}
		if finished = err == nil; finished {
			if want := []string{"create", "write", "sync", "rename", "sync"}; !slices.Equal(made, want) {
				t.Errorf("steps %q, want %q", made, want)
			}
		}
		if err := durable.RemoveNew(path); err != nil {
			t.Error(err)
		}
		if got := names(t, filepath.Dir(path)); !slices.Equal(got, []string{"file"}) {
			t.Errorf("cut off after %q there is %q", made, got)
		}
	}
}

func TestWhatIsLeftOfOneFileIsRemovedAndNothingElse(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{".new-file-1", ".new-file-", ".new-file-1x", ".new-other-1", ".new-1"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := durable.RemoveNew(filepath.Join(dir, "file")); err != nil {
		t.Fatal(err)
	}
	if got, want := names(t, dir), []string{".new-1", ".new-file-", ".new-file-1x", ".new-other-1"}; !slices.Equal(got, want) {
		t.Errorf("there is %q, want %q", got, want)
	}
}

func TestALinkIsReplacedAndNotWrittenThrough(t *testing.T) {
	dir := t.TempDir()
	victim, link := filepath.Join(dir, "victim"), filepath.Join(dir, "link")
	if err := errors.Join(os.WriteFile(victim, []byte("mine"), 0o600), os.Symlink(victim, link)); err != nil {
		t.Fatal(err)
	}
	if err := durable.WriteFile(link, []byte("new")); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{victim: "mine", link: "new"} {
		if text, err := os.ReadFile(path); err != nil || string(text) != want {
			t.Errorf("%s holds %q, %v", path, text, err)
		}
	}
}

func TestEveryDirectoryThatIsMadeIsSyncedWhereItIsNamed(t *testing.T) {
	top := t.TempDir()
	var steps []string
	s := durable.Steps(func(step string) error { steps = append(steps, strings.ReplaceAll(step, top, "")); return nil })
	for range 2 { // the second time there is nothing to do
		if err := s.MkdirAll(filepath.Join(top, "a", "b")); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"make directory /a", "sync directory ", "make directory /a/b", "sync directory /a"}
	if !slices.Equal(steps, want) {
		t.Errorf("steps %q, want %q", steps, want)
	}
	if err := os.WriteFile(filepath.Join(top, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := durable.MkdirAll(filepath.Join(top, "file")); err == nil {
		t.Error("a file passed for a directory")
	}
	for _, relative := range []string{".", "", "/"} {
		if err := durable.MkdirAll(relative); err != nil {
			t.Errorf("%q: %v", relative, err)
		}
	}
}

func TestAFailedSyncIsToldApart(t *testing.T) {
	err := fmt.Errorf("start: %w", durable.SyncDir(os.DevNull)) // which cannot be synced
	if !errors.Is(err, durable.ErrSync) || !strings.Contains(err.Error(), os.DevNull) {
		t.Errorf("got %v", err)
	}
	if err := durable.SyncDir(filepath.Join(t.TempDir(), "nothing")); err == nil || errors.Is(err, durable.ErrSync) {
		t.Errorf("of nothing: %v", err)
	}
}
