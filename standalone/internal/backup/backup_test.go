package backup_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/services/events"
	"github.com/sojournhq/sojourn/services/identity"
	"github.com/sojournhq/sojourn/services/sessions"
	"github.com/sojournhq/sojourn/standalone"
	"github.com/sojournhq/sojourn/standalone/internal/backup"
)

var dataFiles = []string{"events.db", "identity.db", "sessions.db", "stores.json"}

// contents returns every key and value of a data file, but for its uuid, which a restored one has of its own.
func contents(t *testing.T, o boltdb.Options) string {
	t.Helper()
	o.ReadOnly = true
	db, err := boltdb.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	var every func(*boltdb.Bucket) error
	every = func(b *boltdb.Bucket) error {
		rows := b.ForEach(func(key, value []byte) error {
			_, _ = fmt.Fprintf(&all, "%q=%q\n", key, value)
			return nil
		})
		return errors.Join(rows, b.ForEachBucket(func(name []byte) error {
			_, _ = fmt.Fprintf(&all, "%q:\n", name)
			return every(b.Bucket(name))
		}))
	}
	err = db.View(func(tx *boltdb.Tx) error {
		return every(tx.Bucket([]byte("workspaces")))
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// stopped is the data directory of a Sojourn that was started and stopped.
func stopped(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	suite, err := standalone.Open(t.Context(), standalone.Config{Dir: dir}, observe.Discard())
	if err != nil {
		t.Fatal(err)
	}
	if err := suite.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// stoppedIn is what there is in a data directory.
func stoppedIn(dir string) backup.Set {
	return backup.Stopped(dir, filepath.Join(dir, backup.WorkspacesFile))
}

func take(t *testing.T, from backup.Set, o backup.Options) string {
	t.Helper()
	dir, _, err := backup.Take(t.Context(), from, o)
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// names returns what is in a directory.
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

func TestWhatWasBackedUpIsRestored(t *testing.T) {
	from := stopped(t)
	for _, o := range files(from) {
		fill(t, o)
	}
	for _, compress := range []bool{false, true} {
		dir := take(t, stoppedIn(from), backup.Options{Dir: t.TempDir(), Compress: compress})
		to := filepath.Join(t.TempDir(), "new")
		if _, err := backup.Restore(t.Context(), backup.Restoring{From: dir, Dir: to}); err != nil {
			t.Fatal(err)
		}
		if got := names(t, to); !slices.Equal(got, dataFiles) {
			t.Errorf("restored are %q", got)
		}
		was, is := files(from), files(to)
		for i := range was {
			if want, got := contents(t, was[i]), contents(t, is[i]); got != want || len(want) < 100 {
				t.Errorf("%s: got %s, want %s", was[i].Kind, got, want)
			}
		}
	}
}

// fill writes what no other kind of file has.
func fill(t *testing.T, o boltdb.Options) {
	t.Helper()
	db, err := boltdb.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(t.Context(), func(tx *boltdb.Tx) error {
		mine, err := boltdb.Make(tx, [][]byte{[]byte("workspaces"), []byte("w")}, []byte("rows"))
		for i := range 100 {
			err = errors.Join(err, mine.Bucket([]byte("rows")).Put(fmt.Append(nil, i), []byte(o.Kind)))
		}
		return err
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

// files are the data files in a directory.
func files(dir string) []boltdb.Options {
	return []boltdb.Options{identity.Data(dir), events.Data(dir), sessions.Data(dir)}
}

// noting returns a set whose files are their own names, that notes in which order copies begin, and of which one may fail.
func noting(fail string, order *[]string) backup.Set {
	source := func(kind string) backup.Source {
		return backup.Source{Name: kind + ".db", Copy: func(_ context.Context, begun func(boltdb.Snapshot) error, to io.Writer) ([]byte, error) {
			*order = append(*order, kind)
			if fail == kind+" at its beginning" {
				return nil, errors.New("boom")
			}
			if err := begun(boltdb.Snapshot{Kind: kind, Format: 1, Bytes: int64(len(kind))}); err != nil {
				return nil, err
			}
			switch fail {
			case kind + " cut off":
				kind = kind[1:]
			case kind + " changed":
				_, err := io.WriteString(to, kind)
				return []byte("another sum"), err
			case kind:
				return nil, errors.New("boom")
			}
			_, err := io.WriteString(to, kind)
			return nil, err
		}}
	}
	return backup.Set{Identity: source("identity"), Events: source("events"), Sessions: source("sessions")}
}

func TestIdentityIsCopiedAsOfALaterMomentThanTheOthers(t *testing.T) {
	var order []string
	take(t, noting("", &order), backup.Options{Dir: t.TempDir()})
	if want := []string{"events", "sessions", "identity"}; !slices.Equal(order, want) {
		t.Errorf("the copies began in the order %q, want %q", order, want)
	}
}

func TestABackupIsThereWholeOrNotAtAll(t *testing.T) {
	for _, fail := range []string{
		"events at its beginning", "identity at its beginning", "events", "sessions", "identity", "sessions cut off", "identity changed",
	} {
		dir := t.TempDir()
		var order []string
		if _, _, err := backup.Take(t.Context(), noting(fail, &order), backup.Options{Dir: dir}); err == nil {
			t.Errorf("%s: no error", fail)
		}
		if left := names(t, dir); len(left) > 0 {
			t.Errorf("%s: %q is left", fail, left)
		}
		if _, err := backup.Find(dir); !errors.Is(err, backup.ErrNone) {
			t.Errorf("%s: found with %v", fail, err)
		}
	}
}

func TestTheNewestBackupsAreKeptAndWhatIsNoneIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	old := time.Now().Add(-48 * time.Hour)
	for _, name := range []string{
		"20260101T000000Z", "20260102T000000Z", "20260103T000000Z", "notes", ".partial-new", ".partial-old",
	} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chtimes(filepath.Join(dir, ".partial-old"), old, old); err != nil {
		t.Fatal(err)
	}
	var order []string
	taken := take(t, noting("", &order), backup.Options{Dir: dir, Keep: 2})
	want := []string{".partial-new", "20260103T000000Z", filepath.Base(taken), "notes"}
	if got := names(t, dir); !slices.Equal(got, want) {
		t.Errorf("left are %q, want %q", got, want)
	}
	if newest, err := backup.Find(dir); err != nil || newest != taken {
		t.Errorf("the newest is %s, %v", newest, err)
	}
}

// restoring returns what comes of restoring after a backup has been tampered with.
func restoring(t *testing.T, from string, tamper func(dir string) error) (to string, err error) {
	t.Helper()
	dir := take(t, stoppedIn(from), backup.Options{Dir: t.TempDir(), Compress: true})
	if err := tamper(dir); err != nil {
		t.Fatal(err)
	}
	to = t.TempDir()
	_, err = backup.Restore(t.Context(), backup.Restoring{From: dir, Dir: to})
	return to, err
}

// changed tampers with the manifest.
func changed(change func(*backup.Manifest)) func(string) error {
	return func(dir string) error {
		path := filepath.Join(dir, "manifest.json")
		text, err := os.ReadFile(path)
		var m backup.Manifest
		if err = errors.Join(err, json.Unmarshal(text, &m)); err != nil {
			return err
		}
		change(&m)
		text, err = json.Marshal(m)
		return errors.Join(err, os.WriteFile(path, text, 0o600))
	}
}

func TestADamagedOrStrangeBackupIsRefusedBeforeAnythingIsRestored(t *testing.T) {
	from := stopped(t)
	for name, c := range map[string]struct {
		tamper func(dir string) error
		says   string
	}{
		"a bit flipped": {func(dir string) error {
			path := filepath.Join(dir, "sessions.db.zst")
			text, err := os.ReadFile(path)
			text[len(text)/2] ^= 1
			return errors.Join(err, os.WriteFile(path, text, 0o600))
		}, "sessions.db"},
		"cut off":              {func(dir string) error { return os.Truncate(filepath.Join(dir, "events.db.zst"), 50) }, "events.db"},
		"a file missing":       {func(dir string) error { return os.Remove(filepath.Join(dir, "identity.db.zst")) }, "identity.db"},
		"two files swapped":    {changed(func(m *backup.Manifest) { m.Files[0].Stored, m.Files[1].Stored = m.Files[1].Stored, m.Files[0].Stored }), "damaged"},
		"two kinds swapped":    {changed(func(m *backup.Manifest) { m.Files[0].Kind, m.Files[1].Kind = m.Files[1].Kind, m.Files[0].Kind }), "unsupported store format"},
		"a kind missing":       {changed(func(m *backup.Manifest) { m.Files = m.Files[:2] }), "no identity"},
		"another sum":          {changed(func(m *backup.Manifest) { m.Files[0].SHA256 = strings.Repeat("0", 64) }), "damaged"},
		"more bytes than told": {changed(func(m *backup.Manifest) { m.Files[0].Bytes-- }), "damaged"},
		"a newer manifest":     {changed(func(m *backup.Manifest) { m.Format = 3 }), "format 3"},
		"a file elsewhere":     {changed(func(m *backup.Manifest) { m.Files[0].Stored = "../events.db" }), "elsewhere"},
		"its own directory":    {changed(func(m *backup.Manifest) { m.Files[0].Stored = "." }), "elsewhere"},
		"the one above":        {changed(func(m *backup.Manifest) { m.Files[0].Stored = ".." }), "elsewhere"},
		"no manifest":          {func(dir string) error { return os.Remove(filepath.Join(dir, "manifest.json")) }, "no backup"},
	} {
		to, err := restoring(t, from, c.tamper)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
		if left := names(t, to); len(left) > 0 {
			t.Errorf("%s: %q is left", name, left)
		}
	}
}

func TestDataThatIsThereIsReplacedOnlyOnPurposeAndNeverWhileInUse(t *testing.T) {
	from := stopped(t)
	r := backup.Restoring{From: take(t, stoppedIn(from), backup.Options{Dir: t.TempDir()}), Dir: from}
	if _, err := backup.Restore(t.Context(), r); err == nil || !strings.Contains(err.Error(), "identity.db is there already") {
		t.Errorf("over data: %v", err)
	}
	if err := os.Truncate(filepath.Join(from, "events.db"), 10); err != nil {
		t.Fatal(err)
	}
	r.Replace = true
	if _, err := backup.Restore(t.Context(), r); err != nil {
		t.Errorf("over damaged data, on purpose: %v", err)
	}
	suite, err := standalone.Open(t.Context(), standalone.Config{Dir: from}, observe.Discard())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := backup.Restore(t.Context(), r); !errors.Is(err, boltdb.ErrLocked) {
		t.Errorf("over data in use: %v", err)
	}
	if err := suite.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestOneKindIsRestoredAlone(t *testing.T) {
	r := backup.Restoring{From: take(t, stoppedIn(stopped(t)), backup.Options{Dir: t.TempDir()}), Dir: t.TempDir(), Only: "events"}
	if restored, err := backup.Restore(t.Context(), r); err != nil || len(restored.Files) != 1 || restored.Workspaces != backup.NotAsked {
		t.Errorf("restored %v, %v", restored, err)
	}
	if got := names(t, r.Dir); !slices.Equal(got, []string{"events.db", "stores.json"}) {
		t.Errorf("there is %q", got)
	}
	r.Only = "reports"
	if _, err := backup.Restore(t.Context(), r); err == nil {
		t.Error("a kind that is none was restored")
	}
}

func TestAStoreInUseIsNotBackedUpAsAStoppedOne(t *testing.T) {
	dir, out := t.TempDir(), t.TempDir()
	suite, err := standalone.Open(t.Context(), standalone.Config{Dir: dir}, observe.Discard())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = suite.Close() }()
	if _, _, err := backup.Take(t.Context(), stoppedIn(dir), backup.Options{Dir: out}); !errors.Is(err, boltdb.ErrLocked) {
		t.Errorf("taken: %v", err)
	}
	if left := names(t, out); len(left) > 0 {
		t.Error(fmt.Sprint(left), "is left")
	}
}
