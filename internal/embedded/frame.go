package embedded

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// A segment of the log is a header and frames. Numbers are big-endian, in payloads varints.
//
//	header:  "SJRNLOG2", id of the store (16 bytes), number of the segment (8), CRC-32C of these (4)
//	frame:   "SJRF", length of the payload (4), last (1), mask (1), CRC-32C of the payload (4), CRC-32C (4), payload, 'Z'
//	payload: changes of rows, each combined with the mask by XOR: kind (1), table (1), key, and what the kind says
//
// The second CRC of a frame is over the id, the segment's number, where the frame lies, and its own first 14 bytes, so that what another
// segment has there never passes for a frame. Last says that the next segment exists and goes on. The mask is such that no sector that lies
// within the frame is all zero: a sector that is zero was never written, and a frame that is not right and has none is damaged, not cut
// short.
const (
	segmentMark = "SJRNLOG2"
	headerBytes = len(segmentMark) + 16 + 8 + 4
	frameMark   = "SJRF"
	frameHeader = 18
	frameEnd    = 'Z'
	sectorBytes = 512 // what a disk writes whole or not at all
	kindPut     = 1   // value
	kindDelete  = 2
	kindPatch   = 3 // how many bytes behind the head are those of the row's last value, and the head and what comes behind them
	patchHead   = 8 // a value may begin with a count or a time: what is shared is looked for behind these bytes
	leastShared = 16
	lastYes     = 0xA5
	lastNo      = 0x5A
	// changeOverhead is what a change takes beside its key and value at most, and frameOverhead a frame.
	changeOverhead = 2 + 3*binary.MaxVarintLen32
	frameOverhead  = frameHeader + 1
)

// storeID is made with a store, and again when it is restored.
type storeID [16]byte

// segmentID says which segment it is.
type segmentID struct {
	store  storeID
	number uint64
}

func (id segmentID) header() []byte {
	h := append([]byte(segmentMark), id.store[:]...)
	h = binary.BigEndian.AppendUint64(h, id.number)
	return binary.BigEndian.AppendUint32(h, crc32.Checksum(h, castagnoli))
}

// appendFrame appends to a buffer the frame of changes that lies at a place of the segment.
func (id segmentID) appendFrame(to []byte, changes []change, at int64, last bool) []byte {
	start := len(to)
	to = append(to, make([]byte, frameHeader)...)
	for _, c := range changes {
		to = appendChange(to, c)
	}
	to = append(to, frameEnd)
	frame := to[start:]
	payload := frame[frameHeader : len(frame)-1]
	copy(frame, frameMark)
	binary.BigEndian.PutUint32(frame[4:], uint32(len(payload)))
	frame[8], frame[9] = lastNo, maskOf(frame, at)
	if last {
		frame[8] = lastYes
	}
	apply(payload, frame[9])
	binary.BigEndian.PutUint32(frame[10:], crc32.Checksum(payload, castagnoli))
	binary.BigEndian.PutUint32(frame[14:], id.sum(frame, at))
	return to
}

func appendChange(to []byte, c change) []byte {
	kind, shared := byte(kindPut), 0
	if c.row.value == nil {
		kind = kindDelete
	} else if c.base != nil {
		if shared = sharedBytes(c.base.value, c.row.value); shared >= leastShared {
			kind = kindPatch
		}
	}
	to = appendText(append(to, kind, byte(c.row.table)), c.row.key)
	switch value := c.row.value; kind {
	case kindPut:
		to = appendText(to, value)
	case kindPatch:
		to = binary.AppendUvarint(to, uint64(shared))
		to = binary.AppendUvarint(to, uint64(len(value)-shared))
		to = append(append(to, value[:patchHead]...), value[patchHead+shared:]...)
	}
	return to
}

func appendText(to, text []byte) []byte {
	return append(binary.AppendUvarint(to, uint64(len(text))), text...)
}

// sharedBytes is how many bytes two values have in common behind their heads.
func sharedBytes(a, b []byte) int {
	n := patchHead
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n - patchHead
}

// apply combines a payload with a mask, or takes the mask off again.
func apply(payload []byte, mask byte) {
	if mask == 0 {
		return
	}
	for i := range payload {
		payload[i] ^= mask
	}
}

// maskOf returns a mask that leaves no sector within a frame that is all zero.
func maskOf(frame []byte, at int64) byte {
	var taken [256]bool
	for from := sectorBytes - at%sectorBytes; from+sectorBytes <= int64(len(frame)); from += sectorBytes {
		if s := frame[from:][:sectorBytes]; bytes.Equal(s[1:], s[:sectorBytes-1]) { // all bytes are the same
			taken[s[0]] = true
		}
	}
	mask := 0
	for mask < 255 && taken[mask] {
		mask++
	}
	return byte(mask)
}

// sum is the checksum of the head of a frame at a place.
func (id segmentID) sum(frame []byte, at int64) uint32 {
	var place [16]byte
	binary.BigEndian.PutUint64(place[:], id.number)
	binary.BigEndian.PutUint64(place[8:], uint64(at))
	s := crc32.Update(0, castagnoli, id.store[:])
	return crc32.Update(crc32.Update(s, castagnoli, place[:]), castagnoli, frame[:14])
}

// frameAt returns the payload of the frame at a place of a segment's bytes, still masked. It is right if the head and the payload are; a
// head that is right has a length.
func (id segmentID) frameAt(data []byte, at int64) (length int64, right bool) {
	rest := data[at:]
	if len(rest) < frameHeader || string(rest[:4]) != frameMark || id.sum(rest, at) != binary.BigEndian.Uint32(rest[14:]) {
		return 0, false
	}
	length = int64(binary.BigEndian.Uint32(rest[4:])) + frameOverhead
	if length > int64(len(rest)) || rest[length-1] != frameEnd {
		return length, false
	}
	return length, crc32.Checksum(rest[frameHeader:length-1], castagnoli) == binary.BigEndian.Uint32(rest[10:])
}

// changeFunc is told of a change that was read: the row, and, of a patch, how many bytes it shares with its last value.
type changeFunc func(kind byte, r *row, shared uint64) error

// readSegment gives change the changes of a segment's frames, from a place on, and returns where the last frame ends, and whether it says
// that the next segment goes on. What is behind was never answered. ErrDamaged says that it is not what was written, ErrSwapped that it is
// another's.
func (id segmentID) readSegment(data []byte, from int64, change changeFunc) (end int64, last bool, err error) {
	if len(data) < headerBytes || !bytes.Equal(data[:headerBytes], id.header()) {
		return 0, false, id.wrongHeader(data)
	}
	if from > int64(len(data)) {
		return 0, false, fmt.Errorf("%w: it ends at byte %d, before byte %d, up to where it was read once", ErrDamaged, len(data), from)
	}
	at := max(from, int64(headerBytes))
	for at < int64(len(data)) && !last {
		length, right := id.frameAt(data, at)
		if !right {
			return at, false, id.isTorn(data, at)
		}
		frame := data[at : at+length]
		payload := bytes.Clone(frame[frameHeader : length-1]) // rows keep parts of it
		apply(payload, frame[9])
		if err := readChanges(payload, change); err != nil {
			return at, false, fmt.Errorf("%w: the frame at byte %d: %w", ErrDamaged, at, err)
		}
		at, last = at+length, frame[8] == lastYes
	}
	if at < int64(len(data)) {
		return at, last, fmt.Errorf("%w: there are bytes behind its last frame, at byte %d", ErrDamaged, at)
	}
	return at, last, nil
}

// wrongHeader says what a header is that is not the one it should be.
func (id segmentID) wrongHeader(data []byte) error {
	if len(data) >= headerBytes && string(data[:len(segmentMark)]) == segmentMark {
		is := segmentID{storeID(data[len(segmentMark):]), binary.BigEndian.Uint64(data[len(segmentMark)+16:])}
		if bytes.Equal(data[:headerBytes], is.header()) {
			return fmt.Errorf("%w: it is segment %d of store %x, not %d of %x", ErrSwapped, is.number, is.store, id.number, id.store)
		}
	}
	return fmt.Errorf("%w: it does not begin as segment %d does", ErrDamaged, id.number)
}

// isTorn returns nil if what is at a place, up to the end, may be one frame whose writing was cut short: it may end anywhere, and any
// sector of it may be zero. Anything else is ErrDamaged.
func (id segmentID) isTorn(data []byte, at int64) error {
	for behind := at + 1; behind+frameOverhead <= int64(len(data)); behind++ {
		if data[behind] != frameMark[0] {
			continue
		}
		if _, right := id.frameAt(data, behind); right {
			return fmt.Errorf("%w: the frame at byte %d cannot be read, and others follow it", ErrDamaged, at)
		}
	}
	rest := data[at:]
	length, _ := id.frameAt(data, at)
	switch left := int64(len(rest)); {
	case length > left, length == 0 && left < frameHeader && bytes.HasPrefix([]byte(frameMark), rest[:min(4, left)]):
		return nil
	case length == left && hasUnwritten(rest, at), length == 0 && hasUnwritten(rest[:min(frameHeader, left)], at):
		return nil
	}
	return fmt.Errorf("%w: what is at byte %d is no frame, nor one whose writing was cut short", ErrDamaged, at)
}

// hasUnwritten says whether what one sector has of a frame is all zero.
func hasUnwritten(frame []byte, at int64) bool {
	for len(frame) > 0 {
		n := min(sectorBytes-at%sectorBytes, int64(len(frame)))
		if len(bytes.Trim(frame[:n], "\x00")) == 0 {
			return true
		}
		frame, at = frame[n:], at+n
	}
	return false
}

var errChange = errors.New("a change that cannot be read")

// readChanges gives change every row of a payload. The value of a patch is its head and what comes behind what is shared.
func readChanges(payload []byte, change changeFunc) error {
	for len(payload) > 0 {
		if len(payload) < 2 {
			return errChange
		}
		kind, r, shared := payload[0], &row{table: Table(payload[1])}, uint64(0)
		p := &reader{rest: payload[2:]}
		r.key = p.text()
		switch kind {
		case kindPut:
			r.value = p.text()
		case kindPatch:
			shared = p.number()
			r.value = p.text()
		case kindDelete:
		default:
			return errChange
		}
		if p.failed || len(r.key) == 0 {
			return errChange
		}
		if err := change(kind, r, shared); err != nil {
			return err
		}
		payload = p.rest
	}
	return nil
}

// reader reads the parts of a change.
type reader struct {
	rest   []byte
	failed bool
}

func (r *reader) number() uint64 {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 {
		r.failed = true
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

func (r *reader) text() []byte {
	n := r.number()
	if r.failed || n > uint64(len(r.rest)) {
		r.failed = true
		return nil
	}
	text := r.rest[:n:n]
	r.rest = r.rest[n:]
	return text
}
