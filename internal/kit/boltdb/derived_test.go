package boltdb_test

import (
	"bytes"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/boltdb/boltdbtest"
	"github.com/sojournhq/sojourn/internal/kit/observe"
)

// breakBlock changes a bit of the first block of a bucket.
func breakBlock(t *testing.T, path string, bucket []byte) {
	t.Helper()
	boltdbtest.Raw(t, path, func(tx *bolt.Tx) error {
		key, sealed := tx.Bucket(bucket).Cursor().First()
		broken := bytes.Clone(sealed)
		broken[len(broken)-1] ^= 1
		return tx.Bucket(bucket).Put(bytes.Clone(key), broken)
	})
}

func TestADerivedTableThatCannotBeReadIsEmptiedWhenTheFileIsOpened(t *testing.T) {
	var log bytes.Buffer
	deps := observe.Discard()
	deps.Log = slog.New(slog.NewTextHandler(&log, nil))
	o := boltdb.Options{Path: filepath.Join(t.TempDir(), "x.db"), Kind: "test", Format: 1, Deps: deps}
	do := func(o boltdb.Options, fn func(*boltdb.DB) error) error {
		t.Helper()
		o.Deps.Metrics = observe.Discard().Metrics
		db, err := boltdb.Open(o)
		if err != nil {
			t.Fatal(err)
		}
		return errors.Join(fn(db), db.Close())
	}
	rows := func(of []byte, n *int) func(*boltdb.DB) error {
		return func(db *boltdb.DB) error {
			return db.View(func(tx *boltdb.Tx) error { *n = tx.Bucket(of).Count(); return nil })
		}
	}
	derived, other := []byte("derived"), []byte("other")
	err := do(o, func(db *boltdb.DB) error {
		return db.Update(t.Context(), func(tx *boltdb.Tx) error {
			var all error
			for _, name := range [][]byte{derived, other} {
				b, err := tx.CreateBucketIfNotExists(name)
				all = errors.Join(all, err, b.Put([]byte("k"), []byte("v")))
			}
			return all
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	o.Derived = [][]byte{[]byte("none"), derived}
	var n int
	if err := do(o, rows(derived, &n)); err != nil || n != 1 || log.Len() > 0 {
		t.Errorf("of a sound one %d rows are left, %v, and the log says %q", n, err, &log)
	}
	breakBlock(t, o.Path, derived)
	reading := o
	reading.ReadOnly = true
	if err := do(reading, rows(derived, &n)); !errors.Is(err, boltdb.ErrDamaged) {
		t.Errorf("for who only reads: %v, want ErrDamaged", err)
	}
	if err := do(o, rows(derived, &n)); err != nil || n != 0 {
		t.Errorf("%d rows, %v", n, err)
	}
	if said := log.String(); strings.Count(said, "was emptied") != 1 || !strings.Contains(said, "table=derived") {
		t.Errorf("the log says %q", said)
	}
	if err := do(o, rows(other, &n)); err != nil || n != 1 {
		t.Errorf("of another table %d rows are left, %v", n, err)
	}
	breakBlock(t, o.Path, other)
	if err := do(o, rows(other, &n)); !errors.Is(err, boltdb.ErrDamaged) {
		t.Errorf("one that is not derived: %v, want ErrDamaged", err)
	}
}
