package block

import (
	"encoding/binary"

	"github.com/klauspost/compress/s2"
)

// Row is a row of a block that is being made.
type Row struct {
	Key []byte
	// Value is the row's, without the checksum over key and value if Summed says that one is to be put behind it.
	Value  []byte
	Summed bool
}

// RowOf returns the row of a key and a value.
func RowOf(key, value []byte) Row {
	if n := len(value) - sumSize; n >= 0 && sumOf(key, value[:n]) == binary.BigEndian.Uint32(value[n:]) {
		return Row{key, value[:n:n], true}
	}
	return Row{Key: key, Value: value}
}

// size is how many bytes the row takes in the content of a block, about, behind a key.
func (r Row) size(before []byte) int {
	return len(r.Key) - shared(before, r.Key) + len(r.Value) + rowLengths
}

// rowLengths is how much the lengths take with which a row begins.
const rowLengths = 3

// Sealer makes blocks. Its zero value is ready.
type Sealer struct {
	content, places, sealed []byte
}

// Seal returns the block of some rows, of which there is one at least, in order of their keys. It is overwritten by the next one. A dense
// one takes more time to make: for what will not soon be made again.
func (s *Sealer) Seal(place Place, rows []Row, dense bool) []byte {
	s.content, s.places = s.content[:0], s.places[:0]
	key := rows[0].Key
	before := key
	for i, r := range rows {
		if i%placeEvery == 0 && i > 0 {
			s.places = binary.BigEndian.AppendUint32(s.places, uint32(len(s.content)))
			before = key
		}
		s.content = appendRow(s.content, r, before)
		before = r.Key
	}
	count := uint32(len(s.places) / placeSize)
	s.content = binary.BigEndian.AppendUint32(append(s.content, s.places...), count)
	return s.seal(place, key, s.content, dense)
}

// SealAgain returns a block that was spliced, as Seal does.
func (s *Sealer) SealAgain(place Place, b Block) []byte {
	return s.seal(place, b.key, b.content, false)
}

func (s *Sealer) seal(place Place, key, content []byte, dense bool) []byte {
	s.pack(content, dense)
	s.sealed = binary.BigEndian.AppendUint32(s.sealed, place.sum(key, s.sealed))
	return s.sealed
}

func appendRow(to []byte, r Row, before []byte) []byte {
	n := shared(before, r.Key)
	size := uint64(len(r.Value)) << 1
	if r.Summed {
		size |= 1
	}
	to = binary.AppendUvarint(to, uint64(n))
	to = binary.AppendUvarint(to, uint64(len(r.Key)-n))
	to = binary.AppendUvarint(to, size)
	return append(append(to, r.Key[n:]...), r.Value...)
}

// pack makes kind and content of some content: compressed, if that is shorter.
func (s *Sealer) pack(content []byte, dense bool) {
	if len(content) <= maxCompressed {
		if need := 1 + s2.MaxEncodedLen(len(content)) + sumSize; cap(s.sealed) < need {
			s.sealed = make([]byte, need)
		}
		encode := s2.Encode
		if dense {
			encode = s2.EncodeBetter
		}
		if packed := encode(s.sealed[1:cap(s.sealed)], content); len(packed) < len(content) {
			s.sealed = s.sealed[:1+len(packed)]
			s.sealed[0] = compressed
			return
		}
	}
	s.sealed = append(append(s.sealed[:0], plain), content...)
}

func shared(a, b []byte) (n int) {
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}
