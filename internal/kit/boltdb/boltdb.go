// Package boltdb keeps rows in bbolt files the way a service of record needs it: one committer that commits whatever is waiting together,
// no write after the first failed commit, and a format mark that keeps an old program from opening a newer file.
//
// It logs first and applies later. A commit appends what it changed to a log beside the file, as one record that one fdatasync makes
// durable, and keeps the rows in memory, where reads find them over those of bbolt. Once they are many, they are applied to the bbolt
// file, in order of their keys, while the next ones gather; then their part of the log is removed. Opening a file reads what its log holds.
package boltdb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/sojournhq/sojourn/internal/kit/boltdb/internal/block"
	"github.com/sojournhq/sojourn/internal/kit/boltdb/internal/rows"
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
	// ErrTooLarge is returned for a write that is larger than a record of the log may be.
	ErrTooLarge = errors.New("too large a write")
	// ErrBroken is what a write returns that finds, or would leave, what can never be: a bug, or damage that has a right checksum. Nothing
	// of the write is left, and nothing is written any more: what is wrong is not to spread.
	ErrBroken = errors.New("store is not what it must be")
	// ErrLocked says that another process has the file open.
	ErrLocked = errors.New("store is in use by another process")
)

const (
	lockWait = time.Second
	// One transaction takes at most this many waiting writes, so that a flood cannot grow one without end.
	maxWritesPerCommit = 4096
	// How much memory rows take before they are applied. The more of them there are, the more of them share a page; twice this may be in
	// memory while the last are being applied.
	defaultGenerationBytes = 48 << 20
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
	Upgrades map[uint32]Upgrade
	// OnFail, if set, is called once, in a goroutine of its own, when a commit has failed.
	OnFail func(error)
	// Deps are where the file shows what it does; without metrics or traces in them it shows none. OnFail is told of failures, not they.
	Deps observe.Deps
	// GenerationBytes is how much memory rows may take, about, before they are applied to the bbolt file; 0 is the usual.
	GenerationBytes int
	// ReserveBytes is what is kept free on the disk for what makes room: Room. 0: DefaultReserve; less: nothing.
	ReserveBytes int64
	// BlockBytes is how large a block of rows usually is, before it is compressed; 0 is the usual.
	BlockBytes int
	// Derived names buckets at the top of the file whose rows the caller makes anew where they are missing. When the file is opened, but
	// not for reading only, one that has a block that cannot be read is emptied, and the log says so.
	Derived [][]byte
	// ReadOnly opens a file for reading only; it must exist, and Update returns ErrReadOnly.
	ReadOnly bool
}

// Upgrade makes the next format of a file whose rows are not in blocks yet. It writes to the file itself, which has no log then, and finds
// each row as a pair of bbolt.
type Upgrade = func(*bolt.Tx) error

// DB is an open file. All methods may be called from many goroutines.
type DB struct {
	bolt     *handle
	kind     string
	uuid     string // the file's own
	queue    chan *write
	onFail   func(error)
	readOnly bool
	metrics  *metrics
	tracer   trace.Tracer
	buckets  *buckets
	room     *room
	sizes    block.Sizes

	mutex  sync.RWMutex // guards closed, so that nothing is sent on a closed queue
	closed bool
	failed atomic.Bool

	installation atomic.Pointer[string] // nil: none yet
	done         chan struct{}          // closed when the committer has returned

	state   sync.RWMutex // guards what readers see: durable rows, and what bbolt has of them
	durable generation   // what is not yet being applied; changed by what makes a transaction durable, and by the committer while none is
	frozen  *sweep       // what is being applied, nil if nothing is

	own     [2]*rows.Level  // what a transaction has written, and what the one before has that is being logged; the committer's
	logging *logging        // that one, nil if there is none; the committer's
	segment *segment        // the log of durable; of who changes that
	log     func(*Tx) error // makes a transaction durable, and then visible: logChanges, but in tests
	limit   int             // of a generation's bytes
	// unended is where segments end of which a crash left no end that says so, by generation. It does not change once the file is open.
	unended  map[uint64]int64
	sweeping sync.Mutex // held while a generation is being applied

	compactions *compactions
}

// write is something for the committer to do.
type write struct {
	apply  func(*Tx) error
	gone   <-chan struct{} // closed when nobody waits for the result any more
	result chan error
	// settle asks for everything committed so far to be applied instead, and is told what that takes.
	settle chan settling

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
	db := newDB(b, is, o)
	if err := db.recoverLog(); err != nil {
		return nil, fmt.Errorf("open %s: %w", o.Path, errors.Join(err, b.Close()))
	}
	if err := db.readInstallation(); err != nil {
		return nil, fmt.Errorf("open %s: %w", o.Path, errors.Join(err, b.Close()))
	}
	if o.Deps.Metrics != nil {
		if err := db.metrics.register(o.Deps.Metrics, db); err != nil {
			return nil, fmt.Errorf("register metrics of %s: %w", o.Path, errors.Join(err, b.Close()))
		}
	}
	if db.frozen != nil && !o.ReadOnly {
		go db.apply(db.frozen)
	}
	go db.commitWaiting()
	return db, nil
}

// newDB returns what has not read its log yet.
func newDB(b *bolt.DB, is entry, o Options) *DB {
	db := &DB{
		bolt: newHandle(b, o.Path), kind: o.Kind, uuid: is.UUID, onFail: o.OnFail, readOnly: o.ReadOnly,
		queue: make(chan *write, maxWritesPerCommit), done: make(chan struct{}),
		metrics: newMetrics(o.Deps.Log), tracer: o.Deps.Tracer(), buckets: newBuckets(), room: newRoom(o), sizes: sizesOf(b, o),
		own: [2]*rows.Level{rows.New(), rows.New()}, limit: cmp.Or(o.GenerationBytes, defaultGenerationBytes),
		unended: map[uint64]int64{}, compactions: newCompactions(),
	}
	db.log = db.logChanges
	return db
}

// syncEntries makes durable that the file at path and its directory are there: a file may be synced and yet be gone after a power cut
// because no directory names it.
func syncEntries(path string) error {
	dir := filepath.Dir(path)
	for _, name := range []string{dir, filepath.Dir(dir)} {
		if err := syncDir(name); err != nil {
			return err
		}
	}
	return nil
}

// syncDir makes the names in a directory durable.
func syncDir(name string) error {
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// View runs fn in a read transaction: it sees one consistent state, including every write that has been acknowledged.
func (db *DB) View(fn func(*Tx) error) (err error) {
	defer db.metrics.readers.enter()()
	tx, err := db.read()
	if err != nil {
		return err
	}
	defer recoverDamage(&err)
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true)) // what a damaged page leads to is a panic, not the end of the process
	defer tx.end()
	return fn(tx)
}

// read begins a transaction on what is durable.
func (db *DB) read() (*Tx, error) {
	db.state.Lock() // not only to read: a view is noted
	defer db.state.Unlock()
	return db.over(make([]rows.View, 0, 2), db.durable.rows.Read())
}

// over begins a transaction on bbolt's rows, a view of what is durable over them, and others over that. The caller holds state.
func (db *DB) over(over []rows.View, durable rows.View) (*Tx, error) {
	// A generation that bbolt has meanwhile may lie over it: it says the same. One more than that would not do, so bbolt's transaction
	// begins before another can be applied.
	tx, err := db.bolt.Begin(false)
	if errors.Is(err, berrors.ErrDatabaseNotOpen) {
		err = ErrClosed
	}
	if err != nil {
		durable.Close()
		return nil, err
	}
	over = append(over, durable)
	if db.frozen != nil {
		over = append(over, db.frozen.rows.All())
	}
	return newTx(db, tx, over...), nil
}

// Update runs fn in a write transaction, together with other waiting writes, and returns only after the transaction is durable. If fn
// returns an error, none of its effects remain and that error is returned. fn may run more than once and must not keep tx. If ctx
// ends first, its error is returned, the outcome is unknown, and fn may still be running: what it writes to must not be read then (see Do).
func (db *DB) Update(ctx context.Context, fn func(*Tx) error) error {
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

// Close commits what is waiting, applies everything to the bbolt file and closes it. Calls after the first do nothing.
func (db *DB) Close() error {
	db.mutex.Lock()
	if db.closed {
		db.mutex.Unlock()
		return nil
	}
	db.closed = true
	close(db.queue)
	db.mutex.Unlock()
	db.compactions.end()
	<-db.done
	if err := errors.Join(db.finish(), db.bolt.Close()); err != nil {
		return fmt.Errorf("close %s: %w", db.bolt.Path(), err)
	}
	return nil
}
