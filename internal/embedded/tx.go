package embedded

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/tidwall/btree"
	bolt "go.etcd.io/bbolt"
)

// Tx is a transaction, valid while the function runs that it was given to. It must not be used by more than one goroutine.
type Tx struct {
	store  *Store
	layers []*tree // buffers, the newest first
	file   *bolt.Tx
	tables []fileTable
	probe  row
	hint   btree.PathHint // where probe is in the newest buffer: who reads a row often writes it
	writer *writer        // of a transaction that writes
	err    error          // why it cannot be committed
}

// fileTable is a table of bbolt, and a cursor to look rows up with.
type fileTable struct {
	bucket *bolt.Bucket
	cursor *bolt.Cursor
}

func newTx(s *Store, file *bolt.Tx) *Tx {
	return &Tx{store: s, layers: make([]*tree, 0, 4), file: file, tables: make([]fileTable, len(s.config.Tables))}
}

// end ends the transaction of bbolt.
func (tx *Tx) end() { _ = tx.file.Rollback() } // which never fails for one that reads

// Get returns the value of a row, nil if there is none.
func (tx *Tx) Get(t Table, key []byte) []byte {
	tx.probe.table, tx.probe.key = t, key
	if r, found := tx.layers[0].GetHint(&tx.probe, &tx.hint); found {
		return r.value
	}
	for _, l := range tx.layers[1:] {
		if r, found := l.Get(&tx.probe); found {
			return r.value
		}
	}
	return tx.getFile(t, key)
}

func (tx *Tx) getFile(t Table, key []byte) []byte {
	defer inFile()
	if len(key) == 0 {
		return nil
	}
	found, _ := tx.seekFile(tx.table(t).cursor, t, key)
	return found.value
}

// Put stores a row. The key is copied. The value is kept: it must not be changed any more, and must not be one, or a part of one, that Get
// or a cursor returned, for those end with the transaction. A row that cannot be stored, because its key is empty or either is too long,
// makes the transaction fail with ErrInvalid.
func (tx *Tx) Put(t Table, key, value []byte) {
	if value == nil {
		value = []byte{}
	}
	tx.set(t, key, value)
}

// Delete removes a row, should there be one.
func (tx *Tx) Delete(t Table, key []byte) { tx.set(t, key, nil) }

// maxValue is how long a value may be: as long as bbolt bears, with its checksum.
const maxValue = bolt.MaxValueSize - sumBytes

func (tx *Tx) set(t Table, key, value []byte) {
	switch {
	case tx.writer == nil:
		tx.err = ErrReadOnly
	case len(key) == 0 || len(key) > bolt.MaxKeySize || len(value) > maxValue || int(t) >= len(tx.tables):
		tx.err = fmt.Errorf("%w: of table %d, with a key of %d bytes and a value of %d", ErrInvalid, t, len(key), len(value))
	default:
		tx.writer.set(t, key, value)
	}
}

// table returns a table of bbolt.
func (tx *Tx) table(t Table) *fileTable {
	f := &tx.tables[t]
	if f.bucket == nil {
		if f.bucket = tx.file.Bucket([]byte(tx.store.config.Tables[t])); f.bucket == nil {
			panic(damage{fmt.Errorf("%w: table %s is missing", ErrDamaged, tx.store.config.Tables[t])})
		}
		f.cursor = f.bucket.Cursor()
	}
	return f
}

// pair is a row of bbolt without its checksum. Without a key it is none.
type pair struct{ key, value []byte }

// seekFile returns the row of bbolt with a key, or else the one before where it would be. It checks that and the one behind, and their
// order: so a row whose key is damaged is noticed by who looks for it. It leaves the cursor at the first of what it returns.
func (tx *Tx) seekFile(c *bolt.Cursor, t Table, key []byte) (found, last pair) {
	k, v := c.Seek(key)
	if k != nil && bytes.Equal(k, key) {
		return tx.open(t, k, v), pair{}
	}
	lastKey, sealed := c.Prev()
	next := tx.open(t, k, v)
	last = tx.open(t, lastKey, sealed)
	tx.inOrder(t, last.key, key)
	tx.inOrder(t, key, next.key)
	return pair{}, last
}

// sumBytes is how long the checksum is that every value of bbolt ends in.
const sumBytes = 4

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sum is the checksum of a row: over the name of its table, its key and its value.
func sum(table string, key, value []byte) uint32 {
	s := crc32.Update(0, castagnoli, []byte(table))
	return crc32.Update(crc32.Update(s, castagnoli, key), castagnoli, value)
}

// seal appends to a buffer a value with its checksum.
func seal(to []byte, table string, key, value []byte) []byte {
	return binary.BigEndian.AppendUint32(append(to, value...), sum(table, key, value))
}

// unseal returns the value that was sealed, or ErrDamaged.
func unseal(table string, key, sealed []byte) ([]byte, error) {
	if n := len(sealed) - sumBytes; n >= 0 && sum(table, key, sealed[:n]) == binary.BigEndian.Uint32(sealed[n:]) {
		return sealed[:n:n], nil
	}
	return nil, fmt.Errorf("%w: the checksum of table %s does not match at key %x", ErrDamaged, table, key)
}

// open returns a row of bbolt without its checksum, which must be right.
func (tx *Tx) open(t Table, key, sealed []byte) pair {
	if key == nil {
		return pair{}
	}
	value, err := unseal(tx.store.config.Tables[t], key, sealed)
	if err != nil {
		panic(damage{err})
	}
	return pair{key, value}
}

// inOrder panics unless one key is less than another; nil is none.
func (tx *Tx) inOrder(t Table, less, more []byte) {
	if less != nil && more != nil && bytes.Compare(less, more) >= 0 {
		panic(damage{fmt.Errorf("%w: rows of table %s are not in order at key %x", ErrDamaged, tx.store.config.Tables[t], more)})
	}
}
