package embedded

import (
	"bytes"
	"cmp"

	"github.com/tidwall/btree"
)

// row is a row in a buffer. It does not change once its frame was given to the logger.
type row struct {
	key   []byte
	value []byte // nil: the row was deleted
	frame uint64 // the one that it was changed in
	table Table
}

// tree is a copy-on-write B-tree: a copy of it is made in no time, and stays as it is while the other goes on.
type tree = btree.BTreeG[*row]

func newTree() *tree {
	return btree.NewBTreeGOptions(before, btree.Options{NoLocks: true})
}

func before(a, b *row) bool { return compare(a, b) < 0 }

func compare(a, b *row) int {
	if c := cmp.Compare(a.table, b.table); c != 0 {
		return c
	}
	return bytes.Compare(a.key, b.key)
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
