package embedded

import (
	"bytes"

	"github.com/tidwall/btree"
)

// row is a row in a buffer. It does not change once its frame was given to the logger. What a comparison reads lies together: finding a row
// is most of what it costs to change one.
type row struct {
	key   []byte
	table Table
	short [31]byte // the bytes of a key that is not longer
	value []byte   // nil: the row was deleted
	frame uint64   // the one that it was changed in
}

func newRow(t Table, key, value []byte, frame uint64) *row {
	r := &row{table: t, value: value, frame: frame}
	if len(key) <= len(r.short) {
		r.key = r.short[:copy(r.short[:], key)]
	} else {
		r.key = bytes.Clone(key)
	}
	return r
}

// tree is a copy-on-write B-tree: a copy of it is made in no time, and stays as it is while the other goes on.
type tree = btree.BTreeG[*row]

func newTree() *tree {
	return btree.NewBTreeGOptions(before, btree.Options{NoLocks: true})
}

func before(a, b *row) bool {
	if a.table != b.table {
		return a.table < b.table
	}
	return bytes.Compare(a.key, b.key) < 0
}

// layer is a buffer that is being filled.
type layer struct {
	*tree

	bytes int // that its rows take, about
}

func newLayer() layer { return layer{tree: newTree()} }

// rowOverhead is what a row takes in a buffer beside its key and value, about: itself, its place in the tree, what allocating rounds up.
const rowOverhead = 112

func (r *row) bytes() int { return len(r.key) + len(r.value) + rowOverhead }
