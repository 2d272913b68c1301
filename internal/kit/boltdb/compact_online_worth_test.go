package boltdb_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
)

// loosen has so many bytes of a file that nobody has open used, and then free.
func loosen(t *testing.T, path string, bytes int) {
	t.Helper()
	b, err := bolt.Open(path, 0o600, &bolt.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	junk := []byte("junk")
	use := func(tx *bolt.Tx) error {
		bucket, err := tx.CreateBucket(junk)
		return errors.Join(err, bucket.Put(junk, make([]byte, bytes)))
	}
	remove := func(tx *bolt.Tx) error { return tx.DeleteBucket(junk) }
	if err := errors.Join(b.Update(use), b.Update(remove), b.Close()); err != nil {
		t.Fatal(err)
	}
}

// resize makes a file that nobody has open larger, by what takes no room, or as small again.
func resize(t *testing.T, path string, bytes int64) (before int64) {
	t.Helper()
	info, err := os.Stat(path)
	if err == nil {
		err = os.Truncate(path, bytes)
	}
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

func TestCompactingIsWorthwhileWhereHalfOfAFileAndNotLittleIsFree(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	is := func(when string, want bool) {
		t.Helper()
		for _, readOnly := range []bool{false, true} {
			db, err := boltdb.Open(boltdb.Options{Path: path, Kind: "test", Format: 1, ReadOnly: readOnly})
			if err != nil {
				t.Fatal(err)
			}
			if got := db.Worthwhile(); got != (want && !readOnly) {
				t.Errorf("%s, opened for reading only %v: %v", when, readOnly, got)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	is("of a new file", false)
	loosen(t, path, 20<<20)
	is("where nearly all of little is free", false)
	loosen(t, path, 70<<20)
	is("where nearly all of much is free", true)
	small := resize(t, path, 1<<30)
	is("where less than half is free", false)
	resize(t, path, small)
	is("where it is as it was", true)

	db := open(t, path)
	if _, err := db.Compact(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if db.Worthwhile() {
		t.Error("of a file that was just compacted")
	}
}
