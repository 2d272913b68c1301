package boltdb_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	bolt "go.etcd.io/bbolt"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
)

// old is a file of format 1, from before there were blocks, that holds one key.
func old(t *testing.T) boltdb.Options {
	t.Helper()
	return plainFile(t, func(tx *bolt.Tx) error {
		_, err := tx.CreateBucket(bucket)
		return errors.Join(err, putRaw("one")(tx))
	})
}

// plainFile is a file of format 1 from before there were blocks and manifests.
func plainFile(t *testing.T, fill func(*bolt.Tx) error) boltdb.Options {
	t.Helper()
	o := boltdb.Options{Path: filepath.Join(t.TempDir(), "x.db"), Kind: "test", Format: 1}
	db, err := bolt.Open(o.Path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		meta, err := tx.CreateBucket([]byte("meta"))
		if err != nil {
			return err
		}
		return errors.Join(meta.Put([]byte("kind"), []byte("test")), meta.Put([]byte("format"), []byte{0, 0, 0, 1}), fill(tx))
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return o
}

// hasRaw says whether bbolt has a key in the bucket, without any reading of it.
func hasRaw(t *testing.T, o boltdb.Options, key string) (found bool) {
	t.Helper()
	db, err := bolt.Open(o.Path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.View(func(tx *bolt.Tx) error { found = tx.Bucket(bucket).Get([]byte(key)) != nil; return nil })
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return found
}

// holds opens a file and says whether it has a key.
func holds(t *testing.T, o boltdb.Options, key string) bool {
	t.Helper()
	db, err := boltdb.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	found := false
	err = db.View(func(tx *boltdb.Tx) error { found = tx.Bucket(bucket).Get([]byte(key)) != nil; return nil })
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return found
}

func TestAnOlderFileIsUpgradedStepByStepWhenItIsOpened(t *testing.T) {
	o := old(t)
	var steps []string
	o.Format = 4
	o.Upgrades = map[uint32]func(*bolt.Tx) error{
		1: func(tx *bolt.Tx) error { steps = append(steps, "1"); return putRaw("two")(tx) },
		2: nil, // more is written from then on, and nothing needs to be changed
		3: func(tx *bolt.Tx) error {
			steps = append(steps, "3")
			if tx.Bucket(bucket).Get([]byte("two")) == nil {
				return errors.New("the step before has left nothing")
			}
			return putRaw("four")(tx)
		},
	}
	reading := o
	reading.ReadOnly = true
	if _, err := boltdb.Open(reading); !errors.Is(err, boltdb.ErrFormat) || !strings.Contains(err.Error(), "started once") {
		t.Errorf("for reading only: %v", err)
	}
	for range 2 { // the second time there is nothing to do
		if !holds(t, o, "one") || !holds(t, o, "two") || !holds(t, o, "four") {
			t.Error("not all is there")
		}
	}
	if got := strings.Join(steps, " "); got != "1 3" {
		t.Errorf("the steps were %s", got)
	}
	if !holds(t, reading, "four") {
		t.Error("an upgraded file cannot be read")
	}
	o.Format = 3
	if _, err := boltdb.Open(o); !errors.Is(err, boltdb.ErrFormat) {
		t.Errorf("the older program, after that: %v", err)
	}
}

func TestAnUpgradeThatFailsLeavesTheFileAsItWas(t *testing.T) {
	o := old(t)
	boom := errors.New("boom")
	newer := o
	newer.Format = 3
	newer.Upgrades = map[uint32]func(*bolt.Tx) error{1: putRaw("two"), 2: func(*bolt.Tx) error { return boom }}
	if _, err := boltdb.Open(newer); !errors.Is(err, boom) {
		t.Errorf("opened with %v", err)
	}
	if !hasRaw(t, o, "one") || hasRaw(t, o, "two") {
		t.Error("the older program does not find what it left")
	}
}

func TestAFileTooOldIsRefusedAndOneThatNeedsNoChangeIsReadAsItIs(t *testing.T) {
	o := old(t)
	o.Format, o.Upgrades = 3, map[uint32]func(*bolt.Tx) error{2: nil}
	if _, err := boltdb.Open(o); !errors.Is(err, boltdb.ErrFormat) || !strings.Contains(err.Error(), "reads from 2") {
		t.Errorf("too old: %v", err)
	}
	o.Format = 1
	if !holds(t, o, "one") { // its rows are in blocks from then on
		t.Error("the row is gone")
	}
	o.Format, o.Upgrades[1], o.ReadOnly = 3, nil, true
	if !holds(t, o, "one") {
		t.Error("a file that needs no change cannot be read")
	}
	o.Upgrades[1], o.ReadOnly = putRaw("two"), false
	if _, err := boltdb.Open(o); !errors.Is(err, boltdb.ErrFormat) || !strings.Contains(err.Error(), "not in blocks") {
		t.Errorf("a step that would write to blocks: %v", err)
	}
}

// putRaw writes as an upgrade does, which is what the log is not for.
func putRaw(key string) func(*bolt.Tx) error {
	return func(tx *bolt.Tx) error { return tx.Bucket(bucket).Put([]byte(key), []byte("v")) }
}
