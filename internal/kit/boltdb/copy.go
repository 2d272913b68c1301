package boltdb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	bolt "go.etcd.io/bbolt"
)

// ErrNoRoom is returned when there is no room beside a file for a copy of it.
var ErrNoRoom = errors.New("not enough free space beside the data file for a copy of it")

// A copy must leave room for what is written meanwhile: a store whose disk fills up stops.
const spareBytes = 64 << 20

// Snapshot says what a copy is of.
type Snapshot struct {
	Kind   string
	Format uint32
	Bytes  int64
	// Taken is the moment as of which the file is copied: every write acknowledged before it is in the copy.
	Taken time.Time
}

// Copy returns a consistent copy of the file as a file of its own, read from its beginning, that has no name and is gone when it is closed.
// Begun is called when the moment of the copy has come. Writes go on meanwhile. Copy reads the file at the speed of the disk and not of
// whoever wants the copy: for as long as a reader holds on to old pages, the file cannot use them again, and grows.
func (db *DB) Copy(ctx context.Context, begun func(Snapshot) error) (copied *os.File, err error) {
	copied, err = nameless(db.bolt.Path())
	if err != nil {
		return nil, fmt.Errorf("copy %s: %w", db.bolt.Path(), err)
	}
	defer func() {
		if err != nil {
			copied, err = nil, fmt.Errorf("copy %s: %w", db.bolt.Path(), errors.Join(err, copied.Close()))
		}
	}()
	defer db.metrics.readers.enter()()
	var tx *bolt.Tx
	err = db.settled(ctx, func() (err error) {
		tx, err = db.beginCopy()
		return err
	})
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }() // never fails for a transaction that reads
	if err := copyOf(ctx, tx, func(s Snapshot) error {
		return cmp.Or(roomFor(filepath.Dir(db.bolt.Path()), s.Bytes), begun(s))
	}, &syncing{File: copied}); err != nil {
		return nil, err
	}
	_, err = copied.Seek(0, io.SeekStart)
	return copied, err
}

// beginCopy begins a transaction on a state of the bbolt file that, unlike that of a file in use, does not say that there is a log.
func (db *DB) beginCopy() (tx *bolt.Tx, err error) {
	if db.readOnly {
		return db.bolt.Begin(false)
	}
	logged := func(is bool) error {
		return db.bolt.Update(func(tx *bolt.Tx) error { return putLogged(tx, is) })
	}
	if err := logged(false); err != nil {
		return nil, err
	}
	if tx, err = db.bolt.Begin(false); err != nil {
		return nil, errors.Join(err, logged(true))
	}
	if err := logged(true); err != nil {
		return nil, errors.Join(err, tx.Rollback())
	}
	return tx, nil
}

// CopyStopped writes a copy of the file that the options name, which must not be in use and is not changed. Begun is called when it is
// known what is copied.
func CopyStopped(ctx context.Context, o Options, begun func(Snapshot) error, to io.Writer) error {
	o.ReadOnly = true
	db, err := Open(o)
	if err != nil {
		return err
	}
	if db.frozen != nil {
		err = db.copyApplied(ctx, begun, to)
	} else {
		err = db.bolt.View(func(tx *bolt.Tx) error { return copyOf(ctx, tx, begun, to) })
	}
	if err = errors.Join(err, db.Close()); err != nil {
		return fmt.Errorf("copy %s: %w", o.Path, err)
	}
	return nil
}

// copyApplied writes a copy of a file that was not closed, with what its log holds applied to it.
func (db *DB) copyApplied(ctx context.Context, begun func(Snapshot) error, to io.Writer) (err error) {
	beside, err := createCopy(db.bolt.Path())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(beside.Name())) }()
	err = db.bolt.View(func(tx *bolt.Tx) error { return writeWhole(ctx, tx, beside) })
	if err = errors.Join(err, beside.Close()); err != nil {
		return err
	}
	applied, err := bolt.Open(beside.Name(), 0o600, &bolt.Options{Timeout: lockWait, FreelistType: bolt.FreelistMapType, NoSync: true})
	if err != nil {
		return err
	}
	last := &sweep{generation: db.frozen.generation}
	err = errors.Join(db.sweepInto(applied, last), applied.View(func(tx *bolt.Tx) error { return copyOf(ctx, tx, begun, to) }))
	return errors.Join(err, applied.Close())
}

// copyOf writes the file as a transaction sees it. Begun is called before that.
func copyOf(ctx context.Context, tx *bolt.Tx, begun func(Snapshot) error, to io.Writer) error {
	s, err := snapshotOf(tx)
	if err != nil {
		return err
	}
	if err := begun(s); err != nil {
		return err
	}
	return writeWhole(ctx, tx, to)
}

// Path returns where the file is.
func (db *DB) Path() string { return db.bolt.Path() }

// Kind returns what kind of data the file holds.
func (db *DB) Kind() string { return db.kind }

// Readers returns how many read transactions are open.
func (db *DB) Readers() int { stats := db.bolt.Stats(); return stats.OpenTxN }

func snapshotOf(tx *bolt.Tx) (Snapshot, error) {
	kind, format, err := markOf(tx.Bucket(metaBucket))
	return Snapshot{Kind: kind, Format: format, Bytes: tx.Size(), Taken: time.Now()}, err
}

// writeWhole writes the whole file as a transaction sees it.
func writeWhole(ctx context.Context, tx *bolt.Tx, to io.Writer) error {
	_, err := tx.WriteTo(whileWanted{ctx, to})
	if err != nil && ctx.Err() != nil {
		return ctx.Err() // bbolt keeps only the text of it
	}
	return err
}

// createCopy makes a new file beside a data file. One that a crash leaves is removed when that is next opened for writing.
func createCopy(path string) (*os.File, error) {
	return os.CreateTemp(filepath.Dir(path), copyPrefix+filepath.Base(path)+"-*")
}

// nameless returns a new file beside a data file that nothing is left of when it is closed, however that comes about.
func nameless(path string) (*os.File, error) {
	file, err := createCopy(path)
	if err != nil {
		return nil, err
	}
	if err := os.Remove(file.Name()); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// roomFor returns ErrNoRoom if a file of so many bytes would leave too little for the stores in a directory.
func roomFor(dir string, bytes int64) error {
	free, known := freeBytes(dir)
	if need := bytes + bytes/4 + spareBytes; known && free < need {
		return fmt.Errorf("%w: there are %d bytes of %d", ErrNoRoom, free, need)
	}
	return nil
}

// syncEvery is how much of a copy is written before it is brought to the disk. If more were waiting, a commit, which must get by it, would
// take seconds: measured with a copy of 1 GiB.
const syncEvery = 8 << 20

// syncing writes to a file in steps that leave the disk to others in between.
type syncing struct {
	*os.File

	unsynced int
}

func (s *syncing) Write(p []byte) (int, error) {
	n, err := s.File.Write(p)
	if s.unsynced += n; err == nil && s.unsynced >= syncEvery {
		s.unsynced = 0
		err = s.Sync()
	}
	return n, err
}

// whileWanted writes until ctx ends.
type whileWanted struct {
	ctx context.Context //nolint:containedctx // of the one copy that this writer is made for
	to  io.Writer
}

func (w whileWanted) Write(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.to.Write(p)
}
