package boltdb

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"unsafe"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// Tx is a transaction: one consistent state of the file, made of what bbolt has and of the generations that it does not have yet. What it
// returns is valid until it ends, and not to be changed.
type Tx struct {
	db    *DB
	bolt  *bolt.Tx
	over  []level // what lies over bbolt's rows, the newest first
	root  Bucket
	known map[bucketName]*Bucket

	// Of a transaction that writes, which writes to over[0]:
	writable bool
	changed  []*row            // in the order in which they were first written
	late     map[uint32][]*row // what the tree of over[0] lacks, by bucket: most buckets are never walked by who writes to them
	version  int               // how often it was written to: cursors have to find their place again then

	scratch []byte
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

func newTx(db *DB, under *bolt.Tx, over ...level) *Tx {
	tx := &Tx{db: db, bolt: under, over: over, known: map[bucketName]*Bucket{}}
	tx.root = Bucket{tx: tx}
	return tx
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

// key returns a key of rows that is valid until the next call.
func (tx *Tx) key(bucket uint32, what byte, rest []byte) string {
	tx.scratch = append(appendPrefix(tx.scratch[:0], bucket, what), rest...)
	return unsafe.String(unsafe.SliceData(tx.scratch), len(tx.scratch)) //nolint:gosec // read before scratch is written again
}

// find returns what the newest generation that says something says under a key.
func (tx *Tx) find(key string) (*row, bool) {
	for _, over := range tx.over {
		if r, ok := over.find(key); ok {
			return r, true
		}
	}
	return nil, false
}

// set writes under a key.
func (tx *Tx) set(key string, value []byte, deleted bool) error {
	if !tx.writable {
		return berrors.ErrTxNotWritable
	}
	tx.version++
	if r, ok := tx.over[0].find(key); ok {
		r.value, r.deleted = value, deleted
		return nil
	}
	r := &row{strings.Clone(key), value, deleted}
	tx.over[0].add(r)
	tx.changed = append(tx.changed, r)
	bucket, _, _ := parseKey(r.key)
	tx.late[bucket] = append(tx.late[bucket], r)
	return nil
}

// order brings the tree of over[0] up to date, so that a bucket can be walked.
func (tx *Tx) order(bucket uint32) {
	for _, r := range tx.late[bucket] {
		tx.over[0].rows.Set(r.key, r)
	}
	delete(tx.late, bucket)
}

// Bucket returns a bucket in this one, or nil if there is none.
func (b *Bucket) Bucket(name []byte) *Bucket {
	if known := b.tx.known[bucketName{b.number, string(name)}]; known != nil {
		return known
	}
	found := &Bucket{tx: b.tx, parent: b, name: string(name)}
	number, there := b.tx.db.buckets.known(b.number, name)
	if !there {
		stays := found.base() != nil
		if !stays {
			r, ok := b.tx.find(b.tx.key(b.number, isBucket, name))
			if !ok {
				return nil
			}
			// What this transaction made may be undone.
			_, mine := b.tx.over[0].find(r.key)
			stays = !b.tx.writable || !mine
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
	if err := b.tx.set(b.tx.key(b.number, isBucket, name), nil, false); err != nil {
		return nil, err
	}
	return b.Bucket(name), nil
}

// Get returns the value under a key, nil if there is none.
func (b *Bucket) Get(key []byte) []byte {
	if r, ok := b.tx.find(b.tx.key(b.number, isRow, key)); ok {
		if r.deleted {
			return nil
		}
		return r.value
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
		b.rows = newBlocks(under, b.tx.db.buckets.path(b.number))
	}
	return b.rows.get(key)
}

// Put writes a value, which must not be changed any more, under a key.
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
	return b.tx.set(b.tx.key(b.number, isRow, key), value, false)
}

// Delete removes what is under a key, if something is.
func (b *Bucket) Delete(key []byte) error {
	if b.Get(key) == nil {
		return nil
	}
	return b.tx.set(b.tx.key(b.number, isRow, key), nil, true)
}

// Sequence returns the number that NextSequence returned last.
func (b *Bucket) Sequence() uint64 {
	if r, ok := b.tx.find(b.tx.key(b.number, isSequence, nil)); ok {
		return binary.BigEndian.Uint64(r.value)
	}
	if under := b.base(); under != nil {
		return under.Sequence()
	}
	return 0
}

// NextSequence returns a number that it never returns again: 1, 2, and so on.
func (b *Bucket) NextSequence() (uint64, error) {
	next := b.Sequence() + 1
	return next, b.tx.set(b.tx.key(b.number, isSequence, nil), binary.BigEndian.AppendUint64(nil, next), false)
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
	b.tx.order(b.number)
	prefix := string(appendPrefix(nil, b.number, isBucket))
	for _, over := range b.tx.over {
		over.rows.Ascend(prefix, func(key string, _ *row) bool {
			if key[:prefixSize] != prefix {
				return false
			}
			names = append(names, []byte(key[prefixSize:]))
			return true
		})
	}
	slices.SortFunc(names, bytes.Compare)
	for _, name := range slices.CompactFunc(names, bytes.Equal) {
		if err := do(name); err != nil {
			return err
		}
	}
	return nil
}
