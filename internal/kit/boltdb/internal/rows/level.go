package rows

import (
	"slices"
	"sync"
	"sync/atomic"
)

// Level is rows that lie over others of the same places. One goroutine at a time writes to it.
type Level struct {
	index    index
	rows     slab[row]
	versions slab[version] // but the first of each row
	texts    arena         // keys and values
	bytes    int
	commits  uint32

	mutex  sync.RWMutex // guards orders, and adding to links
	orders map[Place]*order
	links  slab[atomic.Uint32] // of rows that stand in order
	last   *order              // that a row was added to

	readers   atomic.Int64
	seen      uint32       // the last commit that a reader began after
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

// Set lets the level say something else under a key, whose hash is given; a nil value: that there is no row. Key and value are copied. It
// returns the row, and whether the level had none under the key before.
func (l *Level) Set(hash uint64, place Place, key, value []byte) (r Row, added bool) {
	if r := l.find(hash, place, key); r != nil {
		l.rewrite(r, value)
		return Row{l, r}, false
	}
	number := l.rows.add(1)
	of := l.rows.at(number)
	of.hash, of.place, of.key = hash, place, l.texts.keep(key)
	of.first = version{since: l.commits + 1, before: noVersion, value: l.texts.keep(value)}
	of.newest.Store(firstVersion)
	l.index.add(hash, number)
	l.orderOf(place).add(number)
	l.bytes += rowSize + len(key) + len(value)
	return Row{l, of}, true
}

// rewrite gives a row another version. What it said before keeps its room: who reads it may be anywhere.
func (l *Level) rewrite(r *row, value []byte) {
	now := version{since: l.commits + 1, before: noVersion, value: l.texts.keep(value)}
	l.bytes += len(value)
	wanted := l.readers.Load() > 0
	if !wanted && l.followers.Load() == 0 {
		r.first = now
		r.newest.Store(firstVersion)
		return
	}
	if wanted {
		now.before = r.newest.Load()
		if was := l.version(r, now.before); was.since > l.seen && now.before != firstVersion { // nobody can have seen it
			now.before = was.before
		}
	}
	number := l.versions.add(1)
	*l.versions.at(number) = now
	r.newest.Store(number)
	l.bytes += versionSize
}

// version returns a version of a row, by its number.
func (l *Level) version(r *row, number uint32) *version {
	if number == firstVersion {
		return &r.first
	}
	return l.versions.at(number)
}

// versionAt returns what a row said after a commit, nil if it did not exist yet.
func (l *Level) versionAt(r *row, commit uint32) *version {
	number := r.newest.Load()
	for number != noVersion {
		v := l.version(r, number)
		if v.since <= commit {
			return v
		}
		number = v.before
	}
	return nil
}

// What a level keeps of its room when it is emptied: enough for the next transaction as a rule.
const (
	keptRows  = 32 << 10
	keptSlots = 32 << 10
	keptBytes = 4 << 20 // of keys and values
)

// Reset empties a level that nobody else has read, for it to be used again. What was got from it is not valid any more.
func (l *Level) Reset() {
	l.index.reset()
	l.rows.reset(keptRows)
	l.versions.reset(keptRows)
	l.links.reset(keptRows)
	l.texts.reset(keptBytes)
	l.bytes, l.last = 0, nil
	clear(l.orders)
}

// orderOf returns the order of a place that a row is added to.
func (l *Level) orderOf(place Place) *order {
	if l.last != nil && l.last.place == place {
		return l.last
	}
	l.last = l.orders[place] // which nobody else changes
	if l.last == nil {
		l.last = &order{level: l, place: place}
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

// worthOrdering is how many rows are put in order before they are asked for: the more at once, the less each of them takes.
const worthOrdering = 64

// Order puts rows in order where somebody has walked before, so that whoever walks there next does not find too many that wait. It may run
// beside anything but Reset.
func (l *Level) Order() {
	for _, o := range l.unordered() {
		o.link()
	}
}

// unordered returns the orders in which somebody has walked and enough rows wait.
func (l *Level) unordered() (found []*order) {
	l.mutex.RLock()
	defer l.mutex.RUnlock()
	for _, o := range l.orders {
		if o.walked.Load() && o.waits(worthOrdering) {
			found = append(found, o)
		}
	}
	return found
}

// addLinks makes so many links side by side.
func (l *Level) addLinks(n int) (first uint32) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.links.add(uint32(n))
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
