// Package embedded is the embedded engine: a log, a buffer, and plain bbolt. It keeps rows, key and value, in tables, in order of their
// keys.
//
//	Update ─▶ writer ─▶ own buffer ─▶ frame ─▶ logger: write, fdatasync ─▶ published, answered
//	View   ─▶ what is published: active buffer, over the frozen one, over a read transaction of bbolt
//	flush  ─▶ freeze the active buffer, write it to bbolt with its place in the log, drop it, remove the log before that place
//
// One goroutine, the writer, runs the functions of all updates, one after the other, in a buffer of its own that is ahead of what
// is durable. What it changed while the logger was busy becomes one frame. The logger makes one frame after the other durable,
// publishes the buffer as it was with it, and answers; so readers see only what is durable. The flusher writes a frozen buffer to
// bbolt in the background. Should the process end at any moment, the log has what bbolt has not, and a buffer of which bbolt has
// only a part is written again, whole.
//
// Two locks: Store.mu guards what is published, and is held for moments. The permit Store.flushing is held by who writes to the
// bbolt file, or must have it stand still. Who holds the permit may take mu, never the other way round.
package embedded

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/internal/kit/pages"
)

// Errors that callers tell apart.
var (
	// ErrClosed is returned once Close was called.
	ErrClosed = errors.New("store is closed")
	// ErrFailed is returned for an update whose outcome is unknown because the disk failed, and for every later one, which is not tried.
	ErrFailed = errors.New("store has stopped after a failed write")
	// ErrFull says that the disk has no room. Nothing of the update is left, reading goes on, and the update may be tried again.
	ErrFull = errors.New("no room is left on the disk of the store")
	// ErrTooLarge is returned for an update that is larger than a frame of the log may be. Nothing of it is left.
	ErrTooLarge = errors.New("too large an update")
	// ErrInvalid is returned for an update with a row that cannot be stored. Nothing of it is left.
	ErrInvalid = errors.New("a row cannot be stored")
	// ErrReadOnly is returned for what would change a store that was opened for reading only.
	ErrReadOnly = errors.New("store is open for reading only")
	// ErrLocked says that another process has the store open.
	ErrLocked = errors.New("store is in use by another process")
	// ErrFormat says that the file is of another kind, or of a format that this program does not read.
	ErrFormat = errors.New("unsupported store format")
	// ErrMissing says that a file of the store that was there is gone or empty. It is not made again: what was in it would be lost
	// unnoticed.
	ErrMissing = errors.New("data file is missing")
	// ErrSwapped says that a file of the store is another one than the one that was there.
	ErrSwapped = errors.New("data file is another one")
	// ErrDamaged says that a file is not what was written. Its text says where.
	ErrDamaged = pages.ErrDamaged
	// ErrBusy says that the file cannot be compacted now: too much is being written, or it is being compacted already.
	ErrBusy = errors.New("the store is too busy to be compacted")
)

// Table is a table of a store: its place in Config.Tables.
type Table uint8

// Config says which store to open. Sizes that are 0 are the usual ones.
type Config struct {
	// Path of the bbolt file. Beside it lie Path.log-N, Path.json, which says which file it must be, and Path.lock.
	Path string
	// Kind of data in the store, such as "events", and Format, the version of its rows. A store of others is refused.
	Kind   string
	Format uint32
	// Tables by name. Their order is part of what is stored: new ones come last.
	Tables []string
	// BufferBytes is how much memory a buffer may take before it is flushed, about. Two of them may be in memory.
	BufferBytes int
	// SegmentBytes is how long a segment of the log may be, about.
	SegmentBytes int64
	// MaxAge is how old the oldest row of a buffer may be before it is flushed.
	MaxAge time.Duration
	// ReadOnly opens a store for reading only. It must exist, and nothing of it is changed.
	ReadOnly bool

	// Tests set these: where the files lie, and how many rows a transaction of a flush writes.
	disk      disk
	flushRows int
}

const (
	defaultBufferBytes  = 24 << 20
	defaultSegmentBytes = 16 << 20
	defaultMaxAge       = time.Minute
)

// Store is an open store. All methods may be called from many goroutines.
type Store struct {
	config  Config
	disk    disk
	deps    observe.Deps
	metrics *metrics
	id      storeID
	unlock  func() error

	mu     sync.RWMutex // guards what is published:
	active *tree        // durable rows since the last freeze
	frozen *tree        // durable rows from before it, while bbolt does not have all of them; else nil
	file   *bolt.DB     // has all others

	queue    chan *op      // to the writer
	frames   chan *frame   // from the writer to the logger
	logged   chan error    // what became of them
	flushes  chan flushJob // from the logger to the flusher
	flushed  chan struct{} // wakes the writer when a flush has ended
	flushing chan struct{} // a permit: who has it may write to the bbolt file
	log      *log          // the logger's, and who closes the store's

	filled   atomic.Int64 // how many bytes are in the writer's buffer
	full     atomic.Bool  // a flush waits for room on the disk
	failure  atomic.Pointer[error]
	closing  chan struct{}
	closed   sync.Once
	closeErr error
	running  sync.WaitGroup
}

// Open opens a store, or makes it where there never was one, and recovers what a crash left in the log.
func Open(ctx context.Context, c Config, deps observe.Deps) (*Store, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s := newStore(c.withDefaults(), deps)
	if err := s.open(); err != nil {
		return nil, fmt.Errorf("open %s: %w", c.Path, err)
	}
	return s, nil
}

func (c Config) withDefaults() Config {
	c.BufferBytes = cmp.Or(c.BufferBytes, defaultBufferBytes)
	c.SegmentBytes = cmp.Or(c.SegmentBytes, defaultSegmentBytes)
	c.MaxAge = cmp.Or(c.MaxAge, defaultMaxAge)
	c.flushRows = cmp.Or(c.flushRows, defaultFlushRows)
	if c.disk == nil {
		c.disk = osDisk{}
	}
	return c
}

func newStore(c Config, deps observe.Deps) *Store {
	return &Store{
		config: c, disk: c.disk, deps: deps, metrics: newMetrics(), active: newTree(),
		queue: make(chan *op), frames: make(chan *frame, 1), logged: make(chan error, 1), flushes: make(chan flushJob, 1),
		flushed: make(chan struct{}, 1), flushing: make(chan struct{}, 1), closing: make(chan struct{}),
	}
}

func (s *Store) open() (err error) {
	if s.unlock, err = s.disk.lock(s.config.Path, s.config.ReadOnly); err != nil {
		return err
	}
	if err := s.openFile(); err != nil {
		return errors.Join(err, s.unlock())
	}
	recovered, err := s.recover()
	if err == nil {
		err = s.metrics.register(s.deps.Metrics, s)
	}
	if err != nil {
		return errors.Join(err, s.log.close(), s.file.Close(), s.unlock())
	}
	if s.config.ReadOnly {
		s.active = recovered.tree
		return nil
	}
	s.start(recovered)
	return nil
}

// start begins to flush what was recovered, and to take updates.
func (s *Store) start(recovered layer) {
	if recovered.Len() > 0 {
		s.frozen = recovered.tree
		s.flushes <- flushJob{rows: recovered.tree, at: s.log.end()}
	}
	w := &writer{s: s, own: newLayer(), idle: true, number: 1}
	for _, run := range []func(){w.run, s.logFrames, s.flushFrozen} {
		s.running.Go(run)
	}
}

// View runs fn in a read transaction: it sees one consistent state, including every update that was answered before. It must be short: the
// bbolt file grows while it is open. Rows must not be changed, nor kept longer than fn runs. Damage that fn meets ends it with ErrDamaged.
func (s *Store) View(fn func(*Tx) error) error {
	tx, err := s.begin()
	if err != nil {
		return err
	}
	s.metrics.readers.Add(1)
	defer s.metrics.readers.Add(-1)
	defer tx.end()
	return guard(func() error { return fn(tx) })
}

// begin begins a transaction on what is published. While mu is held nothing is frozen, so bbolt has nothing that is newer than the buffers.
func (s *Store) begin() (*Tx, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	file, err := s.beginFile()
	if err != nil {
		return nil, err
	}
	tx := newTx(s, file)
	tx.layers = append(tx.layers, s.active)
	if s.frozen != nil {
		tx.layers = append(tx.layers, s.frozen)
	}
	return tx, nil
}

// beginFile begins a read transaction of bbolt. The caller holds mu.
func (s *Store) beginFile() (*bolt.Tx, error) {
	tx, err := s.file.Begin(false)
	if errors.Is(err, berrors.ErrDatabaseNotOpen) {
		err = ErrClosed
	}
	return tx, err
}

// Update runs fn in a write transaction and returns once that is durable: all of it, or, where Update returns an error of fn or one of
// ErrFull, ErrTooLarge and ErrInvalid, nothing. It sees all updates before it. It runs in the goroutine that all updates share, at most
// once. If ctx ends first its error is returned, the outcome is unknown, and fn may still be running.
func (s *Store) Update(ctx context.Context, fn func(*Tx) error) error {
	return s.submit(ctx, &op{fn: fn, done: make(chan error, 1)})
}

// Flush returns once bbolt has all that was committed before, and neither bbolt's tables nor the log have anything that it replaced or
// deleted. What deletes data calls it before it answers. Free pages of the file still have it until the store is compacted.
func (s *Store) Flush(ctx context.Context) error {
	return s.submit(ctx, &op{done: make(chan error, 1)})
}

func (s *Store) submit(ctx context.Context, o *op) error {
	if s.config.ReadOnly {
		return ErrReadOnly
	}
	o.gone, o.began = ctx.Done(), time.Now()
	select {
	case s.queue <- o:
	case <-s.closing:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-o.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// fail sees to it that nothing is written any more, and returns what is said of that.
func (s *Store) fail(cause error) error {
	err := fmt.Errorf("%w: %w", ErrFailed, cause)
	if s.failure.CompareAndSwap(nil, &err) && s.deps.Fatal != nil {
		go s.deps.Fatal(fmt.Errorf("%s: %w", filepath.Base(s.config.Path), err))
	}
	return err
}

// failed returns why nothing is written any more, or nil.
func (s *Store) failed() error {
	if err := s.failure.Load(); err != nil {
		return *err
	}
	return nil
}

// Close answers what was begun, flushes, and closes the store; a store that was closed has no log. Where the disk has no room or failed,
// the log stays, and the next Open reads it. It waits for reads and a compaction to end. Calls after the first return the same.
func (s *Store) Close() error {
	s.closed.Do(func() {
		close(s.closing)
		s.running.Wait()
		s.flushing <- struct{}{} // for good
		s.running.Wait()         // for a compaction
		if err := errors.Join(s.finish(), s.file.Close(), s.unlock()); err != nil {
			s.closeErr = fmt.Errorf("close %s: %w", s.config.Path, err)
		}
	})
	return s.closeErr
}
