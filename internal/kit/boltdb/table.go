package boltdb

import (
	"encoding/binary"
	"strings"
	"sync"

	"github.com/tidwall/btree"
)

// A generation is what was committed after another and is not yet in the bbolt file: its rows, in memory, and on disk the segment of the
// log that has the same number.
type generation struct {
	number uint64
	level
	// bytes is about how much memory the rows take.
	bytes int
}

// level is rows that lie over those of other levels and of bbolt. Keys begin with the number of a bucket, so one tree holds the rows of
// all.
type level struct {
	rows *rows
	// index holds the same rows; finding one in it takes a fraction of the time. Nil in the levels of those who read: it has no copies.
	index map[string]*row
}

// rows is a tree that can be copied at no cost: copies share what neither has changed since.
type rows = btree.Map[string, *row]

// row is what one level says under a key. It is never changed once its transaction has been committed.
type row struct {
	key     string
	value   []byte
	deleted bool
}

func newLevel() level { return level{new(rows), map[string]*row{}} }

// find returns what the level says under a key.
func (l level) find(key string) (r *row, ok bool) {
	if l.index != nil {
		r, ok = l.index[key]
		return r, ok
	}
	return l.rows.Get(key)
}

// add lets the level say something under a key that it says nothing under, and leaves the tree to be brought up to date by whoever needs
// it.
func (l level) add(r *row) { l.index[r.key] = r }

// set lets the level say something else under a key, and returns by how much memory it has grown.
func (l level) set(r *row) (bytes int) {
	was, ok := l.index[r.key]
	l.index[r.key] = r
	l.rows.Set(r.key, r)
	if ok {
		return len(r.value) - len(was.value)
	}
	return len(r.key) + len(r.value) + rowOverhead
}

// What stands under a key, which begins with the number of a bucket and one of these.
const (
	isRow      = 0 // and the row's key
	isBucket   = 1 // and the name of a bucket in it
	isSequence = 2
	prefixSize = 5
	// Of the memory that a row takes, what is neither key nor value: measured.
	rowOverhead = 176
)

// appendPrefix begins a key.
func appendPrefix(to []byte, bucket uint32, what byte) []byte {
	return append(binary.BigEndian.AppendUint32(to, bucket), what)
}

// parseKey takes a key of a generation's rows apart.
func parseKey(key string) (bucket uint32, what byte, rest string) {
	return uint32(key[0])<<24 | uint32(key[1])<<16 | uint32(key[2])<<8 | uint32(key[3]), key[4], key[prefixSize:]
}

// buckets numbers buckets, for as long as the file is open. The root is number 0.
type buckets struct {
	mutex   sync.RWMutex
	numbers map[bucketName]uint32
	names   []bucketName // by number
	there   []bool       // which were seen where they stay: a bucket is never removed
}

// bucketName is the name of a bucket and the number of the one that it is in.
type bucketName struct {
	parent uint32
	name   string
}

func newBuckets() *buckets {
	return &buckets{numbers: map[bucketName]uint32{}, names: make([]bucketName, 1), there: make([]bool, 1)}
}

// number returns the number of a bucket that exists or is being made.
func (b *buckets) number(parent uint32, name string) uint32 {
	b.mutex.RLock()
	n, ok := b.numbers[bucketName{parent, name}]
	b.mutex.RUnlock()
	if ok {
		return n
	}
	b.mutex.Lock()
	defer b.mutex.Unlock()
	key := bucketName{parent, strings.Clone(name)}
	if n, ok = b.numbers[key]; !ok {
		n = uint32(len(b.names))
		b.numbers[key], b.names, b.there = n, append(b.names, key), append(b.there, false)
	}
	return n
}

// known returns the number of a bucket that was seen before.
func (b *buckets) known(parent uint32, name []byte) (number uint32, there bool) {
	b.mutex.RLock()
	defer b.mutex.RUnlock()
	number, there = b.numbers[bucketName{parent, string(name)}]
	return number, there && b.there[number]
}

// see takes in that a bucket is there for good.
func (b *buckets) see(number uint32) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	b.there[number] = true
}

// name returns what a number stands for.
func (b *buckets) name(number uint32) bucketName {
	b.mutex.RLock()
	defer b.mutex.RUnlock()
	return b.names[number]
}

// path returns the names of the buckets that lead to one, from the root.
func (b *buckets) path(number uint32) (names []string) {
	for number != 0 {
		n := b.name(number)
		names, number = append([]string{n.name}, names...), n.parent
	}
	return names
}
