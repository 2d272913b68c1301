// Package chunks keeps streams of bytes in a directory in such a way that what many of them have in common is there once.
//
// A stream is cut every 16 KiB. Pages of a data file stay where they are, so what did not change between two copies of it makes the same
// chunks. A chunk is known by its SHA-256 and lies in one of a few files, packs, that are never changed once they have their names. Of a
// stream only the hashes are kept elsewhere, in order: its list. Whoever writes has the directory for itself.
package chunks

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/klauspost/compress/zstd"

	"github.com/sojournhq/sojourn/internal/kit/regular"
)

var (
	// ErrBusy is returned when another process has the directory.
	ErrBusy = errors.New("another backup is being taken, restored or checked there")
	// ErrDamaged says that a pack or a list is not what was written. Its text names the file.
	ErrDamaged = errors.New("the backup is damaged")
)

const (
	// chunkBytes is how long a chunk is, but for the last one of a stream.
	chunkBytes = 16 << 10
	lockFile   = "lock"
	partial    = ".partial-"
)

// Sum is the SHA-256 of a chunk.
type Sum [sha256.Size]byte

// Store is a directory of packs. It is for many goroutines.
type Store struct {
	dir      string
	compress bool
	lock     *os.File
	pack     *zstd.Encoder
	unpack   *zstd.Decoder

	mutex   sync.Mutex
	packs   []*pack
	damaged []error  // why packs cannot be used
	broken  []string // those packs
	known   map[Sum]place
	writing *writing // nil: no pack is begun
	made    []string // packs that got their names
}

// place is where a chunk lies. One that is in the pack being written has no pack yet.
type place struct {
	pack          *pack
	at            int64
	stored, plain uint32
}

// Open opens a directory for writing, makes it if need be, and removes what a crash left. The caller closes it. ErrBusy: another has it.
func Open(dir string, compress bool) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	file, err := openLock(filepath.Join(dir, lockFile))
	if err != nil {
		return nil, err
	}
	s, err := opened(dir, file, true)
	if err != nil {
		return nil, err
	}
	s.compress = compress
	if err := s.removeLeft(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// openLock opens the file that is locked, and makes it if need be.
func openLock(path string) (*os.File, error) {
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s %w", path, regular.ErrNotRegular)
	}
	return os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
}

// removeLeft removes packs that never got a name.
func (s *Store) removeLeft() error {
	entries, err := os.ReadDir(s.dir)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), partial) {
			err = errors.Join(err, os.Remove(filepath.Join(s.dir, e.Name())))
		}
	}
	return err
}

// OpenToRead opens a directory that is there. Many may read at once.
func OpenToRead(dir string) (*Store, error) {
	file, err := regular.Open(filepath.Join(dir, lockFile))
	if errors.Is(err, fs.ErrNotExist) { // a copy of one, that nobody writes to
		file, err = nil, nil
	}
	if err != nil {
		return nil, err
	}
	return opened(dir, file, false)
}

func opened(dir string, file *os.File, exclusive bool) (*Store, error) {
	s := &Store{dir: dir, lock: file, known: map[Sum]place{}}
	var err error
	if file != nil {
		err = lock(file, exclusive)
	}
	if err == nil {
		s.pack, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	}
	if err == nil {
		s.unpack, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(1<<20))
	}
	if err == nil {
		err = s.readPacks()
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// readPacks takes in which chunks there are. A pack that cannot be used is as if it were not there: what it has is stored again.
func (s *Store) readPacks() error {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), packSuffix) || strings.HasPrefix(e.Name(), partial) {
			continue
		}
		p, err := openPack(filepath.Join(s.dir, e.Name()))
		if errors.Is(err, ErrDamaged) {
			s.damaged, s.broken = append(s.damaged, err), append(s.broken, filepath.Join(s.dir, e.Name()))
			continue
		}
		if err != nil {
			return err
		}
		s.packs = append(s.packs, p)
		for _, e := range p.entries {
			s.known[e.sum] = e.place
		}
	}
	return nil
}

// Damaged returns, for each pack that cannot be used, why.
func (s *Store) Damaged() error { return errors.Join(s.damaged...) }

// Close closes the directory and forgets a pack that was not sealed.
func (s *Store) Close() (err error) {
	if s.writing != nil {
		err = s.writing.abandon()
	}
	for _, p := range s.packs {
		err = errors.Join(err, p.file.Close())
	}
	if s.lock != nil {
		err = errors.Join(err, s.lock.Close())
	}
	if s.pack != nil {
		err = errors.Join(err, s.pack.Close())
	}
	if s.unpack != nil {
		s.unpack.Close()
	}
	return err
}

// read returns a chunk.
func (s *Store) read(sum Sum) ([]byte, error) {
	at, ok := s.known[sum]
	if !ok || at.pack == nil {
		cause := errors.Join(append([]error{ErrDamaged}, s.damaged...)...)
		return nil, fmt.Errorf("%w: a chunk is in none of the packs of %s", cause, s.dir)
	}
	stored, err := at.load()
	if err != nil {
		return nil, err
	}
	return s.plain(sum, at, stored)
}

// plain returns the chunk that a pack holds, if it is the one that it should be.
func (s *Store) plain(sum Sum, at place, stored []byte) (plain []byte, err error) {
	if plain = stored; at.stored != at.plain {
		if plain, err = s.unpack.DecodeAll(stored, nil); err != nil {
			return nil, fmt.Errorf("%w: %s at byte %d: %w", ErrDamaged, at.pack.file.Name(), at.at, err)
		}
	}
	if got := Sum(sha256.Sum256(plain)); !bytes.Equal(got[:], sum[:]) {
		return nil, fmt.Errorf("%w: %s at byte %d: a chunk is not what was stored", ErrDamaged, at.pack.file.Name(), at.at)
	}
	return plain, nil
}

// Check reads every chunk, and tells found of each that is damaged.
func (s *Store) Check(found func(error)) {
	for _, err := range s.damaged {
		found(err)
	}
	for _, p := range s.packs {
		for _, e := range p.entries {
			stored, err := e.load()
			if err == nil {
				_, err = s.plain(e.sum, e.place, stored)
			}
			if err != nil {
				found(err)
			}
		}
	}
}
