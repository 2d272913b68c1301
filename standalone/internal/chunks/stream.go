package chunks

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"github.com/sojournhq/sojourn/internal/kit/regular"
)

// Writer stores a stream. Nothing of it is durable before the store is sealed.
type Writer struct {
	store *Store
	rest  []byte // less than a chunk
	sums  []Sum
	added int64
}

// NewWriter returns a writer of one stream. Many may write at once.
func (s *Store) NewWriter() *Writer { return &Writer{store: s} }

// Write implements io.Writer.
func (w *Writer) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		take := min(len(p), chunkBytes-len(w.rest))
		w.rest, p = append(w.rest, p[:take]...), p[take:]
		if len(w.rest) == chunkBytes {
			if err := w.flush(); err != nil {
				return 0, err
			}
		}
	}
	return n, nil
}

// Close stores the end of the stream.
func (w *Writer) Close() error {
	if len(w.rest) == 0 {
		return nil
	}
	return w.flush()
}

func (w *Writer) flush() error {
	sum := Sum(sha256.Sum256(w.rest))
	added, err := w.store.put(sum, w.rest)
	w.sums, w.added, w.rest = append(w.sums, sum), w.added+added, w.rest[:0]
	return err
}

// Added returns how many bytes the stream took that were not there.
func (w *Writer) Added() int64 { return w.added }

// List returns the list of the stream: what it takes to read it again. It ends in a SHA-256 of itself.
func (w *Writer) List() []byte {
	list := []byte(listMark)
	for _, sum := range w.sums {
		list = append(list, sum[:]...)
	}
	sum := sha256.Sum256(list)
	return append(list, sum[:]...)
}

const listMark = "SJRNLST1"

// readList returns the chunks of a stream.
func readList(path string) ([]Sum, error) {
	file, err := regular.Open(path)
	if err != nil {
		return nil, err
	}
	list, err := io.ReadAll(file)
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, err
	}
	sums, ok := parseList(list)
	if !ok {
		return nil, fmt.Errorf("%w: %s is no list of chunks", ErrDamaged, path)
	}
	return sums, nil
}

func parseList(list []byte) (sums []Sum, ok bool) {
	body := len(list) - sha256.Size
	if body < len(listMark) || (body-len(listMark))%sha256.Size != 0 || string(list[:len(listMark)]) != listMark {
		return nil, false
	}
	if sum := sha256.Sum256(list[:body]); !bytes.Equal(sum[:], list[body:]) {
		return nil, false
	}
	for at := len(listMark); at < body; at += sha256.Size {
		sums = append(sums, Sum(list[at:]))
	}
	return sums, true
}

// put stores a chunk if it is not there, and returns how many bytes that took.
func (s *Store) put(sum Sum, chunk []byte) (int64, error) {
	s.mutex.Lock()
	_, known := s.known[sum]
	if !known {
		s.known[sum] = place{plain: uint32(len(chunk))} // so that no other stream stores it too
	}
	s.mutex.Unlock()
	if known {
		return 0, nil
	}
	stored := chunk
	if s.compress {
		if packed := s.pack.EncodeAll(chunk, nil); len(packed) < len(chunk) {
			stored = packed
		}
	}
	return int64(len(stored) + entryBytes), s.append(sum, stored, len(chunk))
}

func (s *Store) append(sum Sum, stored []byte, plain int) (err error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.writing == nil {
		if s.writing, err = begin(s.dir); err != nil {
			return err
		}
	}
	if err := s.writing.add(sum, stored, plain); err != nil || s.writing.bytes < maxPack {
		return err
	}
	return s.seal()
}

// Seal makes what was stored durable.
func (s *Store) Seal() error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.seal()
}

func (s *Store) seal() error {
	if s.writing == nil {
		return nil
	}
	name, err := s.writing.seal()
	s.writing, s.made = nil, append(s.made, name)
	return err
}

// NewReader returns a reader of the stream with the list in a file. What is damaged is ErrDamaged.
func (s *Store) NewReader(list string) (io.Reader, error) {
	sums, err := readList(list)
	if err != nil {
		return nil, err
	}
	return &reader{store: s, sums: sums}, nil
}

type reader struct {
	store *Store
	sums  []Sum
	rest  []byte
}

func (r *reader) Read(p []byte) (n int, err error) {
	if len(r.rest) == 0 {
		if len(r.sums) == 0 {
			return 0, io.EOF
		}
		if r.rest, err = r.store.read(r.sums[0]); err != nil {
			return 0, err
		}
		r.sums = r.sums[1:]
	}
	n = copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}
