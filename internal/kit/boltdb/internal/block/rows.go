package block

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"sort"
)

// Rows walks the rows of a block. It stands at a row as long as its methods return true.
type Rows struct {
	block Block
	at    int    // where the row begins
	next  int    // where the next one does
	key   []byte // the row's
	value []byte // as it stands in the block
	sum   bool   // the value's checksum was left out
	err   error
}

// Rows returns a walk that stands nowhere yet.
func (b Block) Rows() Rows { return Rows{block: b} }

// Err returns ErrDamaged if the walk has come to what is no row, which it takes for the end.
func (r *Rows) Err() error { return r.err }

// Key returns the key of the row. It is overwritten by the next step.
func (r *Rows) Key() []byte { return r.key }

// AppendValue appends the value of the row.
func (r *Rows) AppendValue(to []byte) []byte {
	to = append(to, r.value...)
	if r.sum {
		to = binary.BigEndian.AppendUint32(to, sumOf(r.key, r.value))
	}
	return to
}

// ValueSize returns how long the value of the row is.
func (r *Rows) ValueSize() int {
	if r.sum {
		return len(r.value) + sumSize
	}
	return len(r.value)
}

// First moves to the first row.
func (r *Rows) First() bool { return r.begin(0) }

// Last moves to the last row.
func (r *Rows) Last() bool {
	ok := r.begin(len(r.block.places) / placeSize)
	for ok && r.next < len(r.block.rows) {
		ok = r.Next()
	}
	return ok
}

// Next moves to the next row.
func (r *Rows) Next() bool {
	if r.next >= len(r.block.rows) {
		return false
	}
	if p := r.place(r.next); p > 0 && r.placeAt(p) == r.next {
		return r.begin(p)
	}
	return r.read(r.next)
}

// Prev moves to the row before.
func (r *Rows) Prev() bool {
	at := r.at
	if at == 0 {
		return false
	}
	ok := r.begin(r.place(at - 1))
	for ok && r.next < at {
		ok = r.Next()
	}
	return ok
}

// Seek moves to the first row whose key is not less.
func (r *Rows) Seek(key []byte) bool {
	count := len(r.block.places) / placeSize
	p := sort.Search(count, func(i int) bool { return !r.begin(i+1) || bytes.Compare(r.key, key) > 0 })
	for ok := r.begin(p); ok; ok = r.Next() {
		if bytes.Compare(r.key, key) >= 0 {
			return true
		}
	}
	return false
}

// place returns the last place that is not behind an offset.
func (r *Rows) place(at int) int {
	return sort.Search(len(r.block.places)/placeSize, func(i int) bool { return r.placeAt(i+1) > at })
}

// placeAt returns the offset of a place.
func (r *Rows) placeAt(p int) int {
	if p == 0 {
		return 0
	}
	return int(binary.BigEndian.Uint32(r.block.places[(p-1)*placeSize:]))
}

// begin moves to the row at a place.
func (r *Rows) begin(p int) bool {
	r.key = append(r.key[:0], r.block.key...)
	return r.read(r.placeAt(p))
}

// read moves to the row at an offset, which has the key before that in r.key.
func (r *Rows) read(at int) bool {
	if at >= len(r.block.rows) {
		return r.fail()
	}
	rest := r.block.rows[at:]
	shared, rest, ok := length(rest)
	follow, rest, more := length(rest)
	size, rest, most := length(rest)
	size, r.sum = size>>1, size&1 == 1
	if !ok || !more || !most || shared > len(r.key) || follow > len(rest) || size > len(rest)-follow {
		return r.fail()
	}
	r.key = append(r.key[:shared], rest[:follow]...)
	r.value = rest[follow:][:size:size]
	r.at, r.next = at, len(r.block.rows)-len(rest)+follow+size
	return true
}

func (r *Rows) fail() bool {
	r.err = errContent
	r.at, r.next = 0, len(r.block.rows)
	return false
}

// length reads a length, which fits into 32 bits.
func length(from []byte) (n int, rest []byte, ok bool) {
	if len(from) > 0 && from[0] < 0x80 {
		return int(from[0]), from[1:], true
	}
	long, size := binary.Uvarint(from)
	if size <= 0 || long > 1<<32-1 {
		return 0, nil, false
	}
	return int(long), from[size:], true
}

func sumOf(key, value []byte) uint32 {
	return crc32.Update(crc32.Update(0, castagnoli, key), castagnoli, value)
}
