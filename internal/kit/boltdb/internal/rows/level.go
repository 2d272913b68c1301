package rows

import (
	"bytes"
	"slices"
	"sync"
	"sync/atomic"
)

// Level is rows that lie over others of the same places. One goroutine at a time writes to it.
type Level struct {
	index   index
	slab    []Row  // room for rows
	keys    []byte // room for keys
	bytes   int
	commits uint64

	mutex  sync.RWMutex // guards orders
	orders map[Place]*order
	last   *order // that a row was added to

	readers   atomic.Int64
	seen      uint64       // the last commit that a reader began after
	followers atomic.Int64 // who may be reading any version while it is replaced
}

// New returns an empty level.
func New() *Level { return &Level{orders: map[Place]*order{}} }

// Len returns how many rows there are.
func (l *Level) Len() int { return l.index.used }

// Bytes returns about how much memory the rows take.
func (l *Level) Bytes() int { return l.bytes }

// Commit lets readers who begin from now on see what was set. It must not run while Read does, and neither may Set.
func (l *Level) Commit() { l.commits++ }

// Set lets the level say something else under a key, whose hash is given; a nil value: that there is no row. The key is copied, the value
// is not and must not change any more. It returns the row, and whether the level had none under the key before.
func (l *Level) Set(hash uint64, place Place, key, value []byte) (r *Row, added bool) {
	if r := l.index.find(hash, place, key); r != nil {
		l.rewrite(r, value)
		return r, false
	}
	r = l.newRow()
	r.hash, r.place, r.key = hash, place, l.keep(key)
	r.first = version{since: l.commits + 1, value: value}
	r.newest.Store(&r.first)
	l.index.add(r)
	l.orderOf(place).add(r)
	l.bytes += rowSize + len(key) + len(value)
	return r, true
}

// rewrite gives a row another version.
func (l *Level) rewrite(r *Row, value []byte) {
	held := r.held()
	was, now := r.newest.Load(), version{since: l.commits + 1, value: value}
	switch wanted := l.readers.Load() > 0; {
	case !wanted && l.followers.Load() == 0:
		r.first = now
		r.newest.Store(&r.first)
	case !wanted:
		r.newest.Store(&now)
	case was.since > l.seen && was != &r.first: // nobody can have seen it
		now.before = was.before
		r.newest.Store(&now)
	default:
		now.before = was
		r.newest.Store(&now)
	}
	l.bytes += r.held() - held
}

// Reset empties a level that nobody else has read, for it to be used again. What was got from it is not valid any more, but keys and values
// are.
func (l *Level) Reset() {
	l.index.reset()
	clear(l.slab)
	l.slab, l.bytes, l.last = l.slab[:0], 0, nil
	clear(l.orders)
}

const (
	minRoom = 8        // rows
	maxRoom = 256      // rows
	minKeys = 512      // bytes
	maxKeys = 16 << 10 // bytes
)

// newRow returns an empty row.
func (l *Level) newRow() *Row {
	if len(l.slab) == cap(l.slab) {
		l.slab = make([]Row, 0, min(max(2*cap(l.slab), minRoom), maxRoom))
	}
	l.slab = l.slab[:len(l.slab)+1]
	return &l.slab[len(l.slab)-1]
}

// keep returns a copy of a key.
func (l *Level) keep(key []byte) []byte {
	if len(key) > maxKeys/8 {
		return bytes.Clone(key)
	}
	if cap(l.keys)-len(l.keys) < len(key) {
		l.keys = make([]byte, 0, min(max(2*cap(l.keys), minKeys), maxKeys))
	}
	from := len(l.keys)
	l.keys = append(l.keys, key...)
	return l.keys[from:len(l.keys):len(l.keys)]
}

// orderOf returns the order of a place that a row is added to.
func (l *Level) orderOf(place Place) *order {
	if l.last != nil && l.last.place == place {
		return l.last
	}
	l.last = l.orders[place] // which nobody else changes
	if l.last == nil {
		l.last = &order{place: place}
		l.mutex.Lock()
		l.orders[place] = l.last
		l.mutex.Unlock()
	}
	return l.last
}

// order returns the order of a place, nil if there is no row.
func (l *Level) order(place Place) *order {
	l.mutex.RLock()
	defer l.mutex.RUnlock()
	return l.orders[place]
}

// places returns the places that have rows, in order.
func (l *Level) places() []Place {
	l.mutex.RLock()
	defer l.mutex.RUnlock()
	places := make([]Place, 0, len(l.orders))
	for p := range l.orders {
		places = append(places, p)
	}
	slices.Sort(places)
	return places
}

// Read returns a view of what is committed. It must be closed; and must not begin while Set or Commit runs.
func (l *Level) Read() View {
	l.readers.Add(1)
	l.seen = l.commits
	return View{l, l.commits}
}

// All returns a view of everything, for the one who writes and for levels that are not written to any more. It need not be closed.
func (l *Level) All() View { return View{l, everything} }

// Follow returns a view of everything that goes on being one while somebody else writes: what is set meanwhile it may show or not, of each
// row. It must be closed; and must not begin while Set or Commit runs.
func (l *Level) Follow() View {
	l.followers.Add(1)
	return View{l, following}
}
