package boltdb

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
)

// ErrCompacting says that the file is being compacted already, or that the one before the last compaction is still being read.
var ErrCompacting = errors.New("the data file is being compacted already, or its last one is still being read")

const (
	// compactingSuffix is what the name of a new file ends in until it takes the place of the old one. One that a crash left is removed.
	compactingSuffix = ".compacting"
	// spareForCommits is what stays free on the disk while a file is compacted that may use the reserve.
	spareForCommits = 2 * growthBytes
	// catchUps is how often what was applied meanwhile is applied to the new file too before the next generation has to wait for that.
	catchUps = 8
	// worthwhileBytes is how much must be free in a file for compacting it without being asked to.
	worthwhileBytes = 64 << 20
)

// Compaction says what compacting a file did: how large it was and is, in bytes, and how long that took.
type Compaction struct {
	Before, After int64
	Took          time.Duration
}

// compactions is the compacting of one store.
type compactions struct {
	running sync.Mutex      // held while the file is compacted, and for ever once the store is being closed
	closing context.Context //nolint:containedctx // ends when the store is being closed
	stop    context.CancelFunc

	// Guarded by db.sweeping: while a file is compacted, the log behind that generation stays, for the new file needs it.
	keeping bool
	kept    uint64

	// reached, if set, is told what has been done. An error of it is taken for one of the next step. Tests set it.
	reached func(step string) error
}

func newCompactions() *compactions {
	c := &compactions{}
	c.closing, c.stop = context.WithCancel(context.Background())
	return c
}

// end stops what runs, waits for it, and lets nothing begin any more.
func (c *compactions) end() {
	c.stop()
	c.running.Lock()
}

func (c *compactions) reach(step string) error {
	if c.reached == nil {
		return nil
	}
	return c.reached(step)
}

// Worthwhile says whether at least half of the file, and not little, is free: then compacting it makes room.
func (db *DB) Worthwhile() bool {
	info, err := os.Stat(db.Path())
	free := db.bolt.free()
	return err == nil && !db.readOnly && free >= worthwhileBytes && free >= info.Size()/2
}

// Reserve is what is to stay free on the disk for what makes room, in bytes.
func (db *DB) Reserve() int64 { return max(db.room.reserve, 0) }

// Compact writes the file anew, as small as can be, while writes and reads go on, and puts the new one in place of the old one. It leaves
// so many bytes free on the disk at least, and some for commits in any case. Should it fail or ctx end, the old file stays, and the store
// goes on with it: but for the one failure behind which it is not known which of the two has the name, after which the store is ErrFailed.
//
// ErrNoRoom, ErrCompacting, ErrReadOnly, ErrDamaged, ErrClosed and ErrFailed are told apart.
func (db *DB) Compact(ctx context.Context, spare int64) (Compaction, error) {
	if db.readOnly {
		return Compaction{}, ErrReadOnly
	}
	if !db.compactions.running.TryLock() {
		if db.compactions.closing.Err() != nil {
			return Compaction{}, ErrClosed
		}
		return Compaction{}, ErrCompacting
	}
	defer db.compactions.running.Unlock()
	if db.bolt.retiring() {
		return Compaction{}, ErrCompacting
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(db.compactions.closing, cancel)()
	began := time.Now()
	done, err := (&compaction{db: db, ctx: ctx, spare: max(spare, spareForCommits)}).run()
	done.Took = time.Since(began)
	switch {
	case err == nil:
	case db.compactions.closing.Err() != nil:
		err = ErrClosed
	case ctx.Err() != nil:
		err = ctx.Err()
	case isFull(err):
		err = fmt.Errorf("%w: %w", ErrNoRoom, err)
	}
	db.metrics.compacted(done, err)
	if err != nil {
		return Compaction{}, fmt.Errorf("compact %s: %w", db.Path(), err)
	}
	return done, nil
}

// compaction is one run of Compact.
type compaction struct {
	db    *DB
	ctx   context.Context //nolint:containedctx // of this run
	spare int64           // bytes that stay free on the disk
	to    *bolt.DB
	at    uint64 // the generation up to which the new file has everything
}

func (c *compaction) path() string { return c.db.Path() + compactingSuffix }

func (c *compaction) run() (done Compaction, err error) {
	if done.Before, err = size(c.db.Path()); err != nil {
		return done, err
	}
	if err := c.room(done.Before - c.db.bolt.free()); err != nil {
		return done, err
	}
	if err := removeCompacting(c.db.Path()); err != nil {
		return done, err
	}
	// bbolt locks it: no other process gets in between when it takes the place of the old one.
	if c.to, err = openBolt(c.path(), toMake); err != nil {
		return done, err
	}
	c.to.NoSync = true // what a crash leaves of it is removed
	placed, err := c.write()
	if !placed {
		c.forget()
		return done, errors.Join(err, c.to.Close(), removeCompacting(c.db.Path()))
	}
	if err == nil {
		done.After, err = size(c.db.Path())
	}
	return done, err
}

// write makes the new file and puts it in place of the old one. It says whether the old one may have lost its name.
func (c *compaction) write() (placed bool, err error) {
	if err := c.copy(); err != nil {
		return false, err
	}
	// What was applied meanwhile is in the log still. Most of it is read before the next generation has to wait.
	for range catchUps {
		more, err := c.catchUp()
		if err != nil {
			return false, err
		}
		if !more {
			break
		}
	}
	if err := errors.Join(c.to.Sync(), c.db.compactions.reach("caught up")); err != nil {
		return false, err
	}
	c.db.sweeping.Lock()
	defer c.db.sweeping.Unlock()
	if _, err := c.catchUp(); err != nil {
		return false, err
	}
	return c.place()
}

// copy copies what the bbolt file has at one moment between two generations.
func (c *compaction) copy() error {
	tx, err := c.begin()
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // never fails for a transaction that reads
	defer c.db.metrics.readers.enter()()
	copying := &copier{from: tx, to: c.to, pause: c.pause}
	if err := Guard(copying.run); err != nil {
		return err
	}
	return c.db.compactions.reach("copied")
}

// begin begins the transaction that is copied, and has the log behind it kept.
func (c *compaction) begin() (*bolt.Tx, error) {
	c.db.sweeping.Lock()
	defer c.db.sweeping.Unlock()
	tx, err := c.db.bolt.Begin(false)
	if err != nil {
		return nil, err
	}
	c.at = appliedOf(tx)
	c.db.compactions.keeping, c.db.compactions.kept = true, c.at
	return tx, nil
}

// pause leaves processor and disk to the calls of the moment for as long as the last part of the copy took, and says whether to go on.
func (c *compaction) pause(took time.Duration) error {
	if err := c.room(0); err != nil {
		return err
	}
	select {
	case <-c.ctx.Done():
		return c.ctx.Err()
	case <-time.After(took):
		return nil
	}
}

// ended returns an error once the compaction is to end. The store's closing is asked itself: what ends ctx then may take a moment.
func (c *compaction) ended() error { return cmp.Or(c.db.compactions.closing.Err(), c.ctx.Err()) }

// room returns ErrNoRoom if so many bytes more would leave too little free.
func (c *compaction) room(bytes int64) error {
	free, known := c.db.room.free(filepath.Dir(c.db.Path()))
	if need := bytes + c.spare; known && free < need {
		return fmt.Errorf("%w: there are %d bytes of %d", ErrNoRoom, free, need)
	}
	return nil
}
