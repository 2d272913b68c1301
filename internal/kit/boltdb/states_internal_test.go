package boltdb

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
)

// numbered is a store with small blocks whose rows all hold the number of the commit that wrote them last.
type numbered struct {
	*DB
	t    *testing.T
	rows int
}

func newNumbered(t *testing.T, rows int) numbered {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.db")
	db, err := Open(Options{Path: path, Kind: "test", Format: 1, GenerationBytes: 2000, BlockBytes: 300})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return numbered{db, t, rows}
}

// write writes a number to every row. Applied: then bbolt has them.
func (n numbered) write(number int, applied bool) {
	n.t.Helper()
	err := n.Update(n.t.Context(), func(tx *Tx) error {
		b, err := tx.CreateBucketIfNotExists([]byte("b"))
		for i := range n.rows {
			err = errors.Join(err, b.Put(rowKey(i), []byte(strconv.Itoa(number))))
		}
		return err
	})
	if err == nil && applied {
		err = n.settled(n.t.Context(), func() error { return nil })
	}
	if err != nil {
		n.t.Fatal(err)
	}
}

func rowKey(i int) []byte { return fmt.Appendf(nil, "row %04d", i) }

// number looks up every row three times, by key and by a cursor, and returns the number that all of them hold. It ends in the block that it
// began in.
func (n numbered) number(tx *Tx) (number int, err error) {
	b := tx.Bucket([]byte("b"))
	cursor := b.Cursor()
	for i := range 3*n.rows + 1 {
		key := rowKey(i * 7 % n.rows)
		_, value := cursor.Seek(key)
		if got := b.Get(key); !bytes.Equal(got, value) {
			return 0, fmt.Errorf("%s holds %q, and to a cursor %q", key, got, value)
		}
		switch is, err := strconv.Atoi(string(value)); {
		case err != nil:
			return 0, err
		case i == 0:
			number = is
		case is != number:
			return 0, fmt.Errorf("%s holds %d, and others %d", key, is, number)
		}
	}
	return number, nil
}

func (n numbered) expect(tx *Tx, want int) {
	n.t.Helper()
	if got, err := n.number(tx); err != nil || got != want {
		n.t.Fatalf("got number %d, %v, want %d", got, err, want)
	}
}

// view calls do in a transaction that reads.
func (n numbered) view(do func(tx *Tx)) {
	n.t.Helper()
	if err := n.View(func(tx *Tx) error { do(tx); return nil }); err != nil {
		n.t.Fatal(err)
	}
}

func TestEveryTransactionFindsTheRowsOfItsOwnStateHoweverOftenBlocksAreRewritten(t *testing.T) {
	n := newNumbered(t, 200)
	n.write(1, true)
	n.view(func(one *Tx) {
		n.expect(one, 1)
		n.write(2, true)
		n.view(func(two *Tx) {
			n.expect(two, 2)
			n.write(3, true)
			for range 2 {
				n.view(func(three *Tx) { n.expect(three, 3) })
				n.expect(one, 1)
				n.expect(two, 2)
			}
		})
	})
	if _, err := n.Compact(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	n.view(func(tx *Tx) { n.expect(tx, 3) })
	n.write(4, true)
	n.view(func(tx *Tx) { n.expect(tx, 4) })
}

func TestReadersFindOneStateWhileBlocksAreRewrittenAllTheTime(t *testing.T) {
	n := newNumbered(t, 40)
	n.write(0, true)
	var group sync.WaitGroup
	ended, end := context.WithCancel(t.Context())
	defer group.Wait()
	defer end()
	for range 3 {
		group.Go(func() {
			for last := 0; ended.Err() == nil; {
				if err := n.View(func(tx *Tx) error { return n.goesOn(tx, &last) }); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for i := range 60 {
		n.write(i+1, i%3 == 0)
		n.view(func(tx *Tx) { n.expect(tx, i+1) })
	}
}

// goesOn looks twice whether all rows hold one number, the same both times, and not an older one than the last, which it renews.
func (n numbered) goesOn(tx *Tx, last *int) error {
	first, err := n.number(tx)
	if err != nil {
		return err
	}
	again, err := n.number(tx)
	if err != nil {
		return err
	}
	if again != first || first < *last {
		return fmt.Errorf("number %d, then %d, after %d", first, again, *last)
	}
	*last = first
	return nil
}
