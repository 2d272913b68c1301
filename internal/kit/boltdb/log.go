package boltdb

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/sojournhq/sojourn/internal/kit/boltdb/internal/rows"
)

// The payload of a record is what a transaction changed, one entry after another, or that the log goes on in the next segment.
const (
	entryPut      = 1 // bucket, key, value
	entryDelete   = 2 // bucket, key
	entryBucket   = 3 // bucket, the number of the one it is in, name: what a number stands for, before it is first used in a segment
	entrySequence = 4 // bucket, number
	entryMake     = 5 // bucket, name: a bucket in it
	entryGoesOn   = 6 // nothing: the next generation has a segment
)

// appendChanges appends a transaction's changes to the record that is being built.
func (s *segment) appendChanges(known *buckets, changed []rows.Row) {
	for _, c := range changed {
		bucket, what := parsePlace(c.Place())
		s.define(known, bucket)
		switch {
		case what == isBucket:
			s.entry(entryMake, bucket)
			s.text(c.Key())
		case what == isSequence:
			s.entry(entrySequence, bucket)
			s.buffer = append(s.buffer, c.Value()...)
		case c.Value() == nil:
			s.entry(entryDelete, bucket)
			s.text(c.Key())
		default:
			s.entry(entryPut, bucket)
			s.text(c.Key())
			s.text(c.Value())
		}
	}
}

// define says what the number of a bucket stands for, unless this segment has said so.
func (s *segment) define(known *buckets, bucket uint32) {
	if bucket == 0 || s.named[bucket] {
		return
	}
	name := known.name(bucket)
	s.define(known, name.parent)
	s.entry(entryBucket, bucket)
	s.buffer = binary.AppendUvarint(s.buffer, uint64(name.parent))
	s.text([]byte(name.name))
	s.named[bucket] = true
}

func (s *segment) entry(kind byte, bucket uint32) {
	s.buffer = binary.AppendUvarint(append(s.buffer, kind), uint64(bucket))
}

func (s *segment) text(t []byte) {
	s.buffer = append(binary.AppendUvarint(s.buffer, uint64(len(t))), t...)
}

// goesOnSize is how long the record is that goesOn writes.
const goesOnSize = recordHeader + 1

// goesOn writes that the next generation has a segment, so that one that is missing is missed.
func (s *segment) goesOn() error {
	s.begin()
	s.buffer = append(s.buffer, entryGoesOn)
	return s.commit()
}

// replay is the reading of the log into rows.
type replay struct {
	buckets *buckets
	into    *generation
	numbers map[uint32]uint32 // of buckets, as the segment has them
	goesOn  bool              // the segment said that another one follows
}

var errEntry = errors.New("an entry that cannot be read")

// segment forgets what was said of the segment before.
func (r *replay) segment() { r.numbers, r.goesOn = map[uint32]uint32{0: 0}, false }

// record enters what one transaction changed.
func (r *replay) record(payload []byte) error {
	for len(payload) > 0 {
		if payload[0] == entryGoesOn {
			r.goesOn, payload = true, payload[1:]
			continue
		}
		e := entryReader{rest: payload[1:]}
		if err := r.entry(payload[0], &e); err != nil {
			return err
		}
		payload = e.rest
	}
	return nil
}

func (r *replay) entry(kind byte, e *entryReader) error {
	number := uint32(e.number())
	if kind == entryBucket {
		parent, known := r.numbers[uint32(e.number())]
		name := e.text()
		if e.failed || !known {
			return errEntry
		}
		r.numbers[number] = r.buckets.number(parent, string(name))
		return nil
	}
	bucket, known := r.numbers[number]
	var what byte
	var key, value []byte
	switch kind {
	case entryPut:
		key, value = e.text(), e.text()
	case entryDelete:
		key = e.text()
	case entryMake:
		what, key = isBucket, e.text()
	case entrySequence:
		what, value = isSequence, e.bytes(8)
	default:
		return fmt.Errorf("%w: of kind %d", errEntry, kind)
	}
	if e.failed || !known {
		return errEntry
	}
	if value == nil && kind != entryDelete {
		value = []byte{} // of a bucket that is made; nil would be that there is none
	}
	place := placeOf(bucket, what)
	r.into.rows.Set(rows.Hash(place, key), place, key, value)
	return nil
}

// entryReader reads the parts of an entry.
type entryReader struct {
	rest   []byte
	failed bool
}

func (e *entryReader) number() uint64 {
	n, size := binary.Uvarint(e.rest)
	if size <= 0 {
		e.failed = true
		return 0
	}
	e.rest = e.rest[size:]
	return n
}

func (e *entryReader) text() []byte { return e.bytes(e.number()) }

func (e *entryReader) bytes(n uint64) []byte {
	if e.failed || n > uint64(len(e.rest)) {
		e.failed = true
		return nil
	}
	out := e.rest[:n:n]
	e.rest = e.rest[n:]
	return out
}
