package chunks

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/sojournhq/sojourn/internal/kit/durable"
	"github.com/sojournhq/sojourn/internal/kit/regular"
)

// A pack holds chunks, and behind them a table of them and a trailer. Numbers are big-endian.
//
//	mark (8 bytes), chunks one behind the other
//	table, for each chunk: SHA-256, length as stored (4 bytes), its own length (4 bytes); where they differ, zstd made one of the other
//	number of chunks (4 bytes), SHA-256 of table and number, mark
const (
	packMark     = "SJRNPCK1"
	packSuffix   = ".pack"
	entryBytes   = sha256.Size + 8
	trailerBytes = 4 + sha256.Size + len(packMark)
	// maxPack is how long a pack becomes, about.
	maxPack = 64 << 20
)

// pack is a pack that can be read.
type pack struct {
	file    *os.File
	entries []entry
}

type entry struct {
	place

	sum Sum
}

func openPack(path string) (*pack, error) {
	file, err := regular.Open(path)
	if err != nil {
		return nil, err
	}
	p := &pack{file: file}
	if err := p.readTable(); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return p, nil
}

func (p *pack) readTable() error {
	info, err := p.file.Stat()
	if err != nil {
		return err
	}
	damaged := fmt.Errorf("%w: %s has no table of its chunks", ErrDamaged, p.file.Name())
	size, trailer := info.Size(), make([]byte, trailerBytes)
	if size < int64(len(packMark)+trailerBytes) {
		return damaged
	}
	if _, err := p.file.ReadAt(trailer, size-int64(trailerBytes)); err != nil {
		return err
	}
	length := int64(binary.BigEndian.Uint32(trailer)) * entryBytes
	ends := size - int64(trailerBytes) - length
	if string(trailer[4+sha256.Size:]) != packMark || ends < int64(len(packMark)) {
		return damaged
	}
	table := make([]byte, length)
	if _, err := p.file.ReadAt(table, ends); err != nil {
		return err
	}
	if sum := tableSum(table, trailer[:4]); !bytes.Equal(sum[:], trailer[4:][:sha256.Size]) {
		return damaged
	}
	p.entries = make([]entry, 0, length/entryBytes)
	at := int64(len(packMark))
	for ; len(table) > 0; table = table[entryBytes:] {
		e := entry{place{p, at, binary.BigEndian.Uint32(table[sha256.Size:]), binary.BigEndian.Uint32(table[sha256.Size+4:])}, Sum(table)}
		if e.plain > chunkBytes || e.stored > e.plain {
			return damaged
		}
		p.entries = append(p.entries, e)
		at += int64(e.stored)
	}
	if at != ends {
		return damaged
	}
	return nil
}

func tableSum(table, number []byte) Sum {
	return sha256.Sum256(append(bytes.Clone(table), number...))
}

// load returns a chunk as it is stored.
func (at place) load() ([]byte, error) {
	stored := make([]byte, at.stored)
	if _, err := at.pack.file.ReadAt(stored, at.at); err != nil {
		return nil, fmt.Errorf("%w: %s at byte %d: %w", ErrDamaged, at.pack.file.Name(), at.at, err)
	}
	return stored, nil
}

// writing is a pack that has no name yet.
type writing struct {
	file  *os.File
	to    *bufio.Writer
	bytes int64
	count uint32
	table []byte
}

func begin(dir string) (*writing, error) {
	file, err := os.CreateTemp(dir, partial+"*")
	if err != nil {
		return nil, err
	}
	w := &writing{file: file, to: bufio.NewWriterSize(file, 1<<20)}
	if _, err := w.to.WriteString(packMark); err != nil {
		return nil, errors.Join(err, w.abandon())
	}
	return w, nil
}

func (w *writing) add(sum Sum, stored []byte, plain int) error {
	if _, err := w.to.Write(stored); err != nil {
		return err
	}
	w.bytes, w.count = w.bytes+int64(len(stored)), w.count+1
	w.table = binary.BigEndian.AppendUint32(append(w.table, sum[:]...), uint32(len(stored)))
	w.table = binary.BigEndian.AppendUint32(w.table, uint32(plain))
	return nil
}

// seal brings the pack to the disk and gives it its name, which it returns.
func (w *writing) seal() (string, error) {
	number := binary.BigEndian.AppendUint32(nil, w.count)
	sum := tableSum(w.table, number)
	for _, part := range [][]byte{w.table, number, sum[:], []byte(packMark)} {
		if _, err := w.to.Write(part); err != nil {
			return "", errors.Join(err, w.abandon())
		}
	}
	if err := errors.Join(w.to.Flush(), w.file.Sync()); err != nil {
		return "", errors.Join(err, w.abandon())
	}
	dir := filepath.Dir(w.file.Name())
	name := hex.EncodeToString(sum[:16]) + packSuffix
	return name, errors.Join(w.file.Close(), os.Rename(w.file.Name(), filepath.Join(dir, name)), durable.SyncDir(dir))
}

func (w *writing) abandon() error { return errors.Join(w.file.Close(), os.Remove(w.file.Name())) }
