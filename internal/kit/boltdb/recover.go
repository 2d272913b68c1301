package boltdb

import (
	"errors"
	"fmt"
	"os"

	bolt "go.etcd.io/bbolt"

	"github.com/sojournhq/sojourn/internal/kit/boltdb/internal/rows"
)

// recoverLog reads what the log holds that bbolt does not have, and, unless the file is open for reading only, begins a new segment.
func (db *DB) recoverLog() error {
	var applied uint64
	var logged bool
	err := db.bolt.View(func(tx *bolt.Tx) error {
		applied, logged = appliedOf(tx), tx.Bucket(metaBucket).Get(loggedKey) != nil
		return nil
	})
	if err != nil {
		return err
	}
	last, frozen, err := db.readLog(applied, logged)
	if err != nil {
		return err
	}
	db.frozen = frozen
	db.durable = generation{last + 1, rows.New()}
	if db.readOnly {
		return nil
	}
	if db.segment, err = createSegment(db.bolt.Path(), segmentID{db.uuid, last + 1}); err != nil {
		return fmt.Errorf("begin a segment: %w", err)
	}
	if frozen != nil {
		return db.goOn(last)
	}
	// Nothing is to be applied: it is as if that had been done.
	return update(db.bolt, func(tx *bolt.Tx) error { return putApplied(tx, last, true) })
}

// goOn writes behind the last record of a segment that the next generation has one.
func (db *DB) goOn(g uint64) error {
	file, err := os.OpenFile(segmentPath(db.bolt.Path(), g), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil {
		return errors.Join(err, file.Close())
	}
	s := &segment{segmentID: segmentID{db.uuid, g}, file: file, size: info.Size()}
	return errors.Join(s.goesOn(), s.Close())
}

// readLog reads the segments behind a generation into one, nil if they are empty, and returns the number of the last of them.
func (db *DB) readLog(applied uint64, logged bool) (last uint64, frozen *sweep, err error) {
	generations, err := segments(db.bolt.Path())
	if err != nil {
		return 0, nil, err
	}
	for len(generations) > 0 && generations[0] <= applied {
		if !db.readOnly {
			err = errors.Join(err, removeSegments(db.bolt.Path(), generations[:1]))
		}
		generations = generations[1:]
	}
	if err != nil {
		return 0, nil, err
	}
	last = applied
	all := &sweep{generation: generation{rows: rows.New()}, goesOn: true, done: make(chan struct{})}
	r := &replay{buckets: db.buckets, into: &all.generation, goesOn: logged}
	for i, g := range generations {
		if g != last+1 {
			break
		}
		promised := r.goesOn
		r.segment()
		begun, err := db.readOne(g, r, i == len(generations)-1)
		if err != nil {
			return 0, nil, err
		}
		if !begun && promised {
			return 0, nil, fmt.Errorf("%w: %s has no beginning", ErrDamaged, segmentPath(db.bolt.Path(), g))
		}
		if !begun {
			generations = generations[:i] // it is made anew
			break
		}
		last = g
	}
	if r.goesOn || last != applied+uint64(len(generations)) {
		return 0, nil, fmt.Errorf("%w: %s is missing: calls that were answered are gone with it; restore a backup",
			ErrDamaged, segmentPath(db.bolt.Path(), last+1))
	}
	if all.rows.Len() == 0 {
		return last, nil, nil
	}
	all.number = last
	return last, all, nil
}

// readOne reads one segment, and says whether it was ever begun. What is behind its last record, if it is the last one, is cut off, so that
// it is never in the way.
func (db *DB) readOne(g uint64, r *replay, isLast bool) (begun bool, err error) {
	end, size, err := readSegment(db.bolt.Path(), segmentID{db.uuid, g}, r.record)
	if err == nil && !isLast && !r.goesOn {
		db.unended[g] = end
	}
	if err != nil || end == size && end > 0 {
		return true, err
	}
	if !isLast && !db.cutShortAtItsEnd(g, size-end) {
		return true, fmt.Errorf("%w: %s ends in the middle of a record", ErrDamaged, segmentPath(db.bolt.Path(), g))
	}
	if end == 0 || db.readOnly {
		return end > 0, nil
	}
	return true, cutOff(db.bolt.Path(), g, end)
}

// cutShortAtItsEnd says whether what is behind the last record of a segment may be the beginning of what goesOn writes: the next segment is
// there already then, but no transaction was begun in it.
func (db *DB) cutShortAtItsEnd(g uint64, left int64) bool {
	next, err := os.Stat(segmentPath(db.bolt.Path(), g+1))
	return err == nil && next.Size() <= int64(segmentHeader) && left <= int64(goesOnSize)
}
