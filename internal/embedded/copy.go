package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"

	bolt "go.etcd.io/bbolt"

	"github.com/sojournhq/sojourn/internal/kit/observe"
)

// Copy writes a copy of the store to a new file, with everything that was committed before. The copy is a store of its own, which was
// closed: it has another id and no log. Updates go on meanwhile. It reads at the speed of the disk, for the file grows while it is read.
func (s *Store) Copy(ctx context.Context, to string) error {
	if err := s.copyTo(ctx, to); err != nil {
		return fmt.Errorf("copy %s: %w", s.config.Path, err)
	}
	return nil
}

func (s *Store) copyTo(ctx context.Context, to string) error {
	tx, err := s.beginCopy(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // never fails for a transaction that reads
	if err := s.hasRoom(tx.Size()); err != nil {
		return err
	}
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = tx.WriteTo(&throttled{ctx: ctx, to: f})
	if err = errors.Join(err, ctx.Err(), f.Sync(), f.Close()); err == nil {
		err = s.own(to)
	}
	if err != nil {
		return errors.Join(err, os.Remove(to))
	}
	return s.disk.syncDir(to)
}

// beginCopy begins a transaction on whole buffers: all that were committed before. Of a store that is open for reading only the file may
// lack some, see own.
func (s *Store) beginCopy(ctx context.Context) (*bolt.Tx, error) {
	if s.config.ReadOnly {
		return s.file.Begin(false)
	}
	if err := s.Flush(ctx); err != nil {
		return nil, err
	}
	if err := s.takePermit(ctx); err != nil {
		return nil, err
	}
	defer func() { <-s.flushing }()
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.beginFile()
}

// own makes a store of its own of a copy, with what the log had that the copy has not.
func (s *Store) own(path string) (err error) {
	b, err := openBolt(path, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	return guardFile(func() error {
		if s.config.ReadOnly {
			if err := s.writeRows(b, flushJob{rows: s.active}); err != nil {
				return err
			}
		}
		return s.disk.update(b, renew)
	})
}

// throttled writes in steps that leave the disk to others in between, until ctx ends.
type throttled struct {
	ctx      context.Context //nolint:containedctx // of the one copy that it is made for
	to       *os.File
	unsynced int
}

func (w *throttled) Write(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := w.to.Write(p)
	if w.unsynced += n; err == nil && w.unsynced >= 2*copyBytes {
		w.unsynced, err = 0, datasync(w.to)
	}
	return n, err
}

// Install puts a copy, a file in the same directory, in place of the store that a config names, as a backup is restored. The store must not
// be open. A crash leaves the old store, or the new one, or one that is refused until Install has been run again.
func Install(c Config, from string) (err error) {
	s := newStore(c.withDefaults(), observe.Deps{})
	unlock, err := s.disk.lock(c.Path, false)
	if err != nil {
		return fmt.Errorf("install %s: %w", c.Path, err)
	}
	defer func() { err = errors.Join(err, unlock()) }()
	if err := s.install(from); err != nil {
		return fmt.Errorf("install %s: %w", c.Path, err)
	}
	return nil
}

func (s *Store) install(from string) error {
	id, err := s.idOf(from)
	if err != nil {
		return err
	}
	// The log goes first: no crash may leave the new file with the log of the old one.
	numbers, err := segments(s.disk, s.config.Path)
	for _, n := range numbers {
		err = errors.Join(err, s.disk.remove(segmentPath(s.config.Path, n)))
	}
	if err = errors.Join(err, s.disk.syncDir(s.config.Path)); err != nil {
		return err
	}
	if err := errors.Join(s.disk.rename(from, s.config.Path), s.disk.syncDir(s.config.Path)); err != nil {
		return err
	}
	return s.writeManifest(id)
}

// idOf returns the id of a copy that may be installed.
func (s *Store) idOf(from string) (storeID, error) {
	b, err := openBolt(from, true)
	if err != nil {
		return storeID{}, err
	}
	var clean bool
	err = guardFile(func() error {
		return b.View(func(tx *bolt.Tx) error {
			if _, err := s.readMeta(tx); err != nil {
				return err
			}
			_, clean, err = placeOf(tx)
			return err
		})
	})
	if err == nil && !clean {
		err = fmt.Errorf("%w: %s is no copy: it needs the log that was beside it", ErrSwapped, from)
	}
	return s.id, errors.Join(err, b.Close())
}
