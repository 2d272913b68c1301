package block

import (
	"bytes"
	"slices"
)

// Change puts a row or deletes one.
type Change struct {
	Key     []byte
	Value   []byte
	Deleted bool
}

// Merger makes rows of those of blocks and of changes to them. Its zero value is ready.
type Merger struct {
	rows []Row
	// Keys are built anew: in the block they lie without what they share.
	keys []byte
}

// Rows returns what was added since the last Reset, in order of keys. It is valid until the next, for as long as blocks and changes are.
func (m *Merger) Rows() []Row { return m.rows }

// Reset forgets all rows.
func (m *Merger) Reset() {
	clear(m.rows)
	m.rows, m.keys = m.rows[:0], m.keys[:0]
}

// Size returns how many bytes the rows take in the content of one block, about.
func (m *Merger) Size() int { return sizeOf(m.rows) }

// Add adds what becomes of the rows of a block by changes, in order of their keys, all behind the rows that were added before. It returns
// how many of the changes were behind all rows of the block. Of what holds no rows, block is its zero value.
func (m *Merger) Add(block Block, changes []Change) (behind int, err error) {
	r := block.Rows()
	for ok := len(block.rows) > 0 && r.First(); ok; {
		order := 1
		if len(changes) > 0 {
			order = bytes.Compare(changes[0].Key, r.key)
		}
		if order > 0 {
			m.rows = append(m.rows, Row{m.keep(r.key), r.value, r.sum})
		} else {
			m.put(changes[:1])
			changes = changes[1:]
		}
		if order >= 0 {
			ok = r.Next()
		}
	}
	m.put(changes)
	return len(changes), r.Err()
}

func (m *Merger) put(changes []Change) {
	for _, c := range changes {
		if !c.Deleted {
			m.rows = append(m.rows, RowOf(c.Key, c.Value))
		}
	}
}

// keep returns a copy of a key.
func (m *Merger) keep(key []byte) []byte {
	if cap(m.keys)-len(m.keys) < len(key) {
		m.keys = make([]byte, 0, max(len(key), keysAtOnce))
	}
	from := len(m.keys)
	m.keys = append(m.keys, key...)
	return slices.Clip(m.keys[from:])
}

// keysAtOnce is for how many bytes of keys there is room at once.
const keysAtOnce = 8 << 10
