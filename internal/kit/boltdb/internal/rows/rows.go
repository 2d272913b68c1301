// Package rows keeps rows in memory: one goroutine writes, and any number of others read what was committed when they began, without
// waiting for it.
//
// A row is found by its hash. In order of keys rows stand only where somebody walks: until then, they wait in a list that has no order.
// What a row said before stays for as long as a reader may want it.
package rows

import (
	"hash/maphash"
	"sync/atomic"
)

// Place is where rows stand beside each other, in order of their keys. The same key in another place is another row.
type Place uint64

// Row is what one level says under a key in a place.
type Row struct {
	hash  uint64
	place Place
	key   []byte

	newest atomic.Pointer[version]
	// first is the version that the row began with. It is used again when nobody can be reading it.
	first version

	// Of the ordered list: the next row, and for some rows the next of those that are as high. The next row of one that waits to be put in
	// order is another one that waits.
	next  atomic.Pointer[Row]
	upper []atomic.Pointer[Row]
}

// version is what a row has said since a commit. It is not changed while anybody reads the level.
type version struct {
	since  uint64
	before *version // nil if nobody who reads can want one
	value  []byte   // nil: the row is deleted
}

const (
	// rowSize is about what a row takes beside its key and its value, with its share of index and order: measured.
	rowSize = 160
	// versionSize is what another version of a row takes beside its value.
	versionSize = 48
)

// Hash returns the hash of a key in a place. It differs from process to process, so that nobody can choose keys that have the same.
func Hash(place Place, key []byte) uint64 {
	const odd = 0x9e3779b97f4a7c15
	return maphash.Bytes(seed, key) ^ uint64(place+1)*odd
}

var seed = maphash.MakeSeed() //nolint:gochecknoglobals // all levels of a store must agree, and nothing else sees it

// Hash returns the row's hash.
func (r *Row) Hash() uint64 { return r.hash }

// Place returns where the row stands.
func (r *Row) Place() Place { return r.place }

// Key returns the row's key.
func (r *Row) Key() []byte { return r.key }

// Value returns what the row says now, nil if it is deleted. It is for levels that are not written to meanwhile.
func (r *Row) Value() []byte { return r.newest.Load().value }

// at returns what the row said after a commit, nil if it did not exist yet.
func (r *Row) at(commit uint64) *version {
	v := r.newest.Load()
	for v != nil && v.since > commit {
		v = v.before
	}
	return v
}

// held returns how many bytes the row's versions take, without what they take in every row.
func (r *Row) held() (bytes int) {
	for v := r.newest.Load(); v != nil; v = v.before {
		bytes += len(v.value)
		if v != &r.first {
			bytes += versionSize
		}
	}
	return bytes
}
