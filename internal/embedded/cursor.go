package embedded

import (
	"bytes"

	"github.com/tidwall/btree"
	bolt "go.etcd.io/bbolt"
)

// Cursor walks the rows of a table in order of their keys, in both directions. Where it ends it returns no key. A transaction that writes
// may change rows meanwhile; the cursor goes on from the key where it is.
type Cursor struct {
	tx      *Tx
	sources []source // buffers, the newest first, and the file
	key     []byte   // where it is, nil: nowhere
	forward bool     // how it came there
	changes int      // of the writer, when the sources were moved there
}

// source is a cursor over what one place has of a table. A value that is nil is that of a row that was deleted.
type source interface {
	// seek moves to the first row from a key on, and before to the last before it. A key that is nil is before, or behind, all others.
	seek(key []byte)
	before(key []byte)
	next()
	prev()
	// at returns the row where it is; the key is nil at either end.
	at() (key, value []byte)
}

// Cursor returns a cursor over a table, which is nowhere yet.
func (tx *Tx) Cursor(t Table) *Cursor {
	c := &Cursor{tx: tx, sources: make([]source, 0, len(tx.layers)+1)}
	for _, l := range tx.layers {
		c.sources = append(c.sources, &layerSource{table: t, iter: l.Iter()})
	}
	c.sources = append(c.sources, &fileSource{tx: tx, table: t, cursor: tx.table(t).bucket.Cursor()})
	return c
}

// First moves to the first row.
func (c *Cursor) First() (key, value []byte) { return c.Seek(nil) }

// Last moves to the last row.
func (c *Cursor) Last() (key, value []byte) { return c.seekBefore(nil) }

// Seek moves to the first row whose key is not less.
func (c *Cursor) Seek(key []byte) (k, v []byte) {
	for _, s := range c.sources {
		s.seek(key)
	}
	return c.arrive(true)
}

func (c *Cursor) seekBefore(key []byte) (k, v []byte) {
	for _, s := range c.sources {
		s.before(key)
	}
	return c.arrive(false)
}

// Next moves to the row behind the one where the cursor is.
func (c *Cursor) Next() (key, value []byte) {
	switch {
	case c.key == nil:
		return nil, nil
	case !c.forward || c.changes != c.tx.changes():
		return c.Seek(append(bytes.Clone(c.key), 0)) // the next key that there can be
	}
	c.step()
	return c.arrive(true)
}

// Prev moves to the row before the one where the cursor is.
func (c *Cursor) Prev() (key, value []byte) {
	switch {
	case c.key == nil:
		return nil, nil
	case c.forward || c.changes != c.tx.changes():
		return c.seekBefore(c.key)
	}
	c.step()
	return c.arrive(false)
}

// step moves the sources on that are at the key of now.
func (c *Cursor) step() {
	for _, s := range c.sources {
		key, _ := s.at()
		switch {
		case key == nil || !bytes.Equal(key, c.key):
		case c.forward:
			s.next()
		default:
			s.prev()
		}
	}
}

// arrive finds the next row among where the sources are: the newest of those with the least key, or backward the greatest. It passes over
// rows that were deleted.
func (c *Cursor) arrive(forward bool) (key, value []byte) {
	c.forward, c.changes = forward, c.tx.changes()
	for {
		c.key, value = nil, nil
		for _, s := range c.sources {
			k, v := s.at()
			if order := bytes.Compare(k, c.key); k != nil && (c.key == nil || order < 0 && forward || order > 0 && !forward) {
				c.key, value = k, v
			}
		}
		if c.key == nil || value != nil {
			return c.key, value
		}
		c.step()
	}
}

// changes counts what the transaction has changed, after which cursors over its buffer have to seek again.
func (tx *Tx) changes() int {
	if tx.writer == nil {
		return 0
	}
	return tx.writer.changes
}

// layerSource walks a buffer.
type layerSource struct {
	table Table
	iter  btree.IterG[*row]
	probe row
	found bool
}

func (s *layerSource) seek(key []byte) {
	s.probe = row{table: s.table, key: key}
	s.found = s.iter.Seek(&s.probe)
}

func (s *layerSource) before(key []byte) {
	s.probe = row{table: s.table, key: key}
	if key == nil {
		s.probe.table++ // there are fewer tables than numbers
	}
	if s.found = s.iter.Seek(&s.probe); s.found {
		s.found = s.iter.Prev()
	} else {
		s.found = s.iter.Last()
	}
}

func (s *layerSource) next() { s.found = s.iter.Next() }
func (s *layerSource) prev() { s.found = s.iter.Prev() }

func (s *layerSource) at() (key, value []byte) {
	if !s.found || s.iter.Item().table != s.table {
		return nil, nil
	}
	r := s.iter.Item()
	return r.key, r.value
}

// fileSource walks a table of bbolt, and checks every row that it comes to, and that keys are in order.
type fileSource struct {
	tx     *Tx
	table  Table
	cursor *bolt.Cursor
	pair
}

func (s *fileSource) at() (key, value []byte) { return s.key, s.value }

func (s *fileSource) seek(key []byte) {
	defer inFile()
	if len(key) == 0 {
		s.take(s.cursor.First())
		return
	}
	found, _ := s.tx.seekFile(s.cursor, s.table, key)
	if s.pair = found; found.key == nil {
		s.take(s.cursor.Seek(key))
	}
}

func (s *fileSource) before(key []byte) {
	defer inFile()
	if key == nil {
		s.take(s.cursor.Last())
		return
	}
	found, last := s.tx.seekFile(s.cursor, s.table, key)
	if s.pair = last; found.key != nil {
		s.take(s.cursor.Prev())
		s.tx.inOrder(s.table, s.key, key)
	}
}

func (s *fileSource) next() {
	defer inFile()
	last := s.key
	s.take(s.cursor.Next())
	s.tx.inOrder(s.table, last, s.key)
}

func (s *fileSource) prev() {
	defer inFile()
	last := s.key
	s.take(s.cursor.Prev())
	s.tx.inOrder(s.table, s.key, last)
}

func (s *fileSource) take(key, sealed []byte) { s.pair = s.tx.open(s.table, key, sealed) }
