package boltdb

import (
	"log/slog"
	"sync"
	"time"
)

// longRead is how long a read transaction may be open before the log says so: what is freed meanwhile cannot be used again, and the file
// grows. Only a backup of a large file should take as long.
const longRead = time.Minute

// readers knows since when each read transaction is open.
type readers struct {
	log *slog.Logger // nil: nobody is told

	mu   sync.Mutex
	last uint64
	open map[uint64]time.Time
}

// enter notes that a transaction is open, until the returned function is called.
func (r *readers) enter() (leave func()) {
	began := time.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.open == nil {
		r.open = map[uint64]time.Time{}
	}
	r.last++
	mine := r.last
	r.open[mine] = began
	watch := time.AfterFunc(longRead, r.tell)
	return func() {
		watch.Stop()
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.open, mine)
	}
}

// tell says once of a transaction that it is open for long.
func (r *readers) tell() {
	if r.log != nil {
		r.log.Warn("a read transaction is open for more than a minute: until it ends, the data file grows",
			slog.Int("readers", r.count()), slog.Duration("oldest", r.oldest()))
	}
}

func (r *readers) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.open)
}

func (r *readers) oldest() (age time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, since := range r.open {
		age = max(age, time.Since(since))
	}
	return age
}
