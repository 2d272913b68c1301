//go:build unix

package backup_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/sojournhq/sojourn/internal/kit/regular"
	"github.com/sojournhq/sojourn/standalone/internal/backup"
)

// TestARestoreRefusesWhatIsNoRegularFile puts a link, a pipe, a device and a directory in the place of every file of a backup.
func TestARestoreRefusesWhatIsNoRegularFile(t *testing.T) {
	data := keyedData(t)
	for kind, o := range map[string]backup.Options{"whole": {}, "compressed": {Compress: true}, "incremental": {Incremental: true}} {
		o.Dir = t.TempDir()
		dir := take(t, stoppedIn(data), o)
		var places []string
		for _, d := range []string{dir, filepath.Join(o.Dir, "packs")} {
			entries, _ := os.ReadDir(d)
			for _, e := range entries {
				places = append(places, filepath.Join(d, e.Name()))
			}
		}
		if len(places) < 5 {
			t.Fatalf("%s: %q", kind, places)
		}
		for _, place := range places {
			aside := filepath.Join(t.TempDir(), "aside")
			if err := os.Rename(place, aside); err != nil {
				t.Fatal(err)
			}
			for what, put := range map[string]func() error{
				"a link":      func() error { return os.Symlink(aside, place) },
				"a pipe":      func() error { return syscall.Mkfifo(place, 0o600) },
				"a device":    func() error { return os.Symlink(os.DevNull, place) },
				"a directory": func() error { return os.Mkdir(place, 0o700) },
			} {
				if err := put(); err != nil {
					t.Fatal(err)
				}
				to := t.TempDir()
				_, err := backup.Restore(t.Context(), backup.Restoring{From: dir, Dir: to})
				if !errors.Is(err, regular.ErrNotRegular) || !strings.Contains(err.Error(), place) {
					t.Errorf("%s, %s is %s: %v", kind, filepath.Base(place), what, err)
				}
				if left := names(t, to); len(left) > 0 {
					t.Errorf("%s, %s is %s: %q is left", kind, filepath.Base(place), what, left)
				}
				var found []error
				_, err = backup.Check(t.Context(), dir, func(err error) { found = append(found, err) })
				if !slices.ContainsFunc(append(found, err), func(err error) bool { return errors.Is(err, regular.ErrNotRegular) }) {
					t.Errorf("%s, %s is %s: checked, it says %v, %v", kind, filepath.Base(place), what, found, err)
				}
				if err := os.Remove(place); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Rename(aside, place); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestAManifestThatIsTooLargeIsRefused(t *testing.T) {
	_, err := restoring(t, stopped(t), func(dir string) error { return os.Truncate(filepath.Join(dir, "manifest.json"), 1<<40) })
	if !errors.Is(err, regular.ErrTooLarge) || !strings.Contains(err.Error(), "manifest.json") {
		t.Errorf("got %v", err)
	}
}
