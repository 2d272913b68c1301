package block

import (
	"bytes"
	"encoding/binary"
	"sort"
)

// Splicer makes of a block another one in which a single row differs, and copies the others as they stand. Places stay at their rows, so
// their distances change until the block is cut. Its zero value is ready.
type Splicer struct {
	content, last []byte // of the block that was made, and of the one before
	before        []byte // the key before a row
}

// Splice returns what becomes of a block by a change. It is valid until the next but one. It is not ok where the key of the block would
// change, or a row cannot be read.
func (s *Splicer) Splice(b Block, c Change) (spliced Block, ok bool) {
	if bytes.Compare(c.Key, b.key) < 0 {
		return Block{}, false
	}
	r := b.Rows()
	count := len(b.places) / placeSize
	run := sort.Search(count, func(i int) bool { return !r.begin(i+1) || bytes.Compare(r.key, c.Key) > 0 })
	end := len(b.rows)
	if run < count {
		end = r.placeAt(run + 1)
	}
	at, inside := s.find(&r, run, end, c.Key)
	found := inside && bytes.Equal(r.key, c.Key)
	if r.err != nil || found && c.Deleted && at == 0 {
		return Block{}, false
	}
	rest, emptied := at, false // from where on rows are copied; whether nothing is left of the run
	s.content, s.last = s.last, s.content
	s.content = append(s.content[:0], b.rows[:at]...)
	if !c.Deleted {
		s.content = appendRow(s.content, RowOf(c.Key, c.Value), s.before)
	}
	if found {
		rest = r.next
		emptied = c.Deleted && rest == end && at == r.placeAt(run)
	}
	if rest < end && (!found || c.Deleted) { // the row behind has another one before it now
		before := c.Key
		if c.Deleted {
			before = s.before
		}
		if found && !r.read(rest) {
			return Block{}, false
		}
		s.content = appendRow(s.content, Row{r.key, r.value, r.sum}, before)
		rest = r.next
	}
	moved := len(s.content) - rest
	s.content = append(s.content, b.rows[rest:]...)
	rows := len(s.content)
	for p := 1; p <= count; p++ {
		place := r.placeAt(p)
		if p > run {
			place += moved
		}
		if p != run || !emptied {
			s.content = binary.BigEndian.AppendUint32(s.content, uint32(place))
		}
	}
	places := len(s.content)
	s.content = binary.BigEndian.AppendUint32(s.content, uint32((places-rows)/placeSize))
	return Block{key: b.key, content: s.content, rows: s.content[:rows], places: s.content[rows:places]}, true
}

// find moves to the first row of a run whose key is not less, and says whether there is one. At is where it begins, or where the run ends.
// The key before that place is in s.before then.
func (s *Splicer) find(r *Rows, run, end int, key []byte) (at int, inside bool) {
	s.before = append(s.before[:0], r.block.key...)
	for ok := r.begin(run); ok && bytes.Compare(r.key, key) < 0; ok = r.read(r.next) {
		s.before = append(s.before[:0], r.key...)
		if r.next >= end {
			return end, false
		}
	}
	return r.at, true
}
