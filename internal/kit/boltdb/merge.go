package boltdb

import (
	"bytes"
	"cmp"
	"slices"

	bolt "go.etcd.io/bbolt"

	"github.com/sojournhq/sojourn/internal/kit/boltdb/internal/block"
)

const (
	defaultBlockBytes = 4000
	// What bbolt puts before a page's elements, and before each of them.
	pageOverhead, elementOverhead = 16, 16
	// A block that has become smaller than this part of the usual is joined with the next.
	smallPart = 4
)

// sizesOf returns how large blocks are made in a file: two full ones are what a page takes at least.
func sizesOf(b *bolt.DB, o Options) block.Sizes {
	sealed := (b.Info().PageSize-pageOverhead)/2 - elementOverhead
	content := cmp.Or(o.BlockBytes, defaultBlockBytes)
	return block.Sizes{Content: content, Sealed: min(sealed, content)}
}

// merger brings changes to the blocks of a bucket.
type merger struct {
	bucket *bolt.Bucket
	path   []string
	place  block.Place
	usual  int
	cursor *bolt.Cursor

	cutter block.Cutter
	rows   block.Merger
	rooms  [][]byte // of the blocks that are being merged
	old    [][]byte // their keys
}

func newMerger(bucket *bolt.Bucket, path []string, sizes block.Sizes) *merger {
	return &merger{
		bucket: bucket, path: path, place: block.PlaceOf(path), usual: sizes.Content, cursor: bucket.Cursor(),
		cutter: block.Cutter{Sizes: sizes},
	}
}

// merge brings changes, in order of their keys, to the blocks that they belong into.
func (m *merger) merge(changes []block.Change) error {
	for len(changes) > 0 {
		n, atEnd, err := m.collect(changes)
		if err == nil {
			err = m.replace(atEnd)
		}
		if err != nil {
			return err
		}
		changes = changes[n:]
	}
	return nil
}

// collect makes rows of the block that the first change belongs into, and of those behind it while that is little, with all changes to
// them. It returns how many these are, and whether most of them only add to the end of the table.
func (m *merger) collect(changes []block.Change) (n int, atEnd bool, err error) {
	m.rows.Reset()
	m.old = m.old[:0]
	key, sealed := seekBlock(m.cursor, changes[0].Key)
	if key == nil {
		key, sealed = skipBuckets(m.cursor.First())(m.cursor.Next)
	}
	for {
		next, nextSealed := []byte(nil), []byte(nil)
		if key != nil {
			next, nextSealed = skipBuckets(m.cursor.Next())(m.cursor.Next)
		}
		mine := until(changes[n:], next)
		behind, err := m.add(key, sealed, mine)
		if err != nil {
			return 0, false, damaged(m.path, key, err)
		}
		n += len(mine)
		if next == nil || m.rows.Size() >= m.usual/smallPart {
			return n, next == nil && behind > len(mine)/2, nil
		}
		key, sealed = next, nextSealed
	}
}

// add adds the rows of a block, if there is one, with changes.
func (m *merger) add(key, sealed []byte, changes []block.Change) (behind int, err error) {
	if key == nil {
		return m.rows.Add(block.Block{}, changes)
	}
	i := len(m.old)
	if i == len(m.rooms) {
		m.rooms = append(m.rooms, nil)
	}
	m.old = append(m.old, key)
	var opened block.Block
	if opened, m.rooms[i], err = block.Open(m.place, key, sealed, m.rooms[i]); err != nil {
		return 0, err
	}
	return m.rows.Add(opened, changes)
}

// until returns the changes before a key; nil is behind all.
func until(changes []block.Change, key []byte) []block.Change {
	if key == nil {
		return changes
	}
	n, _ := slices.BinarySearchFunc(changes, key, func(c block.Change, key []byte) int { return bytes.Compare(c.Key, key) })
	return changes[:n]
}

// replace puts the rows that were collected in place of the blocks that they are made of.
func (m *merger) replace(atEnd bool) error {
	cut := m.cutter.Even
	if atEnd {
		cut = m.cutter.Full
	}
	err := cut(m.place, m.rows.Rows(), func(key, sealed []byte) error {
		m.old = slices.DeleteFunc(m.old, func(old []byte) bool { return bytes.Equal(old, key) })
		return m.bucket.Put(key, bytes.Clone(sealed))
	})
	for _, key := range m.old {
		if err == nil {
			err = m.bucket.Delete(key)
		}
	}
	return err
}
