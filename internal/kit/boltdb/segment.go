package boltdb

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/sojournhq/sojourn/internal/kit/durable"
)

// A segment is the part of the log that makes one generation durable: a header, and one record for each transaction. A record is complete
// or was never acknowledged, because the next one is begun when it is on the disk.
//
//	header: "SJRNLOG1", uuid of the bbolt file (36 bytes), generation (8 bytes), CRC-32C (4 bytes)
//	record: recordMark (4 bytes), length of the payload (4 bytes), CRC-32C (4 bytes) over uuid, generation, position and payload, payload
//
// Numbers are big-endian. A payload is a sequence of entries, see log.go.
type segment struct {
	segmentID

	file   *os.File
	size   int64 // up to the last complete record
	named  map[uint32]bool
	buffer []byte
}

// segmentID says which segment it is. The logs of all stores have the same generations.
type segmentID struct {
	uuid       string // of the bbolt file; of one from before there were any: empty
	generation uint64
}

const (
	segmentMark      = "SJRNLOG1"
	uuidLength       = 36
	segmentHeader    = len(segmentMark) + uuidLength + 8 + 4
	recordMark       = 0x534a5243
	recordHeader     = 12
	maxRecordPayload = math.MaxInt32
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// segmentPath is where the segment of a generation lies, beside the bbolt file.
func segmentPath(path string, generation uint64) string {
	return fmt.Sprintf("%s.log-%d", path, generation)
}

// segments lists the generations that have a segment beside a bbolt file, in order.
func segments(path string) (generations []uint64, err error) {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	prefix := filepath.Base(path) + ".log-"
	for _, e := range entries {
		if number, ok := strings.CutPrefix(e.Name(), prefix); ok {
			if n, err := strconv.ParseUint(number, 10, 64); err == nil {
				generations = append(generations, n)
			}
		}
	}
	slices.Sort(generations)
	return generations, nil
}

// header is what a segment begins with.
func (id segmentID) header() []byte {
	header := fmt.Appendf([]byte(segmentMark), "%-*.*s", uuidLength, uuidLength, id.uuid)
	header = binary.BigEndian.AppendUint64(header, id.generation)
	return binary.BigEndian.AppendUint32(header, crc32.Checksum(header, castagnoli))
}

// createSegment begins a segment. It and its name are on the disk when it returns.
func createSegment(path string, id segmentID) (s *segment, err error) {
	file, err := os.OpenFile(segmentPath(path, id.generation), os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, file.Close(), os.Remove(file.Name()))
		}
	}()
	if _, err := file.Write(id.header()); err != nil {
		return nil, err
	}
	if err := errors.Join(file.Sync(), durable.SyncDir(filepath.Dir(path))); err != nil {
		return nil, &syncError{err}
	}
	return &segment{segmentID: id, file: file, size: int64(segmentHeader), named: map[uint32]bool{}}, nil
}

// syncError is a failed fsync: what is on the disk is not known any more.
type syncError struct{ cause error }

func (e *syncError) Error() string   { return "sync: " + e.cause.Error() }
func (e *syncError) Unwrap() []error { return []error{ErrSync, e.cause} }

// begin empties the buffer for a record's payload.
func (s *segment) begin() { s.buffer = append(s.buffer[:0], make([]byte, recordHeader)...) }

// commit writes what was appended to the buffer as one record and brings it to the disk. If it could not be written and nothing of it is
// left, the error is ErrFull.
func (s *segment) commit() error {
	length := len(s.buffer) - recordHeader
	if length > maxRecordPayload {
		clear(s.named) // what this record would have said
		return fmt.Errorf("%w: a transaction of %d bytes", ErrTooLarge, length)
	}
	binary.BigEndian.PutUint32(s.buffer, recordMark)
	binary.BigEndian.PutUint32(s.buffer[4:], uint32(length))
	binary.BigEndian.PutUint32(s.buffer[8:], s.sum(s.size, s.buffer[recordHeader:]))
	if _, err := s.file.WriteAt(s.buffer, s.size); err != nil {
		clear(s.named) // what this record would have said
		if undo := s.file.Truncate(s.size); undo != nil || !errors.Is(err, syscall.ENOSPC) {
			return err
		}
		if undo := datasync(s.file); undo != nil { // or a crash might leave some of it behind the record that comes next
			return &syncError{undo}
		}
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	if err := datasync(s.file); err != nil {
		return &syncError{err}
	}
	s.size += int64(len(s.buffer))
	if cap(s.buffer) > maxKeptBuffer {
		s.buffer = nil
	}
	return nil
}

// maxKeptBuffer is how much room for a record is kept for the next.
const maxKeptBuffer = 4 << 20

// sum is the checksum of a record at a position. With that, uuid and generation in it, what another segment has there never passes for a
// record.
func (id segmentID) sum(at int64, payload []byte) uint32 {
	var place [16]byte
	binary.BigEndian.PutUint64(place[:], id.generation)
	binary.BigEndian.PutUint64(place[8:], uint64(at))
	sum := crc32.Checksum([]byte(id.uuid), castagnoli)
	return crc32.Update(crc32.Update(sum, castagnoli, place[:]), castagnoli, payload)
}

// readSegment calls do for the payload of every record of a segment, and returns where the last one ends, and the size of the file. What
// is behind the last one was never acknowledged; a damaged record before it is ErrDamaged, and a segment of another file ErrSwapped.
func readSegment(path string, id segmentID, do func(payload []byte) error) (end, size int64, err error) {
	name := segmentPath(path, id.generation)
	data, err := readFromDisk(name)
	if err != nil {
		return 0, 0, err
	}
	size = int64(len(data))
	if len(data) < segmentHeader {
		return 0, size, nil // its making was cut short
	}
	if !bytes.Equal(data[:segmentHeader], id.header()) {
		if other, ok := segmentOf(data); ok && other.uuid != id.uuid {
			return 0, size, fmt.Errorf("%w: %s is the log of one with the uuid %s, not %s", ErrSwapped, name, other.uuid, id.uuid)
		}
		if len(data) == segmentHeader {
			return 0, size, nil
		}
		return 0, size, fmt.Errorf("%w: %s does not begin as the log of generation %d", ErrDamaged, name, id.generation)
	}
	at := int64(segmentHeader)
	for {
		payload, ok := id.recordAt(data, at)
		if !ok {
			break
		}
		if err := do(payload); err != nil {
			return at, size, fmt.Errorf("%w: %s at byte %d: %w", ErrDamaged, name, at, err)
		}
		at += int64(recordHeader + len(payload))
	}
	for behind := at + 1; behind < size; behind++ {
		if _, ok := id.recordAt(data, behind); ok {
			return at, size, fmt.Errorf("%w: %s at byte %d: a record that others follow cannot be read", ErrDamaged, name, at)
		}
	}
	if !wasCutShort(data, at) {
		return at, size, fmt.Errorf("%w: %s at byte %d: neither a record nor the beginning of one", ErrDamaged, name, at)
	}
	return at, size, nil
}

// sector is what a disk writes whole or not at all.
const sector = 512

// wasCutShort says whether what is at a position of a segment, up to its end, may be one record that was being written when the machine or
// the program stopped: that up to anywhere, with zeros in place of any of its sectors.
func wasCutShort(data []byte, at int64) bool {
	header := data[at:min(at+recordHeader, int64(len(data)))]
	mark := binary.BigEndian.AppendUint32(nil, recordMark)
	for i, b := range header[:min(len(mark), len(header))] {
		if b != mark[i] && b != 0 {
			return false
		}
	}
	if len(header) < recordHeader || isZero(header[8:]) {
		return true // the length need not be whole
	}
	if first := sector - at%sector; first < recordHeader && (isZero(header[:first]) || isZero(header[first:])) {
		return true
	}
	// It says how long the record is, and what is behind that was written when the record was on the disk.
	return at+recordHeader+int64(binary.BigEndian.Uint32(header[4:])) >= int64(len(data))
}

func isZero(b []byte) bool { return len(bytes.Trim(b, "\x00")) == 0 }

// readFromDisk reads a file as the disk has it: after a failed sync the kernel may show what never got there.
func readFromDisk(name string) (data []byte, err error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := errors.Join(file.Sync(), forget(file)); err != nil {
		return nil, fmt.Errorf("%s %w: %w", name, ErrSync, err)
	}
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	data = make([]byte, info.Size()) // at once: a log may have a hundred megabytes, and the start of a program waits for it
	_, err = io.ReadFull(file, data)
	return data, err
}

// segmentOf returns which segment data begins, if it begins one.
func segmentOf(data []byte) (segmentID, bool) {
	id := segmentID{
		uuid:       string(bytes.TrimRight(data[len(segmentMark):][:uuidLength], " ")),
		generation: binary.BigEndian.Uint64(data[len(segmentMark)+uuidLength:]),
	}
	return id, bytes.Equal(data[:segmentHeader], id.header())
}

// recordAt returns the payload of the record at a position, if there is a whole one.
func (id segmentID) recordAt(data []byte, at int64) ([]byte, bool) {
	rest := data[at:]
	if len(rest) < recordHeader || binary.BigEndian.Uint32(rest) != recordMark {
		return nil, false
	}
	length := int64(binary.BigEndian.Uint32(rest[4:]))
	if int64(len(rest)-recordHeader) < length {
		return nil, false
	}
	payload := rest[recordHeader:][:length]
	return payload, id.sum(at, payload) == binary.BigEndian.Uint32(rest[8:])
}

// cutOff removes what is behind the last record of a segment.
func cutOff(path string, generation uint64, end int64) error {
	file, err := os.OpenFile(segmentPath(path, generation), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := errors.Join(file.Truncate(end), file.Sync()); err != nil {
		return errors.Join(&syncError{err}, file.Close())
	}
	return file.Close()
}

// removeSegments removes the segments of generations.
func removeSegments(path string, generations []uint64) (err error) {
	for _, g := range generations {
		err = errors.Join(err, os.Remove(segmentPath(path, g)))
	}
	return err
}

// Close closes the file.
func (s *segment) Close() error { return s.file.Close() }
