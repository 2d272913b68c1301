package boltdb

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// crashedAsASegmentEnds is what a crash leaves between the making of a segment and what the one before it says of that: the path of a store
// whose log has two rows and does not say that it goes on.
func crashedAsASegmentEnds(t *testing.T) (path string) {
	t.Helper()
	from := filepath.Join(t.TempDir(), "x.db")
	db, err := Open(Options{Path: from, Kind: "test", Format: 1})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(t.Context(), func(tx *Tx) error {
		b, err := tx.CreateBucketIfNotExists([]byte("b"))
		return errors.Join(err, b.Put([]byte("k"), []byte("v")), b.Put([]byte("l"), []byte("v")))
	})
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "x.db")
	if err := os.CopyFS(filepath.Dir(path), os.DirFS(filepath.Dir(from))); err != nil {
		t.Fatal(err)
	}
	next, err := createSegment(path, segmentID{db.uuid, db.segment.generation + 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(next.Close(), db.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

// openUnapplied opens a store as Open does, but leaves what its log holds to be applied by the caller.
func openUnapplied(t *testing.T, path string) *DB {
	t.Helper()
	o := Options{Path: path, Kind: "test", Format: 1}
	b, is, err := openFile(o)
	if err != nil {
		t.Fatal(err)
	}
	db := newDB(b, is, o)
	if err := db.recoverLog(); err != nil {
		t.Fatal(err)
	}
	if db.frozen == nil {
		t.Fatal("nothing is to be applied")
	}
	go db.commitWaiting()
	return db
}

func TestAFileIsCompactedWhileWhatACrashLeftAsASegmentEndedIsApplied(t *testing.T) {
	path := crashedAsASegmentEnds(t)
	db := openUnapplied(t, path)
	db.compactions.reached = func(step string) error {
		if step == "copied" {
			db.apply(db.beingApplied())
		}
		return nil
	}
	if _, err := db.Compact(t.Context(), 0); err != nil {
		t.Error(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := Open(Options{Path: path, Kind: "test", Format: 1})
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	err = db.View(func(tx *Tx) error { rows = tx.Bucket([]byte("b")).Count(); return nil })
	if err := errors.Join(err, db.Close()); err != nil || rows != 2 {
		t.Errorf("%d rows, %v; want 2", rows, err)
	}
}

// What was read at the start may rot before it is read again.
func TestALogThatLostItsEndSinceItWasReadIsNotCompactedFrom(t *testing.T) {
	path := crashedAsASegmentEnds(t)
	db := openUnapplied(t, path)
	first := db.frozen.number - 1
	db.compactions.reached = func(step string) error {
		if step != "copied" {
			return nil
		}
		db.apply(db.beingApplied())
		return os.Truncate(segmentPath(path, first), db.unended[first]-1)
	}
	if _, err := db.Compact(t.Context(), 0); !errors.Is(err, ErrDamaged) {
		t.Errorf("got %v, want ErrDamaged", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}
