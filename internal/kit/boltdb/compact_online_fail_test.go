package boltdb_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
)

var errDisk = errors.New("the disk does not take it")

func TestACompactionThatFailsBeforeTheFileIsRenamedLeavesTheOldOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	db := loose(t, path)
	for _, step := range compactSteps[:3] {
		before, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		db.WhileCompacting(func(at string) error {
			if at == step {
				return errDisk
			}
			return nil
		})
		if _, err := db.Compact(t.Context(), 0); !errors.Is(err, errDisk) || errors.Is(err, boltdb.ErrFailed) {
			t.Errorf("%s: %v", step, err)
		}
		if after, err := os.Stat(path); err != nil || !os.SameFile(before, after) {
			t.Errorf("%s: the file is another one: %v", step, err)
		}
		if err := db.Update(t.Context(), put("after "+step)); err != nil {
			t.Errorf("%s: %v", step, err)
		}
		settle(t, db)
		if got := beside(t, path); len(got) != 3 { // one segment, the file and the manifest
			t.Errorf("%s: the directory holds %v", step, got)
		}
	}
	db.WhileCompacting(nil)
	if _, err := db.Compact(t.Context(), 0); err != nil {
		t.Error(err)
	}
	if n := count(t, db); n != kept+3 {
		t.Errorf("%d rows, want %d", n, kept+3)
	}
}

// Which of the two files has the name on the disk is not known then. Each has what was answered, together with the log; so nothing may be
// applied to either and taken out of the log.
func TestAStoreStopsWhenItIsNotKnownWhichFileTheDiskHas(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	loose(t, path).Close() //nolint:errcheck // opened again
	failed := make(chan error, 1)
	db, err := boltdb.Open(boltdb.Options{
		Path: path, Kind: "test", Format: 1, GenerationBytes: 1 << 10, OnFail: func(err error) { failed <- err },
	})
	if err != nil {
		t.Fatal(err)
	}
	old := filepath.Join(t.TempDir(), "x.db")
	db.WhileCompacting(func(at string) error {
		switch at {
		case "synced":
			// A generation waits for the compaction to end.
			return errors.Join(db.Update(context.Background(), put("logged")), db.Update(context.Background(), func(tx *boltdb.Tx) error {
				return tx.Bucket(bucket).Put([]byte("large"), make([]byte, 4<<10))
			}), os.Link(path, old))
		case "renamed":
			return errDisk
		}
		return nil
	})
	if _, err := db.Compact(t.Context(), 0); !errors.Is(err, boltdb.ErrFailed) {
		t.Fatalf("the compaction: %v, want ErrFailed", err)
	}
	if err := <-failed; !errors.Is(err, errDisk) {
		t.Errorf("told: %v", err)
	}
	if err := db.Update(t.Context(), put("late")); !errors.Is(err, boltdb.ErrFailed) {
		t.Errorf("a write: %v, want ErrFailed", err)
	}
	if n := count(t, db); n != kept+2 {
		t.Errorf("%d rows, want %d", n, kept+2)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for which, file := range map[string]string{"the old one": old, "the new one": path} {
		dir := crashed(t, filepath.Dir(path))
		if err := os.Rename(copyOf(t, file), filepath.Join(dir, "x.db")); err != nil {
			t.Fatal(err)
		}
		if n := count(t, open(t, filepath.Join(dir, "x.db"))); n != kept+2 {
			t.Errorf("%s: %d rows, want %d", which, n, kept+2)
		}
	}
}

func copyOf(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	to := filepath.Join(t.TempDir(), "copy")
	if err := errors.Join(err, os.WriteFile(to, data, 0o600)); err != nil {
		t.Fatal(err)
	}
	return to
}

func TestAStoreThatIsClosedEndsItsCompaction(t *testing.T) {
	for _, step := range compactSteps[:3] {
		path := filepath.Join(t.TempDir(), "x.db")
		db := loose(t, path)
		closed := make(chan error, 1)
		db.WhileCompacting(func(at string) error {
			if at == step {
				go func() { closed <- db.Close() }()
				for db.Update(context.Background(), put("x")) == nil { // until it is being closed
				}
				db.AwaitEnd()
			}
			return nil
		})
		_, err := db.Compact(t.Context(), 0)
		if want := step != "synced"; errors.Is(err, boltdb.ErrClosed) != want {
			t.Errorf("%s: %v", step, err)
		}
		if err := <-closed; err != nil {
			t.Errorf("%s: close: %v", step, err)
		}
		if _, err := db.Compact(t.Context(), 0); !errors.Is(err, boltdb.ErrClosed) {
			t.Errorf("%s: once it is closed: %v", step, err)
		}
		if got := beside(t, path); !slices.Equal(got, []string{"stores.json", "x.db"}) {
			t.Errorf("%s: the directory holds %v", step, got)
		}
		if n := count(t, open(t, path)); n < kept {
			t.Errorf("%s: %d rows", step, n)
		}
	}
}

func TestACompactionThatNobodyWaitsForAnyMoreEnds(t *testing.T) {
	db := loose(t, filepath.Join(t.TempDir(), "x.db"))
	ctx, cancel := context.WithCancel(t.Context())
	db.WhileCompacting(func(string) error { cancel(); return nil })
	if _, err := db.Compact(ctx, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want Canceled", err)
	}
	db.WhileCompacting(nil)
	if _, err := db.Compact(t.Context(), 0); err != nil {
		t.Error(err)
	}
}

func TestACompactionNeedsRoomForTheNewFileAndLeavesSome(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	db := loose(t, path)
	looked := 0
	for name, free := range map[string]func() int64{
		"at first":   func() int64 { return 9 << 20 },
		"meanwhile":  func() int64 { looked++; return map[bool]int64{true: 1 << 30}[looked == 1] },
		"the spared": func() int64 { return 500 << 20 },
	} {
		db.FreeOnDisk(free)
		if _, err := db.Compact(t.Context(), map[string]int64{"the spared": 499 << 20}[name]); !errors.Is(err, boltdb.ErrNoRoom) {
			t.Errorf("%s: %v, want ErrNoRoom", name, err)
		}
		if slices.Contains(beside(t, path), "x.db.compacting") {
			t.Errorf("%s: the new file was left", name)
		}
	}
	db.FreeOnDisk(func() int64 { return 500 << 20 })
	if _, err := db.Compact(t.Context(), 0); err != nil {
		t.Error(err)
	}
}

func TestWhoReadsTheOldFileGoesOnUndisturbed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	db := loose(t, path)
	want := rowsOf(t, db)
	err := db.View(func(tx *boltdb.Tx) error {
		if _, err := db.Compact(t.Context(), 0); err != nil {
			return err
		}
		if err := db.Update(t.Context(), put("new")); err != nil {
			return err
		}
		if n := count(t, db); n != kept+1 { // and its end does not wait for this one
			t.Errorf("%d rows, want %d", n, kept+1)
		}
		if n := db.Readers(); n != 1 {
			t.Errorf("%d readers, want 1", n)
		}
		got := map[string]string{}
		err := tx.Bucket(bucket).ForEach(func(key, value []byte) error { got[string(key)] = string(value); return nil })
		sameRows(t, "the reader", got, want)
		// The old file still takes its room.
		if _, again := db.Compact(t.Context(), 0); !errors.Is(again, boltdb.ErrCompacting) {
			t.Errorf("while the old file is read: %v, want ErrCompacting", again)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	db.Retired()
	if _, err := db.Compact(t.Context(), 0); err != nil {
		t.Error(err)
	}
}

func TestNoOtherProcessGetsBetweenTheTwoFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	db := loose(t, path)
	db.WhileCompacting(func(step string) error {
		if step == "renamed" {
			if _, err := boltdb.Open(boltdb.Options{Path: path, Kind: "test", Format: 1}); !errors.Is(err, boltdb.ErrLocked) {
				return fmt.Errorf("another process: %w", err)
			}
		}
		if step != "copied" {
			return nil
		}
		if _, err := db.Compact(t.Context(), 0); !errors.Is(err, boltdb.ErrCompacting) {
			return fmt.Errorf("another compaction: %w", err)
		}
		return nil
	})
	if _, err := db.Compact(t.Context(), 0); err != nil {
		t.Error(err)
	}
}

// It waited for the lock of a file that meanwhile gave its name to the one that compacting made.
func TestAProcessThatOpenedTheOldFileDoesNotGetIt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	b, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := os.Stat(path)
	if err := errors.Join(err, boltdb.StillThere(b, path, opened)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".compacting", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".compacting", path); err != nil {
		t.Fatal(err)
	}
	if err := boltdb.StillThere(b, path, opened); !errors.Is(err, boltdb.ErrLocked) {
		t.Errorf("%v, want ErrLocked", err)
	}
	if err := b.View(func(*bolt.Tx) error { return nil }); err == nil {
		t.Error("the old file is open")
	}
}

func TestAFileThatIsOnlyReadIsNotCompacted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	if err := open(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	db, err := boltdb.Open(boltdb.Options{Path: path, Kind: "test", Format: 1, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.Compact(t.Context(), 0); !errors.Is(err, boltdb.ErrReadOnly) {
		t.Errorf("%v, want ErrReadOnly", err)
	}
	if _, err := os.Stat(path + ".compacting"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
}
