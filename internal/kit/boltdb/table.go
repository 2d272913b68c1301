package boltdb

import (
	"strings"
	"sync"

	"github.com/sojournhq/sojourn/internal/kit/boltdb/internal/block"
	"github.com/sojournhq/sojourn/internal/kit/boltdb/internal/rows"
)

// A generation is what was committed after another and is not yet in the bbolt file: its rows, in memory, and on disk the segment of the
// log that has the same number.
type generation struct {
	number uint64
	rows   *rows.Level
}

// What stands in a place of rows, beside the number of a bucket.
const (
	isRow      = 0
	isBucket   = 1 // the key is the name of a bucket in it, and the value says nothing
	isSequence = 2 // the key is empty
	placeBits  = 2
)

// placeOf returns where rows, buckets or the sequence of a bucket stand.
func placeOf(bucket uint32, what byte) rows.Place {
	return rows.Place(bucket)<<placeBits | rows.Place(what)
}

// parsePlace says what stands in a place, and of which bucket.
func parsePlace(p rows.Place) (bucket uint32, what byte) {
	return uint32(p >> placeBits), byte(p & (1<<placeBits - 1))
}

// buckets numbers buckets, for as long as the file is open. The root is number 0.
type buckets struct {
	mutex   sync.RWMutex
	numbers map[bucketName]uint32
	names   []bucketName // by number
	places  []block.Place
	there   []bool // which were seen where they stay: a bucket is never removed
}

// bucketName is the name of a bucket and the number of the one that it is in.
type bucketName struct {
	parent uint32
	name   string
}

func newBuckets() *buckets {
	return &buckets{
		numbers: map[bucketName]uint32{}, names: make([]bucketName, 1), places: make([]block.Place, 1), there: make([]bool, 1),
	}
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
		b.places = append(b.places, b.places[parent].In(key.name))
	}
	return n
}

// known returns the number of a bucket that was seen before, and its name for all who use it.
func (b *buckets) known(parent uint32, name []byte) (number uint32, own string, there bool) {
	b.mutex.RLock()
	defer b.mutex.RUnlock()
	if number, there = b.numbers[bucketName{parent, string(name)}]; !there || !b.there[number] {
		return 0, "", false
	}
	return number, b.names[number].name, true
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

// place returns what stands for a bucket in the checksums of its blocks.
func (b *buckets) place(number uint32) block.Place {
	b.mutex.RLock()
	defer b.mutex.RUnlock()
	return b.places[number]
}

// path returns the names of the buckets that lead to one, from the root.
func (b *buckets) path(number uint32) (names []string) {
	for number != 0 {
		n := b.name(number)
		names, number = append([]string{n.name}, names...), n.parent
	}
	return names
}
