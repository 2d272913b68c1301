package boltdb_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
)

func TestACompactedFileHoldsWhatIsThereAndNothingElse(t *testing.T) {
	o := boltdb.Options{Path: filepath.Join(t.TempDir(), "x.db"), Kind: "test", Format: 1}
	db := open(t, o.Path)
	err := db.Update(t.Context(), func(tx *boltdb.Tx) error {
		b, err := tx.CreateBucketIfNotExists(bucket)
		for i := range 5000 {
			err = errors.Join(err, b.Put(fmt.Appendf(nil, "canary %04d", i), []byte("v")))
		}
		for range 42 {
			_, next := b.NextSequence()
			err = errors.Join(err, next)
		}
		return err
	})
	if err == nil {
		err = db.Update(t.Context(), func(tx *boltdb.Tx) error {
			for i := range 4999 {
				if err := tx.Bucket(bucket).Delete(fmt.Appendf(nil, "canary %04d", i)); err != nil {
					return err
				}
			}
			return tx.Bucket(bucket).Put([]byte("left"), []byte("v"))
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	last := func(tx *boltdb.Tx) error { return tx.Bucket(bucket).Delete([]byte("canary 4999")) }
	if err := boltdb.Compact(o, last); !errors.Is(err, boltdb.ErrLocked) {
		t.Errorf("of a file in use: %v, want ErrLocked", err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(o.Path)
	if err != nil {
		t.Fatal(err)
	}
	if err := boltdb.Compact(o, last); err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(o.Path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(before, []byte("canary")) || bytes.Contains(after, []byte("canary")) || len(after) >= len(before) {
		t.Errorf("%d bytes became %d; the first %v, the second %v hold what was deleted", len(before), len(after),
			bytes.Contains(before, []byte("canary")), bytes.Contains(after, []byte("canary")))
	}
	db = open(t, o.Path)
	if n := count(t, db); n != 1 {
		t.Errorf("%d keys are left, want 1", n)
	}
	err = db.View(func(tx *boltdb.Tx) error {
		if got := tx.Bucket(bucket).Sequence(); got != 42 {
			t.Errorf("the sequence is %d, want 42", got)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if entries, err := os.ReadDir(filepath.Dir(o.Path)); err != nil || len(entries) != 3 { // the file, its log and the manifest
		t.Errorf("the directory holds %v, %v", entries, err)
	}
}

func TestAFileThatIsNoneOfOursIsNotCompacted(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	nothing := func(*boltdb.Tx) error { return nil }
	if err := boltdb.Compact(boltdb.Options{Path: path, Kind: "test", Format: 1}, nothing); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if err := open(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	if err := boltdb.Compact(boltdb.Options{Path: path, Kind: "other", Format: 1}, nothing); !errors.Is(err, boltdb.ErrFormat) {
		t.Errorf("of another kind: %v", err)
	}
	boom := errors.New("boom")
	err := boltdb.Compact(boltdb.Options{Path: path, Kind: "test", Format: 1}, func(*boltdb.Tx) error { return boom })
	if !errors.Is(err, boom) {
		t.Errorf("a change that fails: %v", err)
	}
	if err := open(t, path).Close(); err != nil {
		t.Errorf("after all that: %v", err)
	}
}
