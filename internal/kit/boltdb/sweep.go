package boltdb

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/sojournhq/sojourn/internal/kit/boltdb/internal/rows"
)

var (
	// appliedKey says up to which generation bbolt has everything.
	appliedKey = []byte("applied")
	// loggedKey is there while the generation behind that one has a segment: from when the file was opened until it was closed.
	loggedKey = []byte("logged")
)

// rowsPerSweep is how many rows one transaction of bbolt applies at most. More would take less time in all, but what bbolt then writes at
// once would keep the log from the disk.
const rowsPerSweep = 1024

// A pause before a generation is applied that could not be because the disk was full.
const sweepAgain = time.Second

// sweep is a generation that is being applied to bbolt, and the generations before it that are with it because the file was not closed.
type sweep struct {
	generation

	goesOn bool // the next generation has a segment
	done   chan struct{}
}

// rotateIfDue begins a new generation, and has the last one applied, when that is large enough or has to be and the one before is done.
func (db *DB) rotateIfDue(now bool) {
	if db.failed.Load() || !now && db.isUnder(db.limit) {
		return
	}
	_ = db.awaitDurable() // whoever waits for that is told
	if s := db.beingApplied(); s != nil {
		if db.isUnder(2 * db.limit) {
			return
		}
		<-s.done // the disk does not keep up
	}
	if db.durable.rows.Len() == 0 {
		return
	}
	if err := db.rotate(); err != nil && !isFull(err) {
		_ = db.fail(err) // it says so itself
	}
}

// rotate begins a new generation and has the last one applied.
func (db *DB) rotate() error {
	next, err := createSegment(db.bolt.Path(), segmentID{db.uuid, db.durable.number + 1})
	if err != nil {
		return fmt.Errorf("begin a segment: %w", err)
	}
	if err := db.segment.goesOn(); err != nil {
		return errors.Join(err, next.Close(), os.Remove(next.file.Name()))
	}
	if err := db.segment.Close(); err != nil {
		return errors.Join(err, next.Close())
	}
	frozen := &sweep{generation: db.durable, goesOn: true, done: make(chan struct{})}
	db.segment = next
	db.state.Lock()
	db.durable, db.frozen = generation{next.generation, rows.New()}, frozen
	db.state.Unlock()
	go db.apply(frozen)
	return nil
}

// apply applies a generation to bbolt, and lets readers have it from there.
func (db *DB) apply(s *sweep) {
	defer close(s.done)
	began := time.Now()
	for {
		err := db.sweep(s)
		if err == nil {
			break
		}
		if !isFull(err) {
			_ = db.fail(fmt.Errorf("apply the log: %w", err))
			return
		}
		time.Sleep(sweepAgain)
	}
	db.metrics.sweeps.Observe(time.Since(began).Seconds())
	db.state.Lock()
	defer db.state.Unlock()
	db.frozen = nil
}

// isFull says whether something could not be written because the disk is full. What is said of that by an fsync is another matter: then it
// is not known what is on the disk.
func isFull(err error) bool {
	var write *fs.PathError
	return errors.As(err, &write) && errors.Is(write, syscall.ENOSPC)
}

// beingApplied returns the generation that is being applied, nil if none is.
func (db *DB) beingApplied() *sweep {
	db.state.RLock()
	defer db.state.RUnlock()
	return db.frozen
}

// sweep applies a generation to bbolt and removes its part of the log. Should it be cut short, the log has everything still, and applying
// it again changes nothing that was applied.
func (db *DB) sweep(s *sweep) error {
	db.sweeping.Lock()
	defer db.sweeping.Unlock()
	if db.failed.Load() {
		return ErrFailed // the log has it still, whichever file the disk has
	}
	if err := db.sweepInto(db.bolt.file(), s); err != nil {
		return err
	}
	return db.removeApplied(s.number)
}

// sweepInto applies a generation to a bbolt file.
func (db *DB) sweepInto(to *bolt.DB, s *sweep) error {
	from, more := s.rows.Walk(), true
	for more {
		began := time.Now()
		err := to.Update(func(tx *bolt.Tx) (err error) {
			more, err = db.sweepSome(tx, from)
			if err != nil || more {
				return err
			}
			return putApplied(tx, s.number, s.goesOn)
		})
		if err != nil {
			return err
		}
		if more && s.goesOn && db.inTime() {
			time.Sleep(time.Since(began)) // the calls of the moment come first
		}
	}
	return nil
}

// inTime says whether there is time to apply a generation slowly: the next is not full yet.
func (db *DB) inTime() bool { return db.isUnder(db.limit / 2) }

// isUnder says whether the rows that are not being applied yet take less than so many bytes.
func (db *DB) isUnder(bytes int) bool {
	db.state.RLock()
	defer db.state.RUnlock()
	return db.durable.rows.Bytes() < bytes
}

// sweepSome applies the next rows of a walk, and says whether there are more.
func (db *DB) sweepSome(tx *bolt.Tx, from *rows.Walk) (more bool, err error) {
	a := applier{db: db, tx: tx}
	r, more := from.Row()
	for left := rowsPerSweep; left > 0 && more; left-- {
		if err := a.apply(r); err != nil {
			return false, err
		}
		from.Next()
		r, more = from.Row()
	}
	return more, a.leave()
}

// makeBucket returns the bucket at a path, making what does not exist.
func makeBucket(tx *bolt.Tx, path []string) (*bolt.Bucket, error) {
	b, err := tx.CreateBucketIfNotExists([]byte(path[0]))
	for _, name := range path[1:] {
		if err != nil {
			break
		}
		b, err = b.CreateBucketIfNotExists([]byte(name))
	}
	return b, err
}

// appliedOf returns up to which generation bbolt has everything.
func appliedOf(tx *bolt.Tx) uint64 {
	if value := tx.Bucket(metaBucket).Get(appliedKey); len(value) == 8 {
		return binary.BigEndian.Uint64(value)
	}
	return 0
}

// putApplied notes up to where bbolt has everything, and whether there is a segment behind that.
func putApplied(tx *bolt.Tx, generation uint64, logged bool) error {
	if err := tx.Bucket(metaBucket).Put(appliedKey, binary.BigEndian.AppendUint64(nil, generation)); err != nil {
		return err
	}
	return putLogged(tx, logged)
}

func putLogged(tx *bolt.Tx, logged bool) error {
	if logged {
		return tx.Bucket(metaBucket).Put(loggedKey, []byte{1})
	}
	return tx.Bucket(metaBucket).Delete(loggedKey)
}

// finish applies what is left, once nothing is committed any more, so that a file that was closed needs no log.
func (db *DB) finish() error {
	if db.readOnly {
		return nil
	}
	if s := db.beingApplied(); s != nil {
		<-s.done
	}
	err := db.segment.Close()
	if db.failed.Load() {
		return err
	}
	last := &sweep{generation: db.durable}
	return errors.Join(err, db.sweep(last))
}

// settling says what is still being applied of what was committed, nil if nothing is, and whether that is all.
type settling struct {
	sweep *sweep
	all   bool
}

// settled runs fn while bbolt has everything that was committed before, and only whole generations.
func (db *DB) settled(ctx context.Context, fn func() error) error {
	for all := db.readOnly; !all; {
		w := &write{settle: make(chan settling, 1)}
		if err := db.enqueue(ctx, w); err != nil {
			return err
		}
		s := <-w.settle
		if s.sweep != nil {
			<-s.sweep.done
		}
		if db.failed.Load() {
			return ErrFailed
		}
		all = s.all
	}
	db.sweeping.Lock()
	defer db.sweeping.Unlock()
	return fn()
}
