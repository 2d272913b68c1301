// Package boltdb opens bbolt files the way a service of record needs it: one committer that commits whatever is waiting together, no write
// after the first failed commit, and a format mark that keeps an old program from opening a newer file.
package boltdb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/internal/kit/pages"
)

// Errors that callers tell apart.
var (
	// ErrClosed is returned once Close was called.
	ErrClosed = errors.New("store is closed")
	// ErrFailed is returned for the write whose commit failed, whose outcome is unknown, and for every later one, which is not tried.
	ErrFailed = errors.New("store has stopped after a failed commit")
	// ErrFormat says that the file is of another kind or of a newer format than this program reads.
	ErrFormat = errors.New("unsupported store format")
	// ErrDamaged says that the file cannot be read. Its text names the page, where that is known.
	ErrDamaged = pages.ErrDamaged
	// ErrReadOnly is returned for a write to a file that was opened for reading only.
	ErrReadOnly = errors.New("store is open for reading only")
	// ErrLocked says that another process has the file open.
	ErrLocked = errors.New("store is in use by another process")
)

const (
	lockWait = time.Second
	// One transaction takes at most this many waiting writes, so that a flood cannot grow one without end.
	maxWritesPerCommit = 4096
)

// Options says which file to open.
type Options struct {
	// Path of the file. What does not exist of it and its directory is made.
	Path string
	// Kind of data in the file, such as "events"; a file of another kind is refused.
	Kind string
	// Format is the newest format version that the caller reads.
	Format uint32
	// Upgrades has for every older format that the caller still reads the step that makes the next format of it; nil where nothing has to
	// be changed. They run when the file is opened, one after the other, in one transaction with the new mark, and so should be short: what
	// takes long is better left as it is and read both ways until it is next written.
	Upgrades map[uint32]func(*bolt.Tx) error
	// OnFail, if set, is called once, in a goroutine of its own, when a commit has failed.
	OnFail func(error)
	// Deps are where the file shows what it does; without metrics or traces in them it shows none. OnFail is told of failures, not they.
	Deps observe.Deps
	// ReserveBytes is what is kept free on the disk for what makes room: Room. 0: DefaultReserve; less: nothing.
	ReserveBytes int64
	// ReadOnly opens a file for reading only; it must exist, and Update returns ErrReadOnly.
	ReadOnly bool
}

// DB is an open file. All methods may be called from many goroutines.
type DB struct {
	bolt     *bolt.DB
	kind     string
	uuid     string // the file's own
	queue    chan *write
	onFail   func(error)
	readOnly bool
	metrics  *metrics
	tracer   trace.Tracer
	room     *room

	mutex  sync.RWMutex // guards closed, so that nothing is sent on a closed queue
	closed bool
	failed atomic.Bool
	done   chan struct{} // closed when the committer has returned
}

type write struct {
	apply  func(*bolt.Tx) error
	gone   <-chan struct{} // closed when nobody waits for the result any more
	result chan error

	// When the transaction began, and with how many writes: set before there is a result.
	began  time.Time
	beside int
}

// Open opens or makes the file and starts its committer.
func Open(o Options) (*DB, error) {
	b, is, err := openFile(o)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", o.Path, err)
	}
	db := &DB{
		bolt: b, kind: o.Kind, uuid: is.UUID, onFail: o.OnFail, readOnly: o.ReadOnly,
		queue: make(chan *write, maxWritesPerCommit), done: make(chan struct{}),
		metrics: newMetrics(o.Deps.Log), tracer: o.Deps.Tracer(), room: newRoom(o),
	}
	if o.Deps.Metrics != nil {
		if err := db.metrics.register(o.Deps.Metrics, db); err != nil {
			return nil, fmt.Errorf("register metrics of %s: %w", o.Path, errors.Join(err, b.Close()))
		}
	}
	go db.commitWaiting()
	return db, nil
}

// syncEntries makes durable that the file at path and its directory are there: a file may be synced and yet be gone after a power cut
// because no directory names it.
func syncEntries(path string) error {
	dir := filepath.Dir(path)
	for _, name := range []string{dir, filepath.Dir(dir)} {
		d, err := os.Open(name)
		if err != nil {
			return err
		}
		if err := errors.Join(d.Sync(), d.Close()); err != nil {
			return err
		}
	}
	return nil
}

// View runs fn in a read transaction: it sees one consistent state, including every write that has been acknowledged.
func (db *DB) View(fn func(*bolt.Tx) error) error {
	defer db.metrics.readers.enter()()
	err := db.bolt.View(fn)
	if errors.Is(err, berrors.ErrDatabaseNotOpen) {
		return ErrClosed
	}
	return err
}

// Update runs fn in a write transaction, together with other waiting writes, and returns only after the transaction is durable. If fn
// returns an error, none of its effects remain and that error is returned. fn may run more than once and must not keep tx. If ctx
// ends first, its error is returned, the outcome is unknown, and fn may still be running: what it writes to must not be read then (see Do).
func (db *DB) Update(ctx context.Context, fn func(*bolt.Tx) error) error {
	w := &write{apply: fn, gone: ctx.Done(), result: make(chan error, 1)}
	ctx, span := db.tracer.Start(ctx, "commit "+db.kind)
	err := db.await(ctx, w, span)
	observe.EndSpan(span, err)
	return err
}

func (db *DB) await(ctx context.Context, w *write, span trace.Span) error {
	if err := db.enqueue(ctx, w); err != nil {
		return err
	}
	select {
	case err := <-w.result:
		if span.IsRecording() && !w.began.IsZero() {
			span.AddEvent("transaction begins", trace.WithTimestamp(w.began),
				trace.WithAttributes(attribute.Int("sojourn.writes", w.beside)))
		}
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (db *DB) enqueue(ctx context.Context, w *write) error {
	db.mutex.RLock()
	defer db.mutex.RUnlock()
	if db.closed {
		return ErrClosed
	}
	if db.readOnly {
		return ErrReadOnly
	}
	select {
	case db.queue <- w:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close commits what is waiting and closes the file. Calls after the first do nothing.
func (db *DB) Close() error {
	db.mutex.Lock()
	if db.closed {
		db.mutex.Unlock()
		return nil
	}
	db.closed = true
	close(db.queue)
	db.mutex.Unlock()
	<-db.done
	if err := db.bolt.Close(); err != nil {
		return fmt.Errorf("close %s: %w", db.bolt.Path(), err)
	}
	return nil
}

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
		db.commit(slices.DeleteFunc(batch, (*write).abandoned))
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
		case commitErr != nil:
			// After a failed fsync the kernel may drop the very pages it could not write, and a later commit would build on
			// what the disk never got. So nothing is written any more.
			db.failed.Store(true)
			answer(batch, fmt.Errorf("%w: %w", ErrFailed, commitErr))
			if db.onFail != nil {
				go db.onFail(fmt.Errorf("commit to %s: %w", db.bolt.Path(), commitErr))
			}
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

func (db *DB) tryCommit(batch []*write) (bad int, applyErr, commitErr error) {
	began := time.Now()
	for _, w := range batch {
		w.began, w.beside = began, len(batch)
	}
	tx, err := db.bolt.Begin(true)
	if err != nil {
		return 0, nil, err
	}
	for i, w := range batch {
		if err := applySafely(w, tx); err != nil {
			return i, err, tx.Rollback()
		}
	}
	if err := tx.Commit(); err != nil {
		return 0, nil, err
	}
	db.metrics.seconds.Observe(time.Since(began).Seconds())
	db.metrics.writes.Observe(float64(len(batch)))
	return 0, nil, nil
}

// applySafely turns a panic into that write's error: one bad write must not take down the committer that all others wait for.
func applySafely(w *write, tx *bolt.Tx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic while writing: %v", p)
		}
	}()
	return w.apply(tx)
}

func answer(batch []*write, err error) {
	for _, w := range batch {
		w.result <- err
	}
}
