package boltdb_test

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/boltdb/boltdbtest"
)

// plainRows fills two buckets, one in the other, with rows of all lengths.
func plainRows(tx *bolt.Tx) error {
	outer, err := tx.CreateBucket(bucket)
	if err != nil {
		return err
	}
	inner, err := outer.CreateBucket([]byte("key 05 inner"))
	if err != nil {
		return err
	}
	for i := range 300 {
		err = errors.Join(err, outer.Put(fmt.Appendf(nil, "key %02d", i), bytes.Repeat([]byte{byte(i)}, i*i%9000)),
			inner.Put(fmt.Appendf(nil, "%d", i), []byte{}))
	}
	return errors.Join(err, outer.SetSequence(7), inner.SetSequence(8))
}

// state returns all rows and sequences of a file as text.
func state(t *testing.T, o boltdb.Options) string {
	t.Helper()
	db, err := boltdb.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	err = db.View(func(tx *boltdb.Tx) error {
		outer := tx.Bucket(bucket)
		for _, b := range []*boltdb.Bucket{outer, outer.Bucket([]byte("key 05 inner"))} {
			err := b.ForEach(func(key, value []byte) error {
				if rows[string(key)] = string(value); string(b.Get(key)) != string(value) {
					return fmt.Errorf("%q is another one when it is sought", key)
				}
				return nil
			})
			if err != nil {
				return err
			}
			rows["sequence "+fmt.Sprint(b.Sequence())] = ""
		}
		return nil
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, key := range slices.Sorted(maps.Keys(rows)) {
		fmt.Fprintf(&all, "%q=%q ", key, rows[key])
	}
	return all.String()
}

// wantState is what plainRows leaves.
func wantState() string {
	rows := map[string]string{}
	for i := range 300 {
		rows[fmt.Sprintf("key %02d", i)] = strings.Repeat(string([]byte{byte(i)}), i*i%9000)
		rows[fmt.Sprint(i)] = ""
	}
	rows["sequence 7"], rows["sequence 8"] = "", ""
	var all strings.Builder
	for _, key := range slices.Sorted(maps.Keys(rows)) {
		fmt.Fprintf(&all, "%q=%q ", key, rows[key])
	}
	return all.String()
}

func TestTheRowsOfAFileFromBeforeThereWereBlocksArePutIntoBlocksWhenItIsOpened(t *testing.T) {
	for _, size := range []int{0, 100} {
		o := plainFile(t, plainRows)
		o.BlockBytes = size
		if err := os.WriteFile(o.Path+".packed", []byte("half a file"), 0o600); err != nil {
			t.Fatal(err)
		}
		reading := o
		reading.ReadOnly = true
		if _, err := boltdb.Open(reading); !errors.Is(err, boltdb.ErrFormat) || !strings.Contains(err.Error(), "started once") {
			t.Errorf("for reading only: %v", err)
		}
		if got := state(t, o); got != wantState() {
			t.Errorf("blocks of %d bytes: got %.1000s", size, got)
		}
		if got := state(t, reading); got != wantState() {
			t.Errorf("for reading only: got %.1000s", got)
		}
		if hasRaw(t, o, "key 01") {
			t.Error("the rows lie in the file as they did")
		}
		if _, err := os.Stat(o.Path + ".packed"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("what was left over is there still: %v", err)
		}
	}
}

func TestAFileThatWasBeingPutIntoBlocksWhenAllStoppedIsSoAgain(t *testing.T) {
	o := plainFile(t, plainRows)
	plain, err := os.ReadFile(o.Path)
	if err != nil {
		t.Fatal(err)
	}
	if got := state(t, o); got != wantState() {
		t.Fatal("the rows are others")
	}
	uuid := named(t, filepath.Dir(o.Path))["x.db"]
	// It has its uuid before its rows are put into blocks.
	if err := os.WriteFile(o.Path, plain, 0o600); err != nil {
		t.Fatal(err)
	}
	boltdbtest.Raw(t, o.Path, func(tx *bolt.Tx) error { return tx.Bucket([]byte("meta")).Put([]byte("uuid"), []byte(uuid)) })
	if got := state(t, o); got != wantState() {
		t.Error("the rows are others")
	}
	if got := named(t, filepath.Dir(o.Path))["x.db"]; got != uuid {
		t.Errorf("the file is %s now and was %s", got, uuid)
	}
	for _, cut := range []int{0, 100, 5000} {
		if err := os.WriteFile(o.Path+".packed", plain[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		if got := state(t, o); got != wantState() {
			t.Error("the rows are others")
		}
	}
}

func TestABlockThatCannotBeReadIsNamedAndNoAnswer(t *testing.T) {
	o := plainFile(t, plainRows)
	o.BlockBytes = 200
	want := state(t, o)
	boltdbtest.Raw(t, o.Path, func(tx *bolt.Tx) error {
		key, sealed := tx.Bucket(bucket).Cursor().Seek([]byte("key 0"))
		broken := bytes.Clone(sealed)
		broken[1] ^= 1
		return tx.Bucket(bucket).Put(bytes.Clone(key), broken)
	})
	db, err := boltdb.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for name, read := range map[string]func(*boltdb.Bucket){
		"get":     func(b *boltdb.Bucket) { b.Get([]byte("key 00")) },
		"forward": func(b *boltdb.Bucket) { b.Count() },
		"back": func(b *boltdb.Bucket) {
			c := b.Cursor()
			for key, _ := c.Last(); key != nil; key, _ = c.Prev() {
			}
		},
		"seek":        func(b *boltdb.Bucket) { b.Cursor().Seek([]byte("key 00")) },
		"seek before": func(b *boltdb.Bucket) { b.Cursor().SeekBefore([]byte("key 001")) },
	} {
		do := func(tx *boltdb.Tx) error { read(tx.Bucket(bucket)); return nil }
		for way, err := range map[string]error{"view": db.View(do), "update": db.Update(t.Context(), do)} {
			if !errors.Is(err, boltdb.ErrDamaged) || !strings.Contains(err.Error(), "table b: the rows from key 6b657920") {
				t.Errorf("%s, %s: %v", name, way, err)
			}
		}
	}
	var tables []string
	err = db.View(func(tx *boltdb.Tx) error {
		if got := tx.Bucket(bucket).Get([]byte("key 299")); len(got) != 299*299%9000 {
			t.Errorf("a row of another block has %d bytes", len(got))
		}
		return tx.CheckBlocks(t.Context(), func(table string, err error) {
			tables = append(tables, fmt.Sprint(table, errors.Is(err, boltdb.ErrDamaged)))
		})
	})
	if err != nil || !slices.Equal(tables, []string{"btrue"}) || want != wantState() {
		t.Errorf("damaged are %q, %v", tables, err)
	}
}
