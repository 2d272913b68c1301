package workspace_test

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
)

// file is a watched file and the log of the watching.
type file struct {
	*workspace.Watched

	t    *testing.T
	path string
	log  *bytes.Buffer
}

// watch watches a file with a configuration of one workspace, within a synctest bubble.
func watch(t *testing.T) *file {
	t.Helper()
	f := &file{t: t, path: filepath.Join(t.TempDir(), "workspaces.yaml"), log: &bytes.Buffer{}}
	f.write(good)
	var err error
	if f.Watched, err = workspace.Watch(f.path, slog.New(slog.NewTextHandler(f.log, nil))); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func (f *file) write(text string) {
	f.t.Helper()
	if err := os.WriteFile(f.path, []byte(text), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

// pass lets looks at the file pass.
func pass(looks int) {
	for range looks {
		time.Sleep(time.Second)
		synctest.Wait()
	}
}

func (f *file) tiers() string { return strings.Join(f.Config().Workspaces[0].Tiers, " ") }

func TestAChangedFileIsTakenOnceItIsWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := watch(t)
		first := f.Config()
		pass(3)
		if f.Config() != first {
			t.Error("a file that has not changed gave another configuration")
		}
		changed := strings.Replace(good, "[gold, silver]", "[bronze]", 1)
		f.write(changed[:len(changed)-60]) // half written
		pass(1)
		f.write(changed)
		pass(1)
		if got := f.tiers(); got != "gold silver" || f.Config() != first {
			t.Errorf("tiers %q before the file held still", got)
		}
		pass(1)
		if got := f.tiers(); got != "bronze" {
			t.Errorf("tiers %q, want bronze", got)
		}
		if first.Workspaces[0].Tiers[0] != "gold" {
			t.Error("the first configuration was changed")
		}
		if strings.Contains(f.log.String(), "not taken") {
			t.Errorf("the half written file was logged: %s", f.log)
		}
	})
}

func TestAFileOfTheSameTimeAndLengthIsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := watch(t)
		info, err := os.Stat(f.path)
		if err != nil {
			t.Fatal(err)
		}
		f.write(strings.Replace(good, "[gold, silver]", "[gold, bronze]", 1))
		if err := os.Chtimes(f.path, info.ModTime(), info.ModTime()); err != nil {
			t.Fatal(err)
		}
		pass(2)
		if got := f.tiers(); got != "gold bronze" {
			t.Errorf("tiers %q, want gold bronze", got)
		}
	})
}

func TestAWrongFileChangesNothingAndEveryProblemIsLoggedOnceWithoutKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := watch(t)
		first := f.Config()
		f.write(strings.NewReplacer("[gold, silver]", "[gold, gold]", "write-key-000000000000", "secret").Replace(good))
		pass(5)
		if f.Config() != first {
			t.Error("the wrong file was taken")
		}
		log := f.log.String()
		if strings.Count(log, "not taken") != 1 || !strings.Contains(log, "tiers[1]") || !strings.Contains(log, "write_keys[0]: shorter") {
			t.Errorf("log: %s", log)
		}
		if strings.Contains(log, "secret") || strings.Contains(log, "token-0") {
			t.Errorf("the log shows a key: %s", log)
		}
		f.write(strings.Replace(good, "[gold, silver]", "[bronze]", 1))
		pass(2)
		if got := f.tiers(); got != "bronze" {
			t.Errorf("tiers %q after the file was put right, want bronze", got)
		}
	})
}

func TestARemovedFileChangesNothingUntilThereIsOneAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := watch(t)
		first := f.Config()
		if err := os.Remove(f.path); err != nil {
			t.Fatal(err)
		}
		pass(5)
		if f.Config() != first {
			t.Error("the configuration is gone with its file")
		}
		if n := strings.Count(f.log.String(), "not taken"); n != 1 {
			t.Errorf("logged %d times: %s", n, f.log)
		}
		f.write(strings.Replace(good, "[gold, silver]", "[bronze]", 1))
		pass(2)
		if got := f.tiers(); got != "bronze" {
			t.Errorf("tiers %q, want bronze", got)
		}
	})
}

func TestAfterCloseNothingIsFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := watch(t)
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		f.write(strings.Replace(good, "[gold, silver]", "[bronze]", 1))
		pass(3)
		if got := f.tiers(); got != "gold silver" {
			t.Errorf("tiers %q", got)
		}
	})
}

func TestAFileThatIsWrongFromTheBeginningIsNotWatched(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing.yaml")
	if _, err := workspace.Watch(missing, slog.New(slog.DiscardHandler)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	wrong := filepath.Join(t.TempDir(), "wrong.yaml")
	if err := os.WriteFile(wrong, []byte("workspaces: []"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := workspace.Watch(wrong, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "wrong.yaml") {
		t.Errorf("a wrong file: %v", err)
	}
}
