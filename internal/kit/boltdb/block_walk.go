package boltdb

import (
	"slices"

	bolt "go.etcd.io/bbolt"

	"github.com/sojournhq/sojourn/internal/kit/boltdb/internal/block"
)

// blockWalk is a place in the rows that bbolt has of a bucket. Its methods return the row that they have moved to, a nil key where there is
// none.
type blockWalk struct {
	blocks *blocks
	cursor *bolt.Cursor // at the block that it is in
	rows   block.Rows
	copies []byte // of what was returned
}

func newBlockWalk(db *DB, of *bolt.Bucket, number uint32) *blockWalk {
	blocks := newBlocks(db, of, number)
	return &blockWalk{blocks: blocks, cursor: blocks.cursor}
}

// seek moves to the first row whose key is not less.
func (w *blockWalk) seek(key []byte) (k, value []byte) {
	first, sealed := seekBlock(w.cursor, key)
	if first == nil {
		return w.first(skipBuckets(w.cursor.First())(w.cursor.Next))
	}
	w.enter(first, sealed)
	if w.found(w.rows.Seek(key)) {
		return w.row()
	}
	return w.first(skipBuckets(w.cursor.Next())(w.cursor.Next))
}

// seekBefore moves to the last row whose key is less.
func (w *blockWalk) seekBefore(key []byte) (k, value []byte) {
	first, _ := w.cursor.Seek(key)
	first, sealed := blockBefore(w.cursor, first)
	if first == nil {
		return nil, nil
	}
	w.enter(first, sealed)
	if w.found(w.rows.Seek(key)) {
		return w.prev()
	}
	w.found(w.rows.Last())
	return w.row()
}

// end moves to the last row.
func (w *blockWalk) end() (key, value []byte) { return w.last(blockBefore(w.cursor, nil)) }

func (w *blockWalk) next() (key, value []byte) {
	if w.found(w.rows.Next()) {
		return w.row()
	}
	return w.first(skipBuckets(w.cursor.Next())(w.cursor.Next))
}

func (w *blockWalk) prev() (key, value []byte) {
	if w.found(w.rows.Prev()) {
		return w.row()
	}
	return w.last(skipBuckets(w.cursor.Prev())(w.cursor.Prev))
}

// first moves to the first row of a block.
func (w *blockWalk) first(first, sealed []byte) (key, value []byte) {
	if first == nil {
		return nil, nil
	}
	w.enter(first, sealed)
	w.found(w.rows.First())
	return w.row()
}

// last moves to the last row of a block.
func (w *blockWalk) last(first, sealed []byte) (key, value []byte) {
	if first == nil {
		return nil, nil
	}
	w.enter(first, sealed)
	w.found(w.rows.Last())
	return w.row()
}

func (w *blockWalk) enter(first, sealed []byte) {
	w.blocks.enter(first, sealed)
	w.rows = w.blocks.open.Rows()
}

// found returns whether the walk has come to a row, once it is certain that it has not come to damage.
func (w *blockWalk) found(ok bool) bool {
	w.blocks.check(w.rows.Err())
	return ok
}

// copiesAtOnce is for how many bytes of rows there is room at once.
const copiesAtOnce = 4 << 10

// row returns a copy of the row: what a transaction returns is valid until it ends.
func (w *blockWalk) row() (key, value []byte) {
	n := len(w.rows.Key())
	need := n + w.rows.ValueSize()
	if cap(w.copies)-len(w.copies) < need {
		w.copies = make([]byte, 0, max(need, copiesAtOnce))
	}
	from := len(w.copies)
	w.copies = w.rows.AppendValue(append(w.copies, w.rows.Key()...))
	row := slices.Clip(w.copies[from:])
	return row[:n:n], row[n:]
}
