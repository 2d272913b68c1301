package boltdb

import (
	"bytes"
	"fmt"
	"strings"

	bolt "go.etcd.io/bbolt"

	"github.com/sojournhq/sojourn/internal/kit/boltdb/internal/block"
)

// blocks reads the rows that bbolt has of a bucket: they lie in blocks, each under the key of its first row. What it returns is its own
// copy. Rows that cannot be read are a panic with a damage, because a reader has no way to say that it does not know.
type blocks struct {
	db     *DB
	number uint32 // the bucket's
	place  block.Place
	cursor *bolt.Cursor

	// The block that was opened last: neighbours are read together.
	key  []byte
	open block.Block
	room []byte
}

func newBlocks(db *DB, of *bolt.Bucket, number uint32) *blocks {
	return &blocks{db: db, number: number, place: db.buckets.place(number), cursor: of.Cursor()}
}

// get returns the value under a key, nil if there is none.
func (b *blocks) get(key []byte) []byte {
	if !b.enter(seekBlock(b.cursor, key)) {
		return nil
	}
	rows := b.open.Rows()
	found := rows.Seek(key)
	b.check(rows.Err())
	if !found || !bytes.Equal(rows.Key(), key) {
		return nil
	}
	return rows.AppendValue(make([]byte, 0, rows.ValueSize()))
}

// enter opens a block, and says whether it is one.
func (b *blocks) enter(key, sealed []byte) bool {
	if key == nil {
		return false
	}
	if b.key != nil && bytes.Equal(b.key, key) {
		return true
	}
	var err error
	b.key = key
	b.open, b.room, err = block.Open(b.place, key, sealed, b.room)
	b.check(err)
	return true
}

// check panics with what is wrong with the block that was opened last.
func (b *blocks) check(err error) {
	if err != nil {
		key := b.key
		b.key = nil
		panic(damage{damaged(b.db.buckets.path(b.number), key, err)})
	}
}

// damage is a panic over what cannot be read.
type damage struct{ error }

// recoverDamage makes an error of a damage that somebody stumbled over.
func recoverDamage(err *error) {
	switch p := recover().(type) {
	case nil:
	case damage:
		*err = p.error
	default:
		panic(p)
	}
}

// damaged says which rows cannot be read.
func damaged(path []string, key []byte, err error) error {
	return fmt.Errorf("%w: table %s: the rows from key %x on: %w", ErrDamaged, strings.Join(path, "/"), key, err)
}

// seekBlock moves to the block that a key belongs into, if one begins at or before it.
func seekBlock(c *bolt.Cursor, key []byte) (first, sealed []byte) {
	if first, sealed = c.Seek(key); sealed != nil && bytes.Equal(first, key) {
		return first, sealed
	}
	return blockBefore(c, first)
}

// blockBefore moves to the last block before where the cursor stands: at a key, or, if that is nil, behind all.
func blockBefore(c *bolt.Cursor, at []byte) (first, sealed []byte) {
	if at == nil {
		return skipBuckets(c.Last())(c.Prev)
	}
	return skipBuckets(c.Prev())(c.Prev)
}

// skipBuckets passes over the buckets that bbolt has among blocks.
func skipBuckets(key, value []byte) func(step func() (key, value []byte)) (first, sealed []byte) {
	return func(step func() (key, value []byte)) (first, sealed []byte) {
		for key != nil && value == nil {
			key, value = step()
		}
		return key, value
	}
}
