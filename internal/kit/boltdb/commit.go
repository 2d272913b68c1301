package boltdb

import (
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"github.com/sojournhq/sojourn/internal/kit/boltdb/internal/rows"
)

// commitWaiting turns what has arrived while the last commit ran into the next transaction: no timer, no fixed batch size.
func (db *DB) commitWaiting() {
	defer close(db.done)
	for first := range db.queue {
		batch := []*write{first}
		for more := true; more && len(batch) < maxWritesPerCommit; {
			select {
			case w, ok := <-db.queue:
				if more = ok; ok {
					batch = append(batch, w)
				}
			default:
				more = false
			}
		}
		var settle []*write
		batch = slices.DeleteFunc(batch, func(w *write) bool {
			if w.settle != nil {
				settle = append(settle, w)
			}
			return w.settle != nil || w.abandoned()
		})
		db.commit(batch)
		db.rotateIfDue(len(settle) > 0)
		for _, w := range settle {
			w.settle <- settling{db.beingApplied(), db.durable.rows.Len() == 0}
		}
	}
}

// abandoned says whether nobody waits for the write any more. It is dropped then: in overload, work for those who have left would only make
// the others leave too.
func (w *write) abandoned() bool {
	select {
	case <-w.gone:
		return true
	default:
		return false
	}
}

// commit applies a batch in one transaction. A write that fails is taken out and answered, and the rest starts over without it.
func (db *DB) commit(batch []*write) {
	for len(batch) > 0 {
		if db.failed.Load() {
			answer(batch, ErrFailed)
			return
		}
		bad, applyErr, commitErr := db.tryCommit(batch)
		switch {
		case errors.Is(commitErr, ErrFull), errors.Is(commitErr, ErrTooLarge):
			answer(batch, commitErr) // nothing of it is left
			return
		case commitErr != nil:
			// After a failed fsync the kernel may drop the very pages it could not write, and a later commit would build on
			// what the disk never got. So nothing is written any more.
			answer(batch, db.fail(commitErr))
			return
		case errors.Is(applyErr, ErrBroken):
			answer(batch, db.fail(applyErr))
			return
		case applyErr != nil:
			batch[bad].result <- applyErr
			batch = append(batch[:bad:bad], batch[bad+1:]...)
		default:
			answer(batch, nil)
			return
		}
	}
}

// fail sees to it that nothing is written any more, and returns what is said of the write that failed.
func (db *DB) fail(cause error) error {
	if !db.failed.Swap(true) && db.onFail != nil {
		go db.onFail(fmt.Errorf("commit to %s: %w", db.bolt.Path(), cause))
	}
	return fmt.Errorf("%w: %w", ErrFailed, cause)
}

func (db *DB) tryCommit(batch []*write) (bad int, applyErr, commitErr error) {
	began := time.Now()
	for _, w := range batch {
		w.began, w.beside = began, len(batch)
	}
	tx, err := db.begin()
	if err != nil {
		return 0, nil, err
	}
	for i, w := range batch {
		if err := runSafely(w.apply, tx); err != nil {
			return i, err, tx.bolt.Rollback()
		}
	}
	if err := tx.bolt.Rollback(); err != nil {
		return 0, nil, err
	}
	if err := db.log(tx); err != nil {
		return 0, nil, err
	}
	db.metrics.seconds.Observe(time.Since(began).Seconds())
	db.metrics.writes.Observe(float64(len(batch)))
	return 0, nil, nil
}

// begin begins a transaction that writes. What it writes lies in a level of its own until it is durable.
func (db *DB) begin() (*Tx, error) {
	db.own.Reset()
	over := append(make([]rows.View, 0, 3), db.own.All(), db.durable.rows.All()) // which only this goroutine changes
	if s := db.beingApplied(); s != nil {
		over = append(over, s.rows.All())
	}
	under, err := db.bolt.Begin(false)
	if err != nil {
		return nil, err
	}
	tx := newTx(db, under, over...)
	tx.own = db.own
	return tx, nil
}

// log makes a transaction durable, and then visible.
func (db *DB) log(tx *Tx) error {
	if len(tx.changed) == 0 {
		return nil
	}
	db.segment.begin()
	db.segment.appendChanges(db.buckets, tx.changed)
	if err := db.segment.commit(); err != nil {
		return err
	}
	db.state.Lock()
	defer db.state.Unlock()
	for _, r := range tx.changed {
		db.durable.rows.Set(r.Hash(), r.Place(), r.Key(), r.Value())
	}
	db.durable.rows.Commit()
	return nil
}

// runSafely turns a panic, on a damaged page too, into an error: one bad write must not take down the committer that all others wait for.
func runSafely(fn func(*Tx) error, tx *Tx) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		switch p := recover().(type) {
		case nil:
		case damage:
			err = p.error
		default:
			err = fmt.Errorf("panic in a transaction: %v", p)
		}
	}()
	return fn(tx)
}

func answer(batch []*write, err error) {
	for _, w := range batch {
		w.result <- err
	}
}
