// Package boltdbtest changes data files behind the backs of those who wrote them, for tests of what they make of it.
package boltdbtest

import (
	"encoding/binary"
	"errors"
	"os"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
)

// Change changes rows of a file that is closed. Only rows and what they say of each other can become wrong: the file is sound afterwards.
func Change(t *testing.T, path string, do func(*boltdb.Tx) error) {
	t.Helper()
	db, err := boltdb.Open(optionsOf(t, path))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(t.Context(), do), db.Close()); err != nil {
		t.Fatal(err)
	}
}

// Read reads rows of a file that is closed.
func Read(t *testing.T, path string, do func(*boltdb.Tx) error) {
	t.Helper()
	o := optionsOf(t, path)
	o.ReadOnly = true
	db, err := boltdb.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.View(do), db.Close()); err != nil {
		t.Fatal(err)
	}
}

// DeleteBucket removes the last of a path of buckets from a file that is closed.
func DeleteBucket(t *testing.T, path string, names ...string) {
	t.Helper()
	Raw(t, path, func(tx *bolt.Tx) error {
		last := len(names) - 1
		if last == 0 {
			return tx.DeleteBucket([]byte(names[0]))
		}
		b := tx.Bucket([]byte(names[0]))
		for _, name := range names[1:last] {
			b = b.Bucket([]byte(name))
		}
		return b.DeleteBucket([]byte(names[last]))
	})
}

// Raw changes a file that is closed as bbolt has it: what is in its buckets are blocks of rows.
func Raw(t *testing.T, path string, do func(*bolt.Tx) error) {
	t.Helper()
	db, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Update(do), db.Close()); err != nil {
		t.Fatal(err)
	}
}

// Unpack writes a file that is closed anew, as files were before there were blocks: each row by itself, and with changes to those.
func Unpack(t *testing.T, path string, do func(*bolt.Tx) error) {
	t.Helper()
	beside := path + ".plain"
	to, err := bolt.Open(beside, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = to.Update(func(tx *bolt.Tx) error {
		Read(t, path, func(rows *boltdb.Tx) error { return unpack(t, path, rows, tx) })
		return do(tx)
	})
	if err := errors.Join(err, to.Close(), os.Rename(beside, path)); err != nil {
		t.Fatal(err)
	}
}

// unpack copies all buckets of a file, whose rows are given, but for what says that they lie in blocks.
func unpack(t *testing.T, path string, rows *boltdb.Tx, to *bolt.Tx) error {
	t.Helper()
	from, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	err = from.View(func(tx *bolt.Tx) error {
		return tx.ForEach(func(name []byte, b *bolt.Bucket) error {
			copied, err := to.CreateBucket(name)
			if err != nil {
				return err
			}
			if string(name) != "meta" {
				return unpackBucket(b, rows.Bucket(name), copied)
			}
			return errors.Join(b.ForEach(copied.Put), copied.Delete([]byte("rows")))
		})
	})
	return errors.Join(err, from.Close())
}

func unpackBucket(from *bolt.Bucket, rows *boltdb.Bucket, to *bolt.Bucket) error {
	if err := errors.Join(to.SetSequence(from.Sequence()), rows.ForEach(to.Put)); err != nil {
		return err
	}
	return from.ForEachBucket(func(name []byte) error {
		copied, err := to.CreateBucket(name)
		if err != nil {
			return err
		}
		return unpackBucket(from.Bucket(name), rows.Bucket(name), copied)
	})
}

// optionsOf returns options with which a file can be opened: what it says of itself.
func optionsOf(t *testing.T, path string) (o boltdb.Options) {
	t.Helper()
	Raw(t, path, func(tx *bolt.Tx) error {
		meta := tx.Bucket([]byte("meta"))
		o = boltdb.Options{Path: path, Kind: string(meta.Get([]byte("kind"))), Format: binary.BigEndian.Uint32(meta.Get([]byte("format")))}
		return nil
	})
	return o
}
