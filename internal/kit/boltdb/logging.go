package boltdb

import (
	"errors"
	"time"
)

// logging is a transaction that is being made durable while the next one runs. That one sees what this one wrote, and is not logged before
// this one is durable.
type logging struct {
	tx    *Tx
	batch []*write
	done  chan struct{} // closed when it is durable, or never will be
	err   error         // why it never will be
}

// isOver says whether it is known what became of it.
func (l *logging) isOver() bool {
	select {
	case <-l.done:
		return true
	default:
		return false
	}
}

// beginLogging makes a transaction durable, and answers the writes in it, while the committer goes on. The one before is over.
func (db *DB) beginLogging(tx *Tx, batch []*write) {
	db.logging = &logging{tx: tx, batch: batch, done: make(chan struct{})}
	db.own[0], db.own[1] = db.own[1], db.own[0]
	go db.makeDurable(db.logging)
}

func (db *DB) makeDurable(l *logging) {
	durable := db.durable.rows
	if l.err = db.log(l.tx); l.err != nil && !isUndone(l.err) {
		l.err = db.fail(l.err)
	}
	if l.err == nil {
		db.metrics.seconds.Observe(time.Since(l.batch[0].began).Seconds())
		db.metrics.writes.Observe(float64(len(l.batch)))
	}
	answer(l.batch, l.err)
	close(l.done)
	durable.Order() // while nobody waits for it
}

// isUndone says whether nothing is left of a transaction that could not be logged, so that the store can go on without it.
func isUndone(err error) bool { return errors.Is(err, ErrFull) || errors.Is(err, ErrTooLarge) }

// awaitDurable waits until it is known what became of the transaction that is being made durable, if one is, and returns why it is not:
// then what was built on it is to be done again.
func (db *DB) awaitDurable() error {
	if db.logging == nil {
		return nil
	}
	<-db.logging.done
	err := db.logging.err
	db.logging = nil
	return err
}

// logChanges appends what a transaction changed to the log, and then lets readers see it.
func (db *DB) logChanges(tx *Tx) error {
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
