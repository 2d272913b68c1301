package backup

import (
	"io"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"

	"github.com/sojournhq/sojourn/standalone/internal/chunks"
)

// storing is how the files of a backup are stored.
type storing struct {
	dir      string // of the backup
	compress bool
	store    *chunks.Store // nil: each file whole
}

// stored is a file of a backup that is being written.
type stored interface {
	io.Writer
	// finish makes it durable, but for chunks, which are once their store is sealed. It returns its name and what it takes.
	finish() (name string, bytes int64, err error)
	// close releases what was taken for it.
	close() error
}

func (s storing) begin(name string) (stored, error) {
	ending := ""
	switch {
	case s.store != nil:
		ending = listed
	case s.compress:
		ending = packed
	}
	file, err := os.OpenFile(filepath.Join(s.dir, name+ending), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	if s.store != nil {
		w := s.store.NewWriter()
		return &chunked{w, file}, nil
	}
	w := &whole{Writer: file, file: file}
	if s.compress {
		// One thread: a backup has time, and what it runs beside does not.
		if w.packing, err = zstd.NewWriter(file, zstd.WithEncoderConcurrency(1)); err != nil {
			return w, err
		}
		w.Writer = w.packing
	}
	return w, nil
}

// whole is a file that is stored on its own.
type whole struct {
	io.Writer

	file    *os.File
	packing *zstd.Encoder // nil: not compressed
}

func (w *whole) finish() (string, int64, error) {
	if w.packing != nil {
		if err := w.packing.Close(); err != nil {
			return "", 0, err
		}
	}
	return synced(w.file)
}

func (w *whole) close() error { return w.file.Close() }

// chunked is a file whose chunks are in packs.
type chunked struct {
	*chunks.Writer

	file *os.File
}

func (l *chunked) finish() (string, int64, error) {
	if err := l.Close(); err != nil {
		return "", 0, err
	}
	if _, err := l.file.Write(l.List()); err != nil {
		return "", 0, err
	}
	name, bytes, err := synced(l.file)
	return name, bytes + l.Added(), err
}

func (l *chunked) close() error { return l.file.Close() }

// synced brings a file to the disk, and returns its name and size.
func synced(file *os.File) (string, int64, error) {
	if err := file.Sync(); err != nil {
		return "", 0, err
	}
	info, err := file.Stat()
	if err != nil {
		return "", 0, err
	}
	return info.Name(), info.Size(), nil
}
