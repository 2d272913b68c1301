package boltdb

import (
	"bytes"
	"encoding/binary"

	bolt "go.etcd.io/bbolt"

	"github.com/sojournhq/sojourn/internal/kit/boltdb/internal/block"
	"github.com/sojournhq/sojourn/internal/kit/boltdb/internal/rows"
)

// applier applies rows, in order of their keys, in one transaction of bbolt.
type applier struct {
	db     *DB
	tx     *bolt.Tx
	number uint32
	bucket *bolt.Bucket // the one with the number, nil at first
	last   []byte       // the key of the last block that it had
	merger *merger      // what brings changes to it

	changes       []block.Change
	behind, among int // how many rows came behind that and before it
}

func (a *applier) apply(r rows.Row) error {
	number, what := parsePlace(r.Place())
	key, value := r.Key(), r.Value()
	if what == isBucket {
		_, err := makeBucket(a.tx, append(a.db.buckets.path(number), string(key)))
		return err
	}
	if a.bucket == nil || number != a.number {
		if err := a.enter(number); err != nil {
			return err
		}
	}
	if what == isSequence {
		return a.bucket.SetSequence(binary.BigEndian.Uint64(value))
	}
	if bytes.Compare(key, a.last) > 0 {
		a.behind++
	} else {
		a.among++
	}
	a.changes = append(a.changes, block.Change{Key: key, Value: value, Deleted: value == nil})
	return nil
}

func (a *applier) enter(number uint32) (err error) {
	if err := a.leave(); err != nil {
		return err
	}
	path := a.db.buckets.path(number)
	if a.bucket, err = makeBucket(a.tx, path); err != nil {
		return err
	}
	a.number, a.behind, a.among = number, 0, 0
	last, _ := a.bucket.Cursor().Last()
	a.last = bytes.Clone(last)
	a.merger = newMerger(a.bucket, path, a.db.sizes)
	return nil
}

// leave brings the changes of a bucket to it, and lets bbolt fill the pages of one that mostly grows at its end: nothing will have to be
// put between their blocks.
func (a *applier) leave() error {
	if a.bucket == nil {
		return nil
	}
	a.bucket.FillPercent = sparePages
	if a.behind > a.among {
		a.bucket.FillPercent = fullPages
	}
	err := a.merger.merge(a.changes)
	a.changes = a.changes[:0]
	return err
}

const (
	// fullPages leaves room for the few rows that come late.
	fullPages = 0.95
	// sparePages leaves room for rows between those that are there. Half, as bbolt would, costs some 4 % more bytes.
	sparePages = 0.75
)
