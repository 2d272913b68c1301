package embedded

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

var testSegment = segmentID{store: storeID{1, 2, 3}, number: 7}

// frames returns a segment with frames of rows, whose last values are the bases of the next.
func frames(values [][]byte) (data []byte, ends []int64) {
	data = testSegment.header()
	var base *row
	for n, value := range values {
		r := &row{table: 1, key: []byte("key"), value: value}
		other := &row{table: 0, key: fmt.Appendf(nil, "%d", n)}
		data = testSegment.appendFrame(data, []change{{row: r, base: base}, {row: other}}, int64(len(data)), n == len(values)-1)
		ends = append(ends, int64(len(data)))
		base = r
	}
	return data, ends
}

// TestFramesAreReadAsTheyWereWritten writes values of which some have sectors of one byte, and parts in common, and reads them.
func TestFramesAreReadAsTheyWereWritten(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var values [][]byte
		for range rapid.IntRange(1, 6).Draw(rt, "frames") {
			values = append(values, slicesOf(rt))
		}
		data, ends := frames(values)
		into := newLayer()
		end, last, err := testSegment.readSegment(data, 0, replay{into}.change)
		if err != nil || !last || end != int64(len(data)) {
			rt.Fatalf("read up to %d of %d, last %v: %v", end, len(data), last, err)
		}
		r, _ := into.Get(&row{table: 1, key: []byte("key")})
		if want := values[len(values)-1]; !bytes.Equal(r.value, want) {
			rt.Fatalf("the row is %q, want %q", r.value, want)
		}
		for n, end := range ends {
			start := int64(headerBytes)
			if n > 0 {
				start = ends[n-1]
			}
			if hasUnwritten(data[start:end], start) {
				rt.Fatalf("a sector of the frame from %d to %d is all zero", start, end)
			}
		}
	})
}

// slicesOf returns a value that is made of long runs of bytes.
func slicesOf(rt *rapid.T) (value []byte) {
	for range rapid.IntRange(0, 3).Draw(rt, "runs") {
		b := rapid.SampledFrom([]byte{0, 0, 1, 2, 'x', 0xFF}).Draw(rt, "byte")
		value = append(value, bytes.Repeat([]byte{b}, rapid.IntRange(0, 2000).Draw(rt, "length"))...)
	}
	return append(value, rapid.SliceOfN(rapid.Byte(), 0, 30).Draw(rt, "end")...)
}

// FuzzSegment reads segments that are anything: what is read is what was written, or an error that is told apart, and nothing panics.
func FuzzSegment(f *testing.F) {
	whole, _ := frames([][]byte{[]byte("first"), bytes.Repeat([]byte("patched "), 10), append(bytes.Repeat([]byte("patched "), 10), 'x'), make([]byte, 1200)})
	f.Add(whole, int64(0))
	f.Add(whole[:len(whole)-700], int64(0))
	f.Add(whole[:headerBytes], int64(headerBytes))
	f.Add(whole, int64(1<<40))
	f.Add([]byte{}, int64(0))
	f.Fuzz(func(t *testing.T, data []byte, from int64) {
		if from < 0 {
			return
		}
		into := newLayer()
		end, _, err := testSegment.readSegment(data, from, replay{into}.change)
		if err != nil && !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrSwapped) {
			t.Errorf("an error that nobody expects: %v", err)
		}
		if err == nil && (end < int64(headerBytes) || end > int64(len(data))) {
			t.Errorf("it ends at %d of %d", end, len(data))
		}
	})
}

// FuzzPayload reads payloads that are anything, as those whose checksums are right might be, should there be a bug.
func FuzzPayload(f *testing.F) {
	base := &row{table: 1, key: []byte("k"), value: bytes.Repeat([]byte("v"), 40)}
	payload := appendChange(nil, change{row: base})
	payload = appendChange(payload, change{row: &row{table: 1, key: []byte("k"), value: append(bytes.Repeat([]byte("v"), 40), 'x')}, base: base})
	f.Add(appendChange(payload, change{row: &row{table: 2, key: []byte("k")}}))
	f.Add(append(payload, kindPatch, 1, 1, 'k', 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 8, 1, 2, 3, 4, 5, 6, 7, 8))
	f.Fuzz(func(t *testing.T, payload []byte) {
		into := newLayer()
		if err := readChanges(payload, replay{into}.change); err != nil && !errors.Is(err, errChange) {
			t.Errorf("an error that nobody expects: %v", err)
		}
	})
}

// TestTheBytesOfASegmentAreThoseOfTheFirstVersion keeps the format from changing unnoticed.
func TestTheBytesOfASegmentAreThoseOfTheFirstVersion(t *testing.T) {
	data, _ := frames([][]byte{[]byte("first"), bytes.Repeat([]byte("patched "), 10), append(bytes.Repeat([]byte("patched "), 10), 'x'), make([]byte, 1200)})
	name := filepath.Join("testdata", "segment")
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(data, want) {
		t.Error("a segment has other bytes than before: raise the number in its mark, and read the old ones, or refuse them")
	}
	if strings.Count(string(data), frameMark) != 4 {
		t.Error("it has not four frames")
	}
}
