package boltdb

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	bolt "go.etcd.io/bbolt"

	"github.com/sojournhq/sojourn/internal/kit/boltdb/internal/rows"
	"github.com/sojournhq/sojourn/internal/kit/durable"
)

// catchUp applies to the new file the generations that bbolt has and it does not, as the log has them, and says whether there were any.
func (c *compaction) catchUp() (more bool, err error) {
	var applied uint64
	if err := c.db.bolt.View(func(tx *bolt.Tx) error { applied = appliedOf(tx); return nil }); err != nil {
		return false, err
	}
	for ; c.at < applied; c.at++ {
		if err := errors.Join(c.ended(), c.room(0)); err != nil {
			return true, err
		}
		next, err := c.db.readGeneration(c.at + 1)
		if err != nil {
			return true, err
		}
		if err := c.db.sweepInto(c.to, next); err != nil {
			return true, err
		}
		more = true
	}
	return more, nil
}

// place puts the new file, which is whole, in place of the old one. The caller holds db.sweeping.
func (c *compaction) place() (placed bool, err error) {
	db := c.db
	if db.failed.Load() {
		return false, ErrFailed
	}
	if err := errors.Join(c.ended(), c.to.Sync(), db.compactions.reach("synced")); err != nil {
		return false, err
	}
	c.to.NoSync = false
	if err := os.Rename(c.path(), db.Path()); err != nil {
		if _, there := os.Lstat(c.path()); there == nil {
			return false, err
		}
		return true, c.lost(err)
	}
	if err := errors.Join(db.compactions.reach("renamed"), durable.SyncDir(filepath.Dir(db.Path()))); err != nil {
		return true, c.lost(err)
	}
	db.bolt.replace(c.to)
	db.compactions.keeping = false
	_ = db.removeApplied(c.at) // what cannot be removed now is removed with what the next generation leaves
	return true, db.compactions.reach("placed")
}

// lost stops the store, of which it is not known which file the disk has: both hold what was answered, but only until more is applied.
func (c *compaction) lost(err error) error {
	return errors.Join(c.db.fail(fmt.Errorf("put a compacted file in place: %w", err)), c.to.Close())
}

// forget lets the log be removed that was kept for the new file.
func (c *compaction) forget() {
	c.db.sweeping.Lock()
	defer c.db.sweeping.Unlock()
	c.db.compactions.keeping = false
	// Should this fail, it is removed with what the next generation leaves.
	_ = c.db.bolt.View(func(tx *bolt.Tx) error { return c.db.removeApplied(appliedOf(tx)) })
}

// removeApplied removes the log of the generations up to one that bbolt has, but for what is kept. The caller holds db.sweeping.
func (db *DB) removeApplied(number uint64) error {
	if db.compactions.keeping {
		number = min(number, db.compactions.kept)
	}
	generations, err := segments(db.bolt.Path())
	if err != nil {
		return err
	}
	applied := 0
	for applied < len(generations) && generations[applied] <= number {
		applied++
	}
	return removeSegments(db.bolt.Path(), generations[:applied])
}

// readGeneration reads a generation that was applied from its segment.
func (db *DB) readGeneration(number uint64) (*sweep, error) {
	s := &sweep{generation: generation{number, rows.New()}, goesOn: true}
	r := &replay{buckets: db.buckets, into: &s.generation}
	r.segment()
	end, _, err := readSegment(db.bolt.Path(), segmentID{db.uuid, number}, r.record)
	if whole := r.goesOn || end == db.unended[number]; err == nil && (end == 0 || !whole) {
		err = fmt.Errorf("%w: %s has no end", ErrDamaged, segmentPath(db.bolt.Path(), number))
	}
	return s, err
}

// removeCompacting removes what a compaction that did not come to its end left beside a file.
func removeCompacting(path string) error {
	if err := os.Remove(path + compactingSuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func size(path string) (int64, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
