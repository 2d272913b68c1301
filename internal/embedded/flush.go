package embedded

import (
	"errors"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"
)

// flushJob is a frozen buffer that is to be written to bbolt.
type flushJob struct {
	rows    *tree
	at      place // where the log goes on behind it
	waiting []*op
}

const (
	// defaultFlushRows and flushBytes are how much one transaction of bbolt writes at most. All in one would take a gigabyte of memory, and
	// keep the log from the disk for as long.
	defaultFlushRows = 2000
	flushBytes       = 8 << 20
	// flushAgain is the pause before a flush is tried again that found no room.
	flushAgain = time.Second
)

// flushFrozen writes frozen buffers to bbolt.
func (s *Store) flushFrozen() {
	for job := range s.flushes {
		s.flushing <- struct{}{}
		began, err := time.Now(), s.flush(job)
		<-s.flushing
		s.metrics.flushes.Observe(time.Since(began).Seconds())
		answer(job.waiting, err)
		s.wakeWriter()
	}
}

func (s *Store) wakeWriter() {
	select {
	case s.flushed <- struct{}{}:
	default:
	}
}

// flush writes a buffer to bbolt, drops it, and removes the log before it. It holds the permit, also while it waits for room: whoever
// takes the permit finds whole buffers in bbolt.
func (s *Store) flush(job flushJob) error {
	err := s.failed()
	if err == nil {
		err = s.writeRows(s.file, job)
	}
	switch {
	case isFull(err): // the store is being closed, and the log has it
		return fmt.Errorf("%w: %w", ErrFull, err)
	case err != nil:
		return s.fail(fmt.Errorf("flush: %w", err))
	}
	s.mu.Lock()
	s.frozen = nil
	s.mu.Unlock()
	return s.forget(job.at)
}

// writeRows writes rows to a bbolt file in order of their keys, in transactions of some, and with the last of them from where on the log is
// needed. If that is cut short it can be done again.
func (s *Store) writeRows(to *bolt.DB, job flushJob) error {
	next, _ := job.rows.Min()
	for {
		began, from := time.Now(), next
		err := s.disk.update(to, func(tx *bolt.Tx) (err error) {
			if next, err = s.writeSome(tx, job.rows, from); err != nil || next != nil {
				return err
			}
			return putPlace(tx, job.at, false)
		})
		switch {
		case isFull(err) && s.awaitRoom():
			next = from
		case err != nil || next == nil:
			return err
		default:
			s.pace(time.Since(began))
		}
	}
}

// writeSome writes rows from one on, and returns where to go on, nil if these are all.
func (s *Store) writeSome(tx *bolt.Tx, rows *tree, from *row) (next *row, err error) {
	var sealed []byte
	n := 0
	rows.Ascend(from, func(r *row) bool {
		if n++; n > s.config.flushRows || len(sealed) > flushBytes {
			next = r
			return false
		}
		name := s.config.Tables[r.table]
		bucket, start := tx.Bucket([]byte(name)), len(sealed)
		if r.value == nil {
			err = bucket.Delete(r.key)
		} else {
			sealed = seal(sealed, name, r.key, r.value)
			err = bucket.Put(r.key, sealed[start:])
		}
		return err == nil
	})
	return next, err
}

// awaitRoom waits a while, in which updates that need the buffer are refused, and says whether the store is still open.
func (s *Store) awaitRoom() bool {
	s.full.Store(true)
	defer s.full.Store(false)
	s.wakeWriter()
	select {
	case <-time.After(flushAgain):
		return true
	case <-s.closing:
		return false
	}
}

// pace leaves processor and disk to the calls of the moment after a transaction of a flush: three times as long as that took while the
// other buffer has much room, as long while it is not half full, and then no more.
func (s *Store) pace(took time.Duration) {
	limit := int64(s.config.BufferBytes)
	switch filled := s.filled.Load(); {
	case filled < limit/4:
		took *= 3
	case filled >= limit/2:
		return
	}
	select {
	case <-time.After(took):
	case <-s.closing:
	}
}

// forget removes the segments of the log before a place, also from the disk. What cannot be removed is tried again with the next flush.
func (s *Store) forget(before place) error {
	numbers, err := segments(s.disk, s.config.Path)
	if err != nil || len(numbers) == 0 || numbers[0] >= before.segment {
		return err
	}
	for _, n := range numbers {
		if n < before.segment {
			err = errors.Join(err, s.disk.remove(segmentPath(s.config.Path, n)))
		}
	}
	return errors.Join(err, s.disk.syncDir(s.config.Path))
}

// finish flushes what is left when the store is being closed, so that it needs no log.
func (s *Store) finish() error {
	if s.config.ReadOnly {
		return nil
	}
	err := s.log.close()
	if s.failed() != nil || s.frozen != nil { // the log has it
		return err
	}
	none := place{s.log.number + 1, int64(headerBytes)}
	flushed := s.writeRows(s.file, flushJob{rows: s.active, at: s.log.end()})
	if flushed == nil {
		flushed = s.disk.update(s.file, func(tx *bolt.Tx) error { return putPlace(tx, none, true) })
	}
	if flushed != nil {
		return errors.Join(err, flushed)
	}
	return errors.Join(err, s.forget(none))
}
