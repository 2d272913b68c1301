// Package block packs rows that follow one another into one value of bbolt: keys without what they share, checksums of rows left out where
// they can be computed, and all of it compressed. A table takes a fraction of the room then, and fewer pages have to be written.
//
//	block:   kind (1 byte), content, CRC-32C (4 bytes) over the place of the block, its key, kind and content
//	content: rows; where some of them begin, in order (4 bytes each); how many such places there are (4 bytes)
//	row:     how many bytes of its key are those of the key before, how many follow, how long its value is, those bytes, the value
//
// The key of a block is that of its first row. At the first row and at those places, the key before is the block's; there is one at every
// 16th row when rows are cut into blocks, and they stay at their rows when others come between. Lengths are varints,
// other numbers big-endian. That of the value is doubled, and odd if the value ended in the CRC-32C over its key and itself, which is left
// out.
package block

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/klauspost/compress/s2"
)

// ErrDamaged says that a value is not the block that was sealed under its key.
var ErrDamaged = errors.New("block is damaged")

// Kinds of blocks.
const (
	plain      = 1
	compressed = 2
)

const (
	sumSize    = 4
	placeSize  = 4
	placeEvery = 16
	// maxCompressed is how long content may be to be compressed. What is longer is a single row, and content that says that it is longer
	// still is not believed.
	maxCompressed = 1 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Place stands for the bucket that a block lies in: the same block in another one is none.
type Place uint32

// PlaceOf returns what stands for the bucket at a path of names.
func PlaceOf(path []string) (p Place) {
	for _, name := range path {
		p = p.In(name)
	}
	return p
}

// In returns what stands for the bucket of a name in the one of p, which of the root is 0.
func (p Place) In(name string) Place {
	sum := crc32.Update(uint32(p), castagnoli, binary.AppendUvarint(nil, uint64(len(name))))
	return Place(crc32.Update(sum, castagnoli, []byte(name)))
}

func (p Place) sum(key, block []byte) uint32 {
	return crc32.Update(crc32.Update(uint32(p), castagnoli, key), castagnoli, block)
}

// Block is a block that was opened.
type Block struct {
	key          []byte
	content      []byte
	rows, places []byte // parts of that
}

// Size returns how long its content is, in bytes.
func (b Block) Size() int { return len(b.content) }

// Open opens what was sealed for a place and a key, or returns ErrDamaged. What the block holds is in sealed, or in the room that it
// returns, which may be that which it was given: both must stay as they are for as long as the block is used.
func Open(place Place, key, sealed, room []byte) (b Block, used []byte, err error) {
	if len(sealed) < 1+sumSize {
		return Block{}, room, fmt.Errorf("%w: it has %d bytes", ErrDamaged, len(sealed))
	}
	body := sealed[:len(sealed)-sumSize]
	if place.sum(key, body) != binary.BigEndian.Uint32(sealed[len(body):]) {
		return Block{}, room, fmt.Errorf("%w: its checksum does not match", ErrDamaged)
	}
	content := body[1:]
	switch body[0] {
	case plain:
	case compressed:
		if n, err := s2.DecodedLen(content); err != nil || n > maxCompressed {
			return Block{}, room, fmt.Errorf("%w: it cannot be decompressed", ErrDamaged)
		}
		if content, err = s2.Decode(room[:cap(room)], content); err != nil {
			return Block{}, room, fmt.Errorf("%w: it cannot be decompressed", ErrDamaged)
		}
		room = content
	default:
		return Block{}, room, fmt.Errorf("%w: its kind is %d", ErrDamaged, body[0])
	}
	b, err = parse(key, content)
	return b, room, err
}

func parse(key, content []byte) (Block, error) {
	if len(content) < placeSize {
		return Block{}, errContent
	}
	rest := content[:len(content)-placeSize]
	count := int64(binary.BigEndian.Uint32(content[len(rest):]))
	if count*placeSize >= int64(len(rest)) {
		return Block{}, errContent
	}
	at := len(rest) - int(count)*placeSize
	b := Block{key: key, content: content, rows: rest[:at], places: rest[at:]}
	before := uint32(0)
	for places := b.places; len(places) > 0; places = places[placeSize:] {
		place := binary.BigEndian.Uint32(places)
		if place <= before || int64(place) >= int64(at) {
			return Block{}, errContent
		}
		before = place
	}
	return b, nil
}

var errContent = fmt.Errorf("%w: its content is none", ErrDamaged)

// Check returns ErrDamaged unless every row of the block can be read, the first has the block's key, and they are in order and behind a
// key, which is nil if they need not be. It returns the key of the last row, in the room of that.
func (b Block) Check(behind []byte) (last []byte, err error) {
	r := b.Rows()
	first := true
	for ok := r.First(); ok; ok = r.Next() {
		if first && !bytes.Equal(r.key, b.key) || behind != nil && bytes.Compare(behind, r.key) >= 0 {
			return behind, fmt.Errorf("%w: its rows are not in order", ErrDamaged)
		}
		first, behind = false, append(behind[:0], r.key...)
	}
	return behind, r.Err()
}
