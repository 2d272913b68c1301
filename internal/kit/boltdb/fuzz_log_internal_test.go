package boltdb

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/sojournhq/sojourn/internal/kit/boltdb/internal/rows"
)

// segmentLeft returns the segment that a store leaves to whoever kills it, with records of every kind of entry.
func segmentLeft(f *testing.F) []byte {
	f.Helper()
	path := filepath.Join(f.TempDir(), "x.db")
	db, err := Open(Options{Path: path, Kind: "test", Format: 1})
	if err != nil {
		f.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for i := range 3 {
		err := db.Update(f.Context(), func(tx *Tx) error {
			outer, err := tx.CreateBucketIfNotExists([]byte("b"))
			if err != nil {
				return err
			}
			inner, err := outer.CreateBucketIfNotExists([]byte("inner"))
			if err != nil {
				return err
			}
			_, err = inner.NextSequence()
			return errors.Join(err, inner.Put(rowKey(i), bytes.Repeat([]byte{byte(i)}, 300*i)), inner.Delete(rowKey(i-1)), outer.Put(rowKey(i), nil))
		})
		if err != nil {
			f.Fatal(err)
		}
	}
	left, err := os.ReadFile(segmentPath(path, 1))
	if err != nil {
		f.Fatal(err)
	}
	return left
}

// segmentTo returns a segment of two records, of which the last one begins at a position.
func segmentTo(f *testing.F, at int) []byte {
	f.Helper()
	path := filepath.Join(f.TempDir(), "x.db")
	s, err := createSegment(path, segmentID{"of nothing", 1})
	if err != nil {
		f.Fatal(err)
	}
	for _, length := range []int{at - segmentHeader - recordHeader, sector} {
		s.begin()
		s.buffer = append(s.buffer, bytes.Repeat([]byte{entryGoesOn}, length)...)
		err = errors.Join(err, s.commit())
	}
	data, errRead := os.ReadFile(segmentPath(path, 1))
	if err := errors.Join(err, errRead, s.Close()); err != nil {
		f.Fatal(err)
	}
	return data
}

// segmentFile is where a fuzz target has a segment read from.
type segmentFile struct {
	segmentID

	t    *testing.T
	path string
}

// segmentRead is what reading one came to: the records, where each of them begins, and where the last one ends.
type segmentRead struct {
	payloads [][]byte
	starts   []int64
	end      int64
	err      error
}

func (s segmentFile) read(data []byte) (r segmentRead) {
	s.t.Helper()
	if err := os.WriteFile(segmentPath(s.path, s.generation), data, 0o600); err != nil {
		s.t.Fatal(err)
	}
	var size int64
	at := int64(segmentHeader)
	r.end, size, r.err = readSegment(s.path, s.segmentID, func(payload []byte) error {
		r.payloads, r.starts = append(r.payloads, bytes.Clone(payload)), append(r.starts, at)
		at += int64(recordHeader + len(payload))
		return nil
	})
	if r.err != nil && !errors.Is(r.err, ErrDamaged) && !errors.Is(r.err, ErrSwapped) {
		s.t.Errorf("neither read nor refused: %v", r.err)
	}
	if size != int64(len(data)) || r.end > size || len(r.payloads) > 0 && r.end != at {
		s.t.Errorf("read up to byte %d of %d, and records up to %d of %d", r.end, size, at, len(data))
	}
	return r
}

func samePayloads(a, b [][]byte) bool { return slices.EqualFunc(a, b, bytes.Equal) }

// FuzzSegment reads any bytes as a segment of the log, and what a crash may leave of one: what is behind whole records never changes them,
// and a last record of which only some has reached the disk is dropped, and is no damage.
func FuzzSegment(f *testing.F) {
	left := segmentLeft(f)
	f.Add(left, uint16(20), uint64(1), []byte("SJRC"))
	f.Add(left[:len(left)-1], uint16(0), uint64(2), []byte{})
	f.Add(left[:segmentHeader], uint16(9), uint64(0), []byte{0})
	for _, over := range []int{1, 5, 11} { // bytes of the last record's header, beyond which there is another sector
		f.Add(segmentTo(f, 2*sector-over), uint16(40), uint64(1), []byte{})
	}
	f.Add([]byte(segmentMark), uint16(0), uint64(0), []byte{})
	f.Fuzz(func(t *testing.T, data []byte, cut uint16, lost uint64, tail []byte) {
		s := segmentFile{t: t, path: filepath.Join(t.TempDir(), "x.db"), segmentID: segmentID{generation: 1}}
		known := false
		if len(data) >= segmentHeader {
			if id, ok := segmentOf(data); ok {
				s.segmentID, known = id, true
			}
		}
		got := s.read(data)
		if known {
			other := s
			other.uuid = "of another file"
			if r := other.read(data); s.uuid != other.uuid && !errors.Is(r.err, ErrSwapped) {
				t.Errorf("the segment of another file: %v", r.err)
			}
		}
		if len(got.payloads) == 0 {
			return
		}
		whole := data[:got.end:got.end]
		if r := s.read(append(whole, tail...)); len(r.payloads) < len(got.payloads) || !samePayloads(r.payloads[:len(got.payloads)], got.payloads) {
			t.Errorf("%d records, and %d with something behind them: %v", len(got.payloads), len(r.payloads), r.err)
		}
		last := got.starts[len(got.starts)-1]
		for _, torn := range torn(whole, last, int64(cut), lost) {
			r := s.read(torn)
			if r.err != nil || r.end != last || !samePayloads(r.payloads, got.payloads[:len(got.payloads)-1]) {
				t.Errorf("of the last record, %d to %d, is left %x: read %d of %d records up to %d, %v",
					last, got.end, torn[last:], len(r.payloads), len(got.payloads), r.end, r.err)
			}
		}
	})
}

// torn returns what a crash may leave of a segment while its last record is being written: that up to somewhere, with or without zeros behind,
// and without the sectors that have a bit in lost.
func torn(whole []byte, last, cut int64, lost uint64) (all [][]byte) {
	cut = last + cut%(int64(len(whole))-last)
	holes := bytes.Clone(whole)
	for i := last; i < int64(len(whole)); i++ {
		if lost>>((i/sector-last/sector)%64)&1 == 1 {
			holes[i] = 0
		}
	}
	for _, left := range [][]byte{whole, holes} {
		zeros := append(bytes.Clone(left[:cut]), make([]byte, int64(len(whole))-cut)...)
		all = append(all, left[:cut], zeros, left)
	}
	return slices.DeleteFunc(all, func(left []byte) bool { return bytes.Equal(left, whole) })
}

// FuzzRecord reads any bytes as what a transaction changed: if they can be read, they can be written, and read the same again.
func FuzzRecord(f *testing.F) {
	all := allRecords(f)
	f.Add(all)
	f.Add(all[:len(all)-1])
	f.Add([]byte{entryGoesOn, entryBucket, 1, 0, 1, 'b', entryPut, 1, 1, 'k', 0, entryDelete, 1, 1, 'l'})
	f.Add([]byte{entryPut, 9, 0, 0})
	f.Add([]byte{entryBucket, 1, 0, 9, 'b'})
	f.Fuzz(func(t *testing.T, payload []byte) {
		r := &replay{buckets: newBuckets(), into: &generation{rows: rows.New()}}
		r.segment()
		if err := r.record(payload); err != nil {
			if !errors.Is(err, errEntry) {
				t.Errorf("read: %v", err)
			}
			return
		}
		changed, want := walked(r.into.rows)
		written := segment{named: map[uint32]bool{}}
		written.appendChanges(r.buckets, changed)
		again := &replay{buckets: r.buckets, into: &generation{rows: rows.New()}}
		again.segment()
		if err := again.record(written.buffer); err != nil {
			t.Fatalf("what was written, %x: %v", written.buffer, err)
		}
		if _, got := walked(again.into.rows); got != want {
			t.Errorf("got\n%s, want\n%s", got, want)
		}
	})
}

// allRecords returns what the transactions of a store changed, as if they had been one.
func allRecords(f *testing.F) (all []byte) {
	f.Helper()
	left := segmentLeft(f)
	id, _ := segmentOf(left)
	for at := int64(segmentHeader); at < int64(len(left)); {
		payload, ok := id.recordAt(left, at)
		if !ok {
			f.Fatalf("there is no record at byte %d", at)
		}
		all = append(all, payload...)
		at += int64(recordHeader + len(payload))
	}
	r := &replay{buckets: newBuckets(), into: &generation{rows: rows.New()}}
	r.segment()
	if err := r.record(all); err != nil || r.into.rows.Len() == 0 {
		f.Fatalf("read %d rows, %v", r.into.rows.Len(), err)
	}
	return all
}

// walked returns the rows of a level, and a text that says all that there is to them.
func walked(level *rows.Level) (all []rows.Row, text string) {
	var b strings.Builder
	w := level.Walk()
	for r, ok := w.Row(); ok; r, ok = w.Row() {
		w.Next()
		all = append(all, r)
		_, _ = fmt.Fprintf(&b, "%d %q %q %v\n", r.Place(), r.Key(), r.Value(), r.Value() == nil)
	}
	return all, b.String()
}
