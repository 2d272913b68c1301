// Package backup copies the data files of the three services into a directory, as a set that can be restored from, and restores them.
//
// Events and sessions are copied as of a moment before identity. Identity is asked first about every call, so that what the two hold
// identity's copy knows too; and what identity knows and they lack they take when the call is sent again. The other way round, identity
// would give such a call a time once more, which may be another than the one it is stored under elsewhere, and it would count twice.
package backup

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/durable"
	"github.com/sojournhq/sojourn/standalone/internal/chunks"
)

// Source is where a data file is copied from.
type Source struct {
	// Name is that of the data file.
	Name string
	// Copy calls begun when the moment of the copy has come, and writes the file as it was then. Where it is known, it returns the SHA-256
	// of what was meant to be written.
	Copy func(ctx context.Context, begun func(boltdb.Snapshot) error, to io.Writer) (sum []byte, err error)
}

// Set is a data file of each service, and the workspaces file.
type Set struct {
	Identity, Events, Sessions Source
	// Workspaces returns the configuration as workspace.Config encodes it: keys as hashes. Nil, or ErrNoWorkspaces: there is none to be
	// had, and the backup is taken without it.
	Workspaces func(context.Context) ([]byte, error)
}

// Options say how to take a backup.
type Options struct {
	// Dir is the directory of backups; the new one is a directory in it, named after the time.
	Dir string
	// Keep is how many backups are kept in it, the newest; 0: all.
	Keep int
	// Compress stores copies compressed with zstd.
	Compress bool
	// Incremental stores only what no backup in Dir has that was taken so. ErrBusy of package chunks: another is being taken.
	Incremental bool
	// Program is the version that the manifest names.
	Program string
}

// Take takes a backup and returns the directory that it is in. It is there whole or not at all, also after a crash, and when Take has
// returned, even without power. Older ones than are to be kept are removed after that.
func Take(ctx context.Context, from Set, o Options) (dir string, m Manifest, err error) {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return "", m, fmt.Errorf("make directory of backups: %w", err)
	}
	if !o.Incremental {
		dir, m, err = take(ctx, from, o, nil)
	} else {
		dir, m, err = takeChunks(ctx, from, o)
	}
	if dir == "" {
		return "", m, err
	}
	err = errors.Join(err, prune(o.Dir, o.Keep, time.Now()))
	if o.Incremental {
		err = errors.Join(err, collect(o.Dir))
	}
	return dir, m, err
}

// takeChunks takes a backup that stores what is not there yet. One that was taken beside a damaged pack comes with the error that names it.
func takeChunks(ctx context.Context, from Set, o Options) (string, Manifest, error) {
	store, err := chunks.Open(filepath.Join(o.Dir, packsDir), o.Compress)
	if err != nil {
		return "", Manifest{}, fmt.Errorf("backup: %w", err)
	}
	if err := removeLeft(o.Dir); err != nil {
		return "", Manifest{}, errors.Join(err, store.Close())
	}
	dir, m, err := take(ctx, from, o, store)
	return dir, m, errors.Join(err, store.Damaged(), store.Close())
}

func take(ctx context.Context, from Set, o Options, store *chunks.Store) (string, Manifest, error) {
	m, prefix := Manifest{Format: manifestFormat, Program: o.Program, TakenAt: time.Now().UTC()}, partialChunks
	if store == nil {
		m.Format, prefix = wholeFormat, partialPrefix
	}
	partial, err := os.MkdirTemp(o.Dir, prefix)
	if err != nil {
		return "", m, fmt.Errorf("make directory of a backup: %w", err)
	}
	dir := filepath.Join(o.Dir, m.TakenAt.Format(nameOfTime))
	m.Files, err = copyAll(ctx, from, storing{partial, o.Compress, store})
	if err == nil { // behind the data: whoever is in it is known by then
		err = m.addWorkspaces(ctx, from, partial)
	}
	if err == nil && store != nil {
		err = store.Seal() // before the backup has its name
	}
	if err == nil {
		err = finish(partial, dir, m)
	}
	if err != nil {
		return "", m, fmt.Errorf("backup: %w", errors.Join(err, os.RemoveAll(partial)))
	}
	return dir, m, nil
}

// copyAll begins one copy after the other, so that each is of a later moment, and lets them run side by side.
func copyAll(ctx context.Context, from Set, to storing) ([]File, error) {
	sources := []Source{from.Events, from.Sessions, from.Identity}
	files := make([]File, len(sources))
	group, ctx := errgroup.WithContext(ctx)
	for i, source := range sources {
		begun := make(chan struct{})
		group.Go(func() (err error) {
			files[i], err = copyOne(ctx, source, to, func() { close(begun) })
			return err
		})
		select {
		case <-begun:
		case <-ctx.Done(): // one has failed
			return nil, group.Wait()
		}
	}
	return files, group.Wait()
}

// copyOne stores a copy of one file and returns what the manifest says of it.
func copyOne(ctx context.Context, from Source, to storing, begun func()) (f File, err error) {
	f = File{Name: from.Name}
	out, err := to.begin(from.Name)
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, out.close()) }()
	sum, count := sha256.New(), &counter{}
	want, err := from.Copy(ctx, func(s boltdb.Snapshot) error {
		f.Kind, f.Format, f.Bytes, f.TakenAt = s.Kind, s.Format, s.Bytes, s.Taken.UTC()
		begun()
		return nil
	}, io.MultiWriter(out, sum, count))
	if err != nil {
		return f, fmt.Errorf("copy %s: %w", from.Name, err)
	}
	f.SHA256 = hex.EncodeToString(sum.Sum(nil))
	if count.bytes != f.Bytes || want != nil && !bytes.Equal(want, sum.Sum(nil)) {
		return f, fmt.Errorf("copy %s: what came is not what was sent", from.Name)
	}
	f.Stored, f.StoredBytes, err = out.finish()
	return f, err
}

// finish writes the manifest into a directory and gives it its name.
func finish(partial, dir string, m Manifest) error {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	file, err := os.OpenFile(filepath.Join(partial, manifestFile), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(append(text, '\n'))
	if err := errors.Join(err, file.Sync(), file.Close(), durable.SyncDir(partial)); err != nil {
		return err
	}
	if _, err := os.Lstat(dir); err == nil {
		return fmt.Errorf("%s is there already", dir)
	}
	if err := os.Rename(partial, dir); err != nil {
		return err
	}
	return durable.SyncDir(filepath.Dir(dir))
}

// counter counts what is written to it.
type counter struct{ bytes int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.bytes += int64(len(p))
	return len(p), nil
}
