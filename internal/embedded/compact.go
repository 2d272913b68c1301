package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	bolt "go.etcd.io/bbolt"
)

// ErrNoRoom says that there is no room beside a file for a copy of it.
var ErrNoRoom = errors.New("not enough free space beside the data file for a copy of it")

const (
	// compactingSuffix is what the name of a new file ends in until it takes the place of the old one. One that a crash left is removed.
	compactingSuffix = ".compacting"
	// copyBytes is how much one transaction of a compaction writes, about.
	copyBytes = 4 << 20
	// copiedPages is how full the pages of a new file are. Full to the last byte, the first row that comes between others would halve them.
	copiedPages = 0.95
	// spareBytes is what a copy leaves free on the disk.
	spareBytes = 64 << 20
	// worthwhileBytes is how much must be free in a file, at least, for compacting it without being asked to.
	worthwhileBytes = 64 << 20
	retirePoll      = 20 * time.Millisecond
)

// Compaction says how large, in bytes, a file was and is that was compacted.
type Compaction struct{ Before, After int64 }

// Worthwhile says whether at least half of the file, and not little, is free: then compacting it makes room.
func (s *Store) Worthwhile() bool {
	free := s.freeInFile()
	return !s.config.ReadOnly && free >= worthwhileBytes && free >= fileSize(s.config.Path)/2
}

// Compact writes the file anew, as small as can be and without what was deleted, and puts the new one in place of the old one. Updates and
// reads go on meanwhile, but nothing is flushed: so it gives up with ErrBusy when the buffer is half full, and is to be tried again when
// less is written. Should it fail, the old file stays, and the store goes on with it; but if it is not known which of the two has the name,
// the store is ErrFailed. It waits for those who read the old file. ErrNoRoom, ErrBusy, ErrReadOnly, ErrDamaged, ErrClosed and ErrFailed
// are told apart.
func (s *Store) Compact(ctx context.Context) (done Compaction, err error) {
	if s.config.ReadOnly {
		return done, ErrReadOnly
	}
	if err := s.takePermit(ctx); err != nil {
		return done, err
	}
	s.running.Add(1)
	defer s.running.Done()
	done.Before = fileSize(s.config.Path)
	old, err := s.replaceFile(ctx)
	<-s.flushing
	if err != nil {
		return done, fmt.Errorf("compact %s: %w", s.config.Path, err)
	}
	done.After = fileSize(s.config.Path)
	// bbolt would have readers that end wait for those that do not. What closing says does not matter: the file has no name any more.
	for stats := old.Stats(); stats.OpenTxN > 0; stats = old.Stats() {
		time.Sleep(retirePoll)
	}
	_ = old.Close()
	return done, nil
}

// takePermit waits until nobody writes to the bbolt file.
func (s *Store) takePermit(ctx context.Context) error {
	select {
	case s.flushing <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	case <-s.closing:
		return ErrClosed
	}
	return nil
}

// replaceFile puts a compacted file in place of the one of now, which it returns. The caller has the permit.
func (s *Store) replaceFile(ctx context.Context) (old *bolt.DB, err error) {
	if err := errors.Join(s.failed(), s.hasRoom(fileSize(s.config.Path)-s.freeInFile())); err != nil {
		return nil, err
	}
	beside := s.config.Path + compactingSuffix
	to, err := openBolt(beside, false)
	if err != nil {
		return nil, err
	}
	to.NoSync = true // what a crash leaves of it is removed
	err = guardFile(func() error { return s.file.View(func(tx *bolt.Tx) error { return s.copyRows(ctx, tx, to) }) })
	if err == nil {
		err = s.disk.sync(to)
	}
	if err == nil {
		to.NoSync = false
		err = s.disk.rename(beside, s.config.Path)
	}
	if err != nil {
		if _, there := os.Lstat(beside); there != nil { // it may have the name
			return nil, errors.Join(s.fail(err), to.Close())
		}
		return nil, errors.Join(err, to.Close(), s.disk.remove(beside))
	}
	if err := s.disk.syncDir(s.config.Path); err != nil {
		// Both files have all that was answered, but only until more is flushed: into which the disk has, nobody knows.
		return nil, errors.Join(s.fail(fmt.Errorf("put a compacted file in place: %w", err)), to.Close())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	old, s.file = s.file, to
	return old, nil
}

// copyRows copies what a transaction sees to an empty file, in parts. Rows keep their checksums, which must be right.
func (s *Store) copyRows(ctx context.Context, from *bolt.Tx, to *bolt.DB) error {
	if err := s.disk.update(to, func(tx *bolt.Tx) error { return copyMeta(from, tx, s.config.Tables) }); err != nil {
		return err
	}
	for _, name := range s.config.Tables {
		rows := from.Bucket([]byte(name)).Cursor()
		for key, sealed := rows.First(); key != nil; {
			began := time.Now()
			err := s.disk.update(to, func(tx *bolt.Tx) (err error) {
				into := tx.Bucket([]byte(name))
				into.FillPercent = copiedPages
				for n := 0; key != nil && err == nil && n < copyBytes; key, sealed = rows.Next() {
					n += len(key) + len(sealed)
					if _, err = unseal(name, key, sealed); err == nil {
						err = into.Put(key, sealed)
					}
				}
				return err
			})
			if err == nil {
				err = s.breathe(ctx, time.Since(began))
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func copyMeta(from, to *bolt.Tx, tables []string) error {
	meta, err := to.CreateBucket([]byte(metaBucket))
	if err != nil {
		return err
	}
	for _, name := range tables {
		if _, err := to.CreateBucket([]byte(name)); err != nil {
			return err
		}
	}
	return from.Bucket([]byte(metaBucket)).ForEach(meta.Put)
}

// breathe leaves processor and disk to the calls of the moment, and says whether a compaction is to give up.
func (s *Store) breathe(ctx context.Context, took time.Duration) error {
	switch filled := s.filled.Load(); {
	case filled >= int64(s.config.BufferBytes)/2:
		return ErrBusy
	case filled == 0: // there are no calls
		took = 0
	}
	select {
	case <-time.After(took):
		return s.hasRoom(0)
	case <-ctx.Done():
		return ctx.Err()
	case <-s.closing:
		return ErrClosed
	}
}

// hasRoom returns ErrNoRoom if so many bytes more would leave too little free.
func (s *Store) hasRoom(bytes int64) error {
	if free, known := s.disk.free(s.config.Path); known && free < bytes+spareBytes {
		return fmt.Errorf("%w: there are %d bytes of %d", ErrNoRoom, free, bytes+spareBytes)
	}
	return nil
}

// freeInFile is how many bytes of the file can be written again, or will be when readers have ended.
func (s *Store) freeInFile() int64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	stats := s.file.Stats()
	return int64(stats.FreePageN+stats.PendingPageN) * int64(s.file.Info().PageSize)
}

// fileSize is the size of a file; one that cannot be looked up has none.
func fileSize(name string) int64 {
	info, err := os.Stat(name)
	if err != nil {
		return 0
	}
	return info.Size()
}
