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

	cutter  block.Cutter
	rows    block.Merger
	splicer block.Splicer
	rooms   [][]byte // of the blocks that are being merged
	old     [][]byte // their keys
}

// mostSpliced is how many changes are put into a block one by one, with its other rows left as they are. More of them cost less when all
// of its rows are made anew.
const mostSpliced = 4

func newMerger(bucket *bolt.Bucket, path []string, sizes block.Sizes) *merger {
	return &merger{
		bucket: bucket, path: path, place: block.PlaceOf(path), usual: sizes.Content, cursor: bucket.Cursor(),
		cutter: block.Cutter{Sizes: sizes},
	}
}

// merge brings changes, in order of their keys, to the blocks that they belong into.
func (m *merger) merge(changes []block.Change) error {
	for len(changes) > 0 {
		n, err := m.mergeSome(changes)
		if err != nil {
			return err
		}
		changes = changes[n:]
	}
	return nil
}

// mergeSome brings the first changes to the block that they belong into, and to those behind it while that is little. It returns how many
// these are.
func (m *merger) mergeSome(changes []block.Change) (n int, err error) {
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
		opened, err := m.open(key, sealed)
		if err != nil {
			return 0, damaged(m.path, key, err)
		}
		if next != nil && n == 0 && len(mine) <= mostSpliced {
			if done, err := m.splice(key, opened, mine); done || err != nil {
				return len(mine), err
			}
		}
		behind, err := m.rows.Add(opened, mine)
		if err != nil {
			return 0, damaged(m.path, key, err)
		}
		n += len(mine)
		if next == nil || m.rows.Size() >= m.usual/smallPart {
			return n, m.replace(next == nil && behind > len(mine)/2) // whether most of them only add to the end of the table
		}
		key, sealed = next, nextSealed
	}
}

// open opens a block whose rows are merged; without a key it is one that holds none.
func (m *merger) open(key, sealed []byte) (opened block.Block, err error) {
	if key == nil {
		return block.Block{}, nil
	}
	i := len(m.old)
	if i == len(m.rooms) {
		m.rooms = append(m.rooms, nil)
	}
	m.old = append(m.old, key)
	opened, m.rooms[i], err = block.Open(m.place, key, sealed, m.rooms[i])
	return opened, err
}

// splice puts changes into a block, unless it would have to be cut, joined with the next, or given another key.
func (m *merger) splice(key []byte, opened block.Block, changes []block.Change) (done bool, err error) {
	for _, c := range changes {
		var ok bool
		if opened, ok = m.splicer.Splice(opened, c); !ok {
			return false, nil
		}
	}
	if opened.Size() < m.usual/smallPart {
		return false, nil
	}
	sealed, ok := m.cutter.Uncut(m.place, opened)
	if !ok {
		return false, nil
	}
	return true, m.bucket.Put(key, bytes.Clone(sealed))
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
