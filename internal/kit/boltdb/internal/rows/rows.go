// Package rows keeps rows in memory: one goroutine writes, and any number of others read what was committed when they began, without
// waiting for it.
//
// A row is found by its hash. In order of keys rows stand only where somebody walks: until then, they wait in a list that has no order.
// What a row said before stays for as long as a reader may want it.
//
// Rows, versions and links lie in slabs and name each other by number, and keys and values lie in an arena: there are no pointers among
// them, so the collector of garbage has nothing to look at however many rows there are.
package rows

import (
	"hash/maphash"
	"math"
	"sync/atomic"
)

// Place is where rows stand beside each other, in order of their keys. The same key in another place is another row.
type Place uint32

// row is what one level says under a key in a place.
type row struct {
	hash  uint64
	place Place
	key   text

	newest atomic.Uint32 // version
	// first is the version that the row began with. It is used again when nobody can be reading it.
	first version

	// Of the ordered list: the next row, and from where on the links lie of the heights above. The next row of one that waits to be put
	// in order is another one that waits.
	next  atomic.Uint32
	upper uint32
}

// version is what a row has said since a commit. It is not changed while anybody reads the level.
type version struct {
	since  uint32
	before uint32 // noVersion if nobody who reads can want one
	value  text
}

// Numbers of versions. All others are those of the slab.
const (
	firstVersion = 0 // the one in the row
	noVersion    = math.MaxUint32
)

const (
	// rowSize is about what a row takes beside its key and its value, with its share of index and order: measured.
	rowSize = 70
	// versionSize is what another version of a row takes beside its value.
	versionSize = 16
)

// Hash returns the hash of a key in a place. It differs from process to process, so that nobody can choose keys that have the same.
func Hash(place Place, key []byte) uint64 {
	const odd = 0x9e3779b97f4a7c15
	return maphash.Bytes(seed, key) ^ (uint64(place)+1)*odd
}

var seed = maphash.MakeSeed() //nolint:gochecknoglobals // all levels of a store must agree, and nothing else sees it

// Row is a row of a level, for as long as that is not emptied.
type Row struct {
	level *Level
	row   *row
}

// Hash returns the row's hash.
func (r Row) Hash() uint64 { return r.row.hash }

// Place returns where the row stands.
func (r Row) Place() Place { return r.row.place }

// Key returns the row's key.
func (r Row) Key() []byte { return r.level.texts.get(r.row.key) }

// Value returns what the row says now, nil if it is deleted. It is for levels that are not written to meanwhile.
func (r Row) Value() []byte {
	return r.level.texts.get(r.level.version(r.row, r.row.newest.Load()).value)
}
