package boltdb

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/sojournhq/sojourn/internal/kit/boltdb/internal/rows"
)

// Tx is a transaction: one consistent state of the file, made of what bbolt has and of the generations that it does not have yet. What it
// returns is valid until it ends, and not to be changed.
type Tx struct {
	db    *DB
	bolt  *bolt.Tx
	over  []rows.View // what lies over bbolt's rows, the newest first
	root  Bucket
	known map[bucketName]*Bucket

	// Of a transaction that writes, which writes to what over[0] is a view of:
	own       *rows.Level // nil: it only reads
	undurable int         // how many of over, from the first on, may be undone
	changed   []rows.Row  // in the order in which they were first written
	version   int         // how often it was written to: cursors have to find their place again then
}

// Bucket is a named part of a file that holds rows and further buckets.
type Bucket struct {
	tx     *Tx
	number uint32
	parent *Bucket // nil of the root
	name   string
	under  *bolt.Bucket // what bbolt has of it: see base
	looked bool
	rows   *blocks // what reads the rows that bbolt has, nil until some are read
}

func newTx(db *DB, under *bolt.Tx, over ...rows.View) *Tx {
	tx := &Tx{db: db, bolt: under, over: over, known: map[bucketName]*Bucket{}}
	tx.root = Bucket{tx: tx}
	return tx
}

// end ends a transaction. What it wrote is still in its own level.
func (tx *Tx) end() {
	for _, over := range tx.over {
		over.Close()
	}
	_ = tx.bolt.Rollback() // never fails for a transaction of bbolt that reads
}

// Size returns the size of the bbolt file, in bytes, as the transaction sees it.
func (tx *Tx) Size() int64 { return tx.bolt.Size() }

// Check examines the structure of the bbolt file, and tells of everything that is wrong with it until the channel is closed.
func (tx *Tx) Check() <-chan error { return tx.bolt.Check() }

// Bucket returns a bucket of the root, or nil if there is none.
func (tx *Tx) Bucket(name []byte) *Bucket { return tx.root.Bucket(name) }

// CreateBucketIfNotExists returns a bucket of the root, making it if need be.
func (tx *Tx) CreateBucketIfNotExists(name []byte) (*Bucket, error) {
	return tx.root.CreateBucketIfNotExists(name)
}

// find returns what the newest level that says something says under a key, whose hash is given: nil that there is no row.
func (tx *Tx) find(hash uint64, place rows.Place, key []byte) (value []byte, found bool) {
	return find(tx.over, hash, place, key)
}

func find(levels []rows.View, hash uint64, place rows.Place, key []byte) (value []byte, found bool) {
	for _, over := range levels {
		if value, found = over.Find(hash, place, key); found {
			return value, true
		}
	}
	return nil, false
}

// set writes under a key; a nil value: that there is no row.
func (tx *Tx) set(place rows.Place, key, value []byte) error {
	if tx.own == nil {
		return berrors.ErrTxNotWritable
	}
	tx.version++
	if r, added := tx.own.Set(rows.Hash(place, key), place, key, value); added {
		tx.changed = append(tx.changed, r)
	}
	return nil
}

// Bucket returns a bucket in this one, or nil if there is none.
func (b *Bucket) Bucket(name []byte) *Bucket {
	if known := b.tx.known[bucketName{b.number, string(name)}]; known != nil {
		return known
	}
	found := &Bucket{tx: b.tx, parent: b}
	number, own, there := b.tx.db.buckets.known(b.number, name)
	found.name = own
	if !there {
		found.name = string(name)
		stays := found.base() != nil
		if !stays {
			place := placeOf(b.number, isBucket)
			hash := rows.Hash(place, name)
			_, stays = find(b.tx.over[b.tx.undurable:], hash, place, name)
			if _, made := find(b.tx.over[:b.tx.undurable], hash, place, name); !made && !stays {
				return nil
			}
		}
		if number = b.tx.db.buckets.number(b.number, found.name); stays {
			b.tx.db.buckets.see(number)
		}
	}
	found.number = number
	b.tx.known[bucketName{b.number, found.name}] = found
	return found
}

// base returns what bbolt has of the bucket, nil if that is nothing. It is looked for when something is, which often the levels have.
func (b *Bucket) base() *bolt.Bucket {
	if b.looked || b.parent == nil {
		return b.under
	}
	b.looked = true
	if b.parent.parent == nil {
		b.under = b.tx.bolt.Bucket([]byte(b.name))
	} else if parent := b.parent.base(); parent != nil {
		b.under = parent.Bucket([]byte(b.name))
	}
	return b.under
}

// CreateBucketIfNotExists returns a bucket in this one, making it if need be.
func (b *Bucket) CreateBucketIfNotExists(name []byte) (*Bucket, error) {
	if found := b.Bucket(name); found != nil {
		return found, nil
	}
	if len(name) == 0 {
		return nil, berrors.ErrBucketNameRequired
	}
	if err := b.tx.set(placeOf(b.number, isBucket), name, []byte{}); err != nil {
		return nil, err
	}
	return b.Bucket(name), nil
}

// Get returns the value under a key, nil if there is none.
func (b *Bucket) Get(key []byte) []byte {
	place := placeOf(b.number, isRow)
	if value, ok := b.tx.find(rows.Hash(place, key), place, key); ok {
		return value
	}
	return b.stored(key)
}

// stored returns the value that bbolt has under a key, nil if there is none.
func (b *Bucket) stored(key []byte) []byte {
	under := b.base()
	if under == nil || b.parent == nil {
		return nil
	}
	if b.rows == nil {
		b.rows = newBlocks(b.tx.db, under, b.number)
	}
	return b.rows.get(key)
}

// Put writes a value under a key, and copies both.
func (b *Bucket) Put(key, value []byte) error {
	switch {
	case len(key) == 0:
		return berrors.ErrKeyRequired
	case len(key) > bolt.MaxKeySize:
		return berrors.ErrKeyTooLarge
	case int64(len(value)) > bolt.MaxValueSize:
		return berrors.ErrValueTooLarge
	}
	if value == nil {
		value = []byte{}
	}
	return b.tx.set(placeOf(b.number, isRow), key, value)
}

// Delete removes what is under a key, if something is.
func (b *Bucket) Delete(key []byte) error {
	if b.Get(key) == nil {
		return nil
	}
	return b.tx.set(placeOf(b.number, isRow), key, nil)
}

// Sequence returns the number that NextSequence returned last.
func (b *Bucket) Sequence() uint64 {
	place := placeOf(b.number, isSequence)
	if value, ok := b.tx.find(rows.Hash(place, nil), place, nil); ok {
		return binary.BigEndian.Uint64(value)
	}
	if under := b.base(); under != nil {
		return under.Sequence()
	}
	return 0
}

// NextSequence returns a number that it never returns again: 1, 2, and so on.
func (b *Bucket) NextSequence() (uint64, error) {
	next := b.Sequence() + 1
	return next, b.tx.set(placeOf(b.number, isSequence), nil, binary.BigEndian.AppendUint64(nil, next))
}

// ForEach calls do for every row, in order of keys, until it returns an error.
func (b *Bucket) ForEach(do func(key, value []byte) error) error {
	cursor := b.Cursor()
	for key, value := cursor.First(); key != nil; key, value = cursor.Next() {
		if err := do(key, value); err != nil {
			return err
		}
	}
	return nil
}

// Count returns how many rows there are, by looking at each.
func (b *Bucket) Count() (n int) {
	_ = b.ForEach(func([]byte, []byte) error { n++; return nil }) // never fails
	return n
}

// ForEachBucket calls do for the name of every bucket in this one, in order, until it returns an error.
func (b *Bucket) ForEachBucket(do func(name []byte) error) error {
	var names [][]byte
	if under := b.base(); under != nil {
		if err := under.ForEachBucket(func(name []byte) error { names = append(names, name); return nil }); err != nil {
			return fmt.Errorf("list buckets: %w", err)
		}
	}
	for _, over := range b.tx.over {
		cursor := over.Cursor(placeOf(b.number, isBucket))
		for cursor.Seek(nil); cursor.Key() != nil; cursor.Next() {
			names = append(names, cursor.Key())
		}
	}
	slices.SortFunc(names, bytes.Compare)
	for _, name := range slices.CompactFunc(names, bytes.Equal) {
		if err := do(name); err != nil {
			return err
		}
	}
	return nil
}
