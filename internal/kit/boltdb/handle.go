package boltdb

import (
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
)

// retirePoll is how often a file that was replaced is looked at, whether anybody still reads it.
const retirePoll = 20 * time.Millisecond

// handle is the bbolt file of a store. Compacting puts another one in its place; what was begun on the one before goes on undisturbed.
type handle struct {
	path     string
	pageSize int

	mutex  sync.RWMutex // guards what follows
	now    *bolt.DB
	before *bolt.DB      // what was replaced and is still open, nil if nothing is
	gone   chan struct{} // closed when before is; nil while nothing was ever replaced
}

func newHandle(b *bolt.DB, path string) *handle {
	return &handle{path: path, pageSize: b.Info().PageSize, now: b}
}

// Path returns where the file is, also once it is closed.
func (h *handle) Path() string { return h.path }

// file returns the file of now. It stays that while db.sweeping is held.
func (h *handle) file() *bolt.DB {
	h.mutex.RLock()
	defer h.mutex.RUnlock()
	return h.now
}

// Begin begins a transaction on the file of now.
func (h *handle) Begin(writable bool) (*bolt.Tx, error) {
	h.mutex.RLock() // until it has begun: then the file is not closed under it
	defer h.mutex.RUnlock()
	return h.now.Begin(writable)
}

// View runs fn in a transaction that reads.
func (h *handle) View(fn func(*bolt.Tx) error) error {
	tx, err := h.Begin(false)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // never fails for a transaction that reads
	return fn(tx)
}

// Update runs fn in a transaction that writes. The caller holds db.sweeping, or is opening the store.
func (h *handle) Update(fn func(*bolt.Tx) error) error { return h.file().Update(fn) }

// Stats returns bbolt's figures of the file of now, with the transactions of the one before added.
func (h *handle) Stats() bolt.Stats {
	h.mutex.RLock()
	defer h.mutex.RUnlock()
	stats := h.now.Stats()
	if h.before != nil {
		before := h.before.Stats()
		stats.OpenTxN += before.OpenTxN
	}
	return stats
}

// free is how many bytes of the file can be written again, or will be when readers have ended.
func (h *handle) free() int64 {
	stats := h.Stats()
	return int64(stats.FreePageN+stats.PendingPageN) * int64(h.pageSize)
}

// retiring says whether the file that was replaced last is still being read, and so still takes its room on the disk.
func (h *handle) retiring() bool {
	h.mutex.RLock()
	defer h.mutex.RUnlock()
	return h.before != nil
}

// replace puts another file in place of the one of now, which is closed when its last reader has ended. Nothing is retiring.
func (h *handle) replace(with *bolt.DB) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.before, h.now, h.gone = h.now, with, make(chan struct{})
	go h.retire(h.before, h.gone)
}

// retire closes a file when nobody reads it any more. It does not leave the waiting to bbolt, which would have readers that end wait for
// those that do not. What closing says does not matter: the file has no name, and nothing in it is needed.
func (h *handle) retire(old *bolt.DB, gone chan<- struct{}) {
	defer close(gone)
	for stats := old.Stats(); stats.OpenTxN > 0; stats = old.Stats() {
		time.Sleep(retirePoll)
	}
	_ = old.Close()
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.before = nil
}

// Close closes the file, and waits for the one before it.
func (h *handle) Close() error {
	h.mutex.RLock()
	gone := h.gone
	h.mutex.RUnlock()
	if gone != nil {
		<-gone
	}
	return h.file().Close()
}
