package boltdb_test

import (
	"encoding/binary"
	"errors"
	"path/filepath"
	"testing"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
)

// A transaction runs while the one before is being made durable, on top of what that wrote. Whatever becomes of that one, the other is as if
// it had waited.
func TestATransactionThatRanOnTopOfAnotherIsAsIfItHadWaitedForIt(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct {
		name          string
		becomes       error // of the first
		first, second error // answers
		count, ran    uint64
	}{
		{name: "durable", count: 2, ran: 1},
		{name: "undone", becomes: boltdb.ErrFull, first: boltdb.ErrFull, count: 1, ran: 2},
		{name: "too large", becomes: boltdb.ErrTooLarge, first: boltdb.ErrTooLarge, count: 1, ran: 2},
		{name: "failed", becomes: broken, first: boltdb.ErrFailed, second: boltdb.ErrFailed, ran: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.db")
			db := open(t, path)
			logging, become := make(chan struct{}), make(chan error)
			first := true
			db.WhileLogging(func() error {
				if !first {
					return nil
				}
				first = false
				close(logging)
				return <-become
			})
			answers := [2]chan error{make(chan error, 1), make(chan error, 1)}
			go func() { answers[0] <- db.Update(t.Context(), increment) }()
			<-logging
			ran, counted := make(chan struct{}, 2), make(chan uint64, 2)
			go func() {
				answers[1] <- db.Update(t.Context(), func(tx *boltdb.Tx) error {
					defer func() { ran <- struct{}{} }()
					err := increment(tx)
					counted <- counter(tx)
					return err
				})
			}()
			<-ran
			if got := <-counted; got != 2 {
				t.Errorf("it counted %d on top of the first, want 2", got)
			}
			if got := read(t, db); got != 0 {
				t.Errorf("%d can be read before anything is durable", got)
			}
			become <- c.becomes
			for i, want := range []error{c.first, c.second} {
				if got := <-answers[i]; !errors.Is(got, want) {
					t.Errorf("write %d was answered %v, want %v", i, got, want)
				}
			}
			if got := uint64(len(ran)) + 1; got != c.ran {
				t.Errorf("the second ran %d times, want %d", got, c.ran)
			}
			if got := read(t, db); got != c.count {
				t.Errorf("read %d, want %d", got, c.count)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			if got := read(t, open(t, path)); got != c.count {
				t.Errorf("read %d when opened again, want %d", got, c.count)
			}
		})
	}
}

// increment counts in a table that the first to count makes.
func increment(tx *boltdb.Tx) error {
	b, err := tx.CreateBucketIfNotExists([]byte("made by the first"))
	if err != nil {
		return err
	}
	return b.Put([]byte("count"), binary.BigEndian.AppendUint64(nil, counter(tx)+1))
}

func counter(tx *boltdb.Tx) uint64 {
	b := tx.Bucket([]byte("made by the first"))
	if b == nil {
		return 0
	}
	if value := b.Get([]byte("count")); value != nil {
		return binary.BigEndian.Uint64(value)
	}
	return 0
}

func read(t *testing.T, db *boltdb.DB) (count uint64) {
	t.Helper()
	if err := db.View(func(tx *boltdb.Tx) error { count = counter(tx); return nil }); err != nil {
		t.Fatal(err)
	}
	return count
}
