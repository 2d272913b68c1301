package backup_test

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/standalone/internal/backup"
	"github.com/sojournhq/sojourn/standalone/internal/chunks"
)

// renamed gives a backup the name of another time, so that the next one of the same second does not have it too.
func renamed(t *testing.T, dir, name string) string {
	t.Helper()
	to := filepath.Join(filepath.Dir(dir), name)
	if err := os.Rename(dir, to); err != nil {
		t.Fatal(err)
	}
	return to
}

// grow writes what cannot be made shorter.
func grow(t *testing.T, o boltdb.Options, seed byte, rows int) {
	t.Helper()
	db, err := boltdb.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	noise := rand.NewChaCha8([32]byte{seed})
	err = db.Update(t.Context(), func(tx *boltdb.Tx) error {
		made, err := boltdb.Make(tx, [][]byte{[]byte("workspaces"), []byte("w")}, []byte("rows"))
		for range rows {
			key, value := make([]byte, 8), make([]byte, 1000)
			_, _ = noise.Read(key)
			_, _ = noise.Read(value)
			err = errors.Join(err, made.Bucket([]byte("rows")).Put(key, value))
		}
		return err
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

// storedBytes is what a backup took.
func storedBytes(m backup.Manifest) (bytes int64) {
	for _, f := range m.Files {
		bytes += f.StoredBytes
	}
	return bytes
}

// mustRestore restores a backup, and compares.
func mustRestore(t *testing.T, dir string, want []string) {
	t.Helper()
	to := t.TempDir()
	if _, err := backup.Restore(t.Context(), backup.Restoring{From: dir, Dir: to}); err != nil {
		t.Fatal(err)
	}
	for i, o := range files(to) {
		if got := contents(t, o); got != want[i] {
			t.Errorf("of %s %d bytes of contents are restored, want %d", o.Kind, len(got), len(want[i]))
		}
	}
}

func all(t *testing.T, dir string) (of []string) {
	t.Helper()
	for _, o := range files(dir) {
		of = append(of, contents(t, o))
	}
	return of
}

func TestAnIncrementalBackupTakesWhatIsNewAndEachCanBeRestored(t *testing.T) {
	from, out := stopped(t), t.TempDir()
	for i, o := range files(from) {
		grow(t, o, byte(i), 2000)
	}
	o := backup.Options{Dir: out, Incremental: true, Compress: true}
	dir, m, err := backup.Take(t.Context(), stoppedIn(from), o)
	if err != nil {
		t.Fatal(err)
	}
	first, whole, was := renamed(t, dir, "20260101T000000Z"), storedBytes(m), all(t, from)
	if whole < 5_000_000 {
		t.Fatalf("the first backup took %d bytes: fewer than were written", whole)
	}
	if dir, m, err = backup.Take(t.Context(), stoppedIn(from), o); err != nil {
		t.Fatal(err)
	}
	second := renamed(t, dir, "20260102T000000Z")
	if again := storedBytes(m); again > whole/20 {
		t.Errorf("a backup of what did not change took %d bytes, after one of %d", again, whole)
	}
	grow(t, files(from)[1], 9, 20)
	third := take(t, stoppedIn(from), o)
	is := all(t, from)
	mustRestore(t, first, was)
	mustRestore(t, second, was)
	mustRestore(t, third, is)
	if n, err := backup.Check(t.Context(), out, func(err error) { t.Error(err) }); n != 3 || err != nil {
		t.Errorf("%d backups checked, %v", n, err)
	}
	if err := errors.Join(os.RemoveAll(first), os.RemoveAll(second)); err != nil {
		t.Fatal(err)
	}
	mustRestore(t, third, is)
}

// packs returns the names of packs in a directory of backups.
func packs(t *testing.T, out string) []string {
	t.Helper()
	return slices.DeleteFunc(names(t, filepath.Join(out, "packs")), func(name string) bool { return name == "lock" })
}

func TestOldIncrementalBackupsAreRemovedWithWhatTheyAloneNeeded(t *testing.T) {
	from, other, out := stopped(t), stopped(t), t.TempDir()
	grow(t, files(from)[0], 1, 500)
	for _, o := range files(other) {
		fill(t, o)
	}
	o := backup.Options{Dir: out, Incremental: true, Keep: 1}
	renamed(t, take(t, stoppedIn(from), o), "20260101T000000Z")
	crashed := filepath.Join(out, ".partial-chunks-1")
	if err := os.Mkdir(crashed, 0o700); err != nil {
		t.Fatal(err)
	}
	before := packs(t, out)
	kept := take(t, stoppedIn(other), o)
	if got := names(t, out); !slices.Equal(got, []string{filepath.Base(kept), "packs"}) {
		t.Errorf("left are %q", got)
	}
	for _, name := range packs(t, out) {
		if info, err := os.Stat(filepath.Join(out, "packs", name)); err != nil || slices.Contains(before, name) || info.Size() > 300_000 {
			t.Errorf("%s is left of what nobody needs: %v", name, err)
		}
	}
	mustRestore(t, kept, all(t, other))
}

func TestADamagedPackIsNamedByRestoreAndCheck(t *testing.T) {
	from, out := stopped(t), t.TempDir()
	dir := take(t, stoppedIn(from), backup.Options{Dir: out, Incremental: true})
	path := filepath.Join(out, "packs", packs(t, out)[0])
	text, err := os.ReadFile(path)
	text[len(text)/3] ^= 1
	if err := errors.Join(err, os.WriteFile(path, text, 0o600)); err != nil {
		t.Fatal(err)
	}
	to := t.TempDir()
	if _, err := backup.Restore(t.Context(), backup.Restoring{From: dir, Dir: to}); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("restoring says %v, want %s", err, path)
	}
	if left := names(t, to); len(left) > 0 {
		t.Errorf("%q is left", left)
	}
	said := ""
	if _, err := backup.Check(t.Context(), out, func(err error) { said += err.Error() }); err != nil || !strings.Contains(said, path) {
		t.Errorf("the check says %q, %v", said, err)
	}
}

func TestTwoIncrementalBackupsAtOnceAreRefused(t *testing.T) {
	out := t.TempDir()
	var order []string
	set := noting("", &order)
	copied := set.Events.Copy
	set.Events.Copy = func(ctx context.Context, begun func(boltdb.Snapshot) error, to io.Writer) ([]byte, error) {
		var none []string
		_, _, err := backup.Take(ctx, noting("", &none), backup.Options{Dir: out, Incremental: true})
		if !errors.Is(err, chunks.ErrBusy) || len(none) > 0 {
			t.Errorf("beside another: %v", err)
		}
		return copied(ctx, begun, to)
	}
	take(t, set, backup.Options{Dir: out, Incremental: true})
}
