package boltdb

import (
	"bytes"

	"github.com/sojournhq/sojourn/internal/kit/boltdb/internal/rows"
)

// Cursor walks the rows of a bucket in order of their keys. Where there is no row to move to, it returns a nil key.
//
// It merges what bbolt has with what lies over it: of one key the newest row counts.
type Cursor struct {
	bucket *Bucket
	layers []*layer // the newest first
	key    []byte   // where it stands; nil: nowhere
	ahead  bool     // the layers stand at the key or behind it, not at the key or before it
	// version is the transaction's when the layers were last placed.
	version int
}

// layer is a place in the rows of one generation or of bbolt.
type layer struct {
	rows rows.Cursor
	walk *blockWalk // in those of bbolt; nil: it is a place in rows

	key, value []byte // key is nil where there is no row
	deleted    bool
}

// Cursor returns a cursor that stands nowhere yet.
func (b *Bucket) Cursor() *Cursor {
	c := &Cursor{bucket: b, layers: make([]*layer, 0, len(b.tx.over)+1)}
	for _, over := range b.tx.over {
		c.layers = append(c.layers, &layer{rows: over.Cursor(placeOf(b.number, isRow))})
	}
	if under := b.base(); under != nil {
		c.layers = append(c.layers, &layer{walk: newBlockWalk(b.tx.db, under, b.number)})
	}
	return c
}

// First moves to the first row.
func (c *Cursor) First() (key, value []byte) { return c.Seek(nil) }

// Seek moves to the first row whose key is not less.
func (c *Cursor) Seek(key []byte) ([]byte, []byte) {
	c.place(func(l *layer) { l.seek(key) }, true)
	return c.settle()
}

// SeekBefore moves to the last row whose key is less.
func (c *Cursor) SeekBefore(key []byte) ([]byte, []byte) {
	c.place(func(l *layer) { l.seekBefore(key) }, false)
	return c.settle()
}

// Last moves to the last row.
func (c *Cursor) Last() (key, value []byte) {
	c.place((*layer).last, false)
	return c.settle()
}

// Next moves to the next row.
func (c *Cursor) Next() (key, value []byte) { return c.step(true) }

// Prev moves to the row before.
func (c *Cursor) Prev() (key, value []byte) { return c.step(false) }

// Delete removes the row that the cursor stands at.
func (c *Cursor) Delete() error { return c.bucket.Delete(c.key) }

func (c *Cursor) place(at func(*layer), ahead bool) {
	for _, l := range c.layers {
		at(l)
	}
	c.ahead, c.version = ahead, c.bucket.tx.version
}

func (c *Cursor) step(ahead bool) (key, value []byte) {
	if c.key == nil {
		return nil, nil
	}
	if c.ahead != ahead || c.version != c.bucket.tx.version {
		at := c.key
		if ahead {
			c.place(func(l *layer) { l.seek(at) }, true)
		} else {
			c.place(func(l *layer) { l.seekBefore(at) }, false)
		}
	}
	c.leave(c.key)
	return c.settle()
}

// leave moves every layer that stands at a key off it.
func (c *Cursor) leave(key []byte) {
	for _, l := range c.layers {
		if l.key != nil && bytes.Equal(l.key, key) {
			l.step(c.ahead)
		}
	}
}

// settle goes to the nearest of the rows that the layers stand at, and past those that are deleted.
func (c *Cursor) settle() (key, value []byte) {
	for {
		var nearest *layer
		for _, l := range c.layers {
			if l.key == nil {
				continue
			}
			if nearest == nil || (bytes.Compare(l.key, nearest.key) < 0) == c.ahead && !bytes.Equal(l.key, nearest.key) {
				nearest = l
			}
		}
		if nearest == nil {
			c.key = nil
			return nil, nil
		}
		if !nearest.deleted {
			c.key = nearest.key
			return nearest.key, nearest.value
		}
		c.leave(nearest.key)
	}
}

// seek moves to the first row whose key is not less.
func (l *layer) seek(key []byte) {
	if l.walk != nil {
		l.key, l.value = l.walk.seek(key)
		return
	}
	l.rows.Seek(key)
	l.fromRows()
}

// seekBefore moves to the last row whose key is less.
func (l *layer) seekBefore(key []byte) {
	if l.walk != nil {
		l.key, l.value = l.walk.seekBefore(key)
		return
	}
	l.rows.SeekBefore(key)
	l.fromRows()
}

// last moves to the last row.
func (l *layer) last() {
	if l.walk != nil {
		l.key, l.value = l.walk.end()
		return
	}
	l.rows.Last()
	l.fromRows()
}

// step moves by one row.
func (l *layer) step(ahead bool) {
	switch {
	case l.walk != nil && ahead:
		l.key, l.value = l.walk.next()
	case l.walk != nil:
		l.key, l.value = l.walk.prev()
	case ahead:
		l.rows.Next()
		l.fromRows()
	default:
		l.rows.Prev()
		l.fromRows()
	}
}

// fromRows takes in where the cursor of the rows stands.
func (l *layer) fromRows() {
	l.key, l.value = l.rows.Key(), l.rows.Value()
	l.deleted = l.value == nil
}
