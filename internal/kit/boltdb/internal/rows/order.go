package rows

import (
	"bytes"
	"math/bits"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
)

// order has the rows of one place in order of their keys, as far as somebody has asked for it: a skip list, in which readers go on while
// rows are added, and rows that wait. Rows go by their numbers; 0 is none, and what stands before all others.
type order struct {
	level *Level
	place Place

	adding  sync.Mutex // guards what waits
	waiting uint32     // the last one that was added; its next is the one before
	count   int        // how many wait

	walked atomic.Bool // whether somebody has walked here

	linking sync.Mutex               // held while rows are put into the list
	heads   [maxHeight]atomic.Uint32 // the first row of every height
}

// maxHeight is enough for 4^12 rows.
const maxHeight = 12

// add adds a row, which is not put in its place before somebody wants that.
func (o *order) add(r uint32) {
	o.adding.Lock()
	defer o.adding.Unlock()
	o.level.rows.at(r).next.Store(o.waiting)
	o.waiting = r
	o.count++
}

// waits says whether so many rows wait, or more.
func (o *order) waits(rows int) bool {
	o.adding.Lock()
	defer o.adding.Unlock()
	return o.count >= rows
}

// newcomer is a row that is to be put in its place.
type newcomer struct {
	key []byte
	row uint32
}

// take takes the rows that wait, in order of their keys.
func (o *order) take() []newcomer {
	o.adding.Lock()
	defer o.adding.Unlock()
	if o.count == 0 {
		return nil
	}
	taken := make([]newcomer, 0, o.count)
	for r := o.waiting; r != 0; r = o.level.rows.at(r).next.Load() {
		taken = append(taken, newcomer{o.key(r), r})
	}
	o.waiting, o.count = 0, 0
	return taken
}

func (o *order) key(r uint32) []byte { return o.level.texts.get(o.level.rows.at(r).key) }

// link puts all rows that were added before in their places. The one who adds does not wait for it.
func (o *order) link() {
	o.linking.Lock()
	defer o.linking.Unlock()
	taken := o.take()
	slices.SortFunc(taken, func(a, b newcomer) int { return bytes.Compare(a.key, b.key) })
	var before [maxHeight]uint32
	for _, r := range taken {
		o.advance(&before, r.key)
		o.insert(&before, r.row)
	}
}

// advance moves to the last row of every height whose key is less, from such rows for a lesser key.
func (o *order) advance(before *[maxHeight]uint32, key []byte) {
	height := 0
	for height < maxHeight && o.isLess(o.after(before[height], height), key) {
		height++
	}
	for height--; height >= 0; height-- {
		before[height] = o.lastBefore(before[height], height, key)
		if height > 0 {
			before[height-1] = before[height] // it lies behind where that stood
		}
	}
}

// insert puts a row behind those of every height that are before it. The lowest comes first: whoever finds the row finds what follows it.
func (o *order) insert(before *[maxHeight]uint32, r uint32) {
	tall := 1 + bits.TrailingZeros64(rand.Uint64()|1<<(2*maxHeight-2))/2 //nolint:gosec // no secret
	if tall > 1 {
		o.level.rows.at(r).upper = o.level.addLinks(tall - 1)
	}
	for height := range tall {
		o.linkOf(r, height).Store(o.after(before[height], height))
		o.linkOf(before[height], height).Store(r)
		before[height] = r
	}
}

// linkOf is where the next row of a height stands.
func (o *order) linkOf(r uint32, height int) *atomic.Uint32 {
	switch {
	case r == 0:
		return &o.heads[height]
	case height == 0:
		return &o.level.rows.at(r).next
	default:
		return o.level.links.at(o.level.rows.at(r).upper + uint32(height-1))
	}
}

// after returns the next row of a height, 0 if there is none.
func (o *order) after(r uint32, height int) uint32 { return o.linkOf(r, height).Load() }

// isLess says whether there is a row and its key is less.
func (o *order) isLess(r uint32, key []byte) bool { return r != 0 && bytes.Compare(o.key(r), key) < 0 }

// lastBefore returns the last row of a height whose key is less, from one on that has such a key or stands before all.
func (o *order) lastBefore(r uint32, height int, key []byte) uint32 {
	for next := o.after(r, height); o.isLess(next, key); next = o.after(r, height) {
		r = next
	}
	return r
}

// before returns the last row whose key is less, 0 if there is none.
func (o *order) before(key []byte) uint32 {
	var r uint32
	for height := maxHeight - 1; height >= 0; height-- {
		r = o.lastBefore(r, height, key)
	}
	return r
}

// seek returns the first row whose key is not less, 0 if there is none.
func (o *order) seek(key []byte) uint32 { return o.after(o.before(key), 0) }

// lastRow returns the last row, 0 if there is none.
func (o *order) lastRow() uint32 {
	var r uint32
	for height := maxHeight - 1; height >= 0; height-- {
		for next := o.after(r, height); next != 0; next = o.after(r, height) {
			r = next
		}
	}
	return r
}
