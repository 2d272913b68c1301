package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"

	"github.com/sojournhq/sojourn/internal/kit/regular"
	"github.com/sojournhq/sojourn/standalone/internal/chunks"
)

// reading is a file of a backup, as it was before it was stored.
type reading struct {
	io.Reader

	close func() error
}

func (r reading) Close() error { return r.close() }

// open opens a file of the backup in a directory.
func open(from, name string) (io.ReadCloser, error) {
	path := filepath.Join(from, name)
	if filepath.Ext(name) == listed {
		return openList(path)
	}
	file, err := regular.Open(path)
	if err != nil {
		return nil, err
	}
	if filepath.Ext(name) != packed {
		return file, nil
	}
	unpacked, err := zstd.NewReader(file)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return reading{unpacked, func() error { unpacked.Close(); return file.Close() }}, nil
}

// openList opens a file whose chunks are in the packs beside the backup.
func openList(path string) (io.ReadCloser, error) {
	whole, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	store, err := chunks.OpenToRead(filepath.Join(filepath.Dir(filepath.Dir(whole)), packsDir))
	if err != nil {
		return nil, err
	}
	in, err := store.NewReader(path)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return reading{in, store.Close}, nil
}

// Check reads all that is in the backup that a directory is, or in those that it holds, and tells found of what is damaged. It returns how
// many it read. Nothing is changed.
func Check(ctx context.Context, dir string, found func(error)) (int, error) {
	if _, err := os.Lstat(filepath.Join(dir, manifestFile)); err == nil {
		return 1, check(ctx, dir, found)
	}
	names, err := list(dir)
	if err != nil {
		return 0, err
	}
	if len(names) == 0 {
		return 0, fmt.Errorf("%w in %s", ErrNone, dir)
	}
	for _, name := range names {
		if err := check(ctx, filepath.Join(dir, name), found); err != nil {
			return 0, err
		}
	}
	return len(names), nil
}

// check reads one backup. The error is that of ctx.
func check(ctx context.Context, dir string, found func(error)) error {
	m, err := read(dir)
	if err != nil {
		found(err)
	}
	for _, f := range m.Files {
		in, err := open(dir, f.Stored)
		if err == nil {
			err = errors.Join(copyChecked(ctx, io.Discard, in, f), in.Close())
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			found(fmt.Errorf("%s: %w", filepath.Join(dir, f.Name), err))
		}
	}
	return nil
}
