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
		if len(settle) > 0 {
			_ = db.awaitDurable() // whoever waits for that is told
		}
		db.rotateIfDue(len(settle) > 0)
		for _, w := range settle {
			w.settle <- settling{db.beingApplied(), db.durable.rows.Len() == 0}
		}
	}
	_ = db.awaitDurable() // whoever waits for that is told
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

// commit runs a batch as one transaction, which is then made durable while the next one runs. A write that fails is taken out and answered,
// and the rest starts over without it; and so does all of it if the transaction before, on which it was built, is undone.
func (db *DB) commit(batch []*write) {
	for len(batch) > 0 {
		if db.failed.Load() {
			answer(batch, ErrFailed)
			return
		}
		tx, bad, err := db.run(batch)
		switch before := db.awaitDurable(); {
		case before != nil: // it starts over
		case tx == nil:
			// After a failed fsync the kernel may drop the very pages it could not write, and a later commit would build on
			// what the disk never got. So nothing is written any more.
			answer(batch, db.fail(err))
			return
		case errors.Is(err, ErrBroken):
			answer(batch, db.fail(err))
			return
		case err != nil:
			batch[bad].result <- err
			batch = append(batch[:bad:bad], batch[bad+1:]...)
		case len(tx.changed) == 0:
			answer(batch, nil)
			return
		default:
			db.beginLogging(tx, batch)
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

// run runs writes in one transaction, until one of them fails; then bad is which. Without a transaction the store has failed.
func (db *DB) run(batch []*write) (tx *Tx, bad int, err error) {
	began := time.Now()
	for _, w := range batch {
		w.began, w.beside = began, len(batch)
	}
	if tx, err = db.begin(); err != nil {
		return nil, 0, err
	}
	defer tx.end()
	for i, w := range batch {
		if err := runSafely(w.apply, tx); err != nil {
			return tx, i, err
		}
	}
	return tx, 0, nil
}

// begin begins a transaction that writes. What it writes lies in a level of its own until it is durable, over that of the transaction
// before it, if that is not durable yet.
func (db *DB) begin() (*Tx, error) {
	own := db.own[0]
	own.Reset()
	over := append(make([]rows.View, 0, 4), own.All())
	if db.logging != nil && !db.logging.isOver() {
		over = append(over, db.logging.tx.own.All())
	}
	db.state.Lock() // as what follows is noted, see read
	defer db.state.Unlock()
	tx, err := db.over(over, db.durable.rows.Follow())
	if err != nil {
		return nil, err
	}
	tx.own, tx.undurable = own, len(over)
	return tx, nil
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
