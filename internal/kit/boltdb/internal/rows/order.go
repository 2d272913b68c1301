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
// rows are added, and rows that wait.
type order struct {
	place Place

	adding  sync.Mutex // guards what waits
	waiting *Row       // the last one that was added; its next is the one before
	count   int        // how many wait

	linking sync.Mutex // held while rows are put into the list
	head    *Row       // stands before all others; nil at first
}

// maxHeight is enough for 4^12 rows.
const maxHeight = 12

// add adds a row, which is not put in its place before somebody wants that.
func (o *order) add(r *Row) {
	o.adding.Lock()
	defer o.adding.Unlock()
	r.next.Store(o.waiting)
	o.waiting = r
	o.count++
}

// take takes the rows that wait, in order of their keys.
func (o *order) take() []*Row {
	o.adding.Lock()
	defer o.adding.Unlock()
	if o.count == 0 {
		return nil
	}
	rows := make([]*Row, 0, o.count)
	for r := o.waiting; r != nil; r = r.next.Load() {
		rows = append(rows, r)
	}
	o.waiting, o.count = nil, 0
	return rows
}

// link puts all rows that were added before in their places. The one who adds does not wait for it.
func (o *order) link() {
	o.linking.Lock()
	defer o.linking.Unlock()
	if o.head == nil { // also where the first row is only about to be added
		o.head = &Row{upper: make([]atomic.Pointer[Row], maxHeight-1)}
	}
	rows := o.take()
	if rows == nil {
		return
	}
	slices.SortFunc(rows, func(a, b *Row) int { return bytes.Compare(a.key, b.key) })
	var before [maxHeight]*Row
	for height := range before {
		before[height] = o.head
	}
	for _, r := range rows {
		advance(&before, r.key)
		insert(&before, r)
	}
}

// advance moves to the last row of every height whose key is less, from such rows for a lesser key.
func advance(before *[maxHeight]*Row, key []byte) {
	height := 0
	for height < maxHeight && isLess(before[height].after(height), key) {
		height++
	}
	for height--; height >= 0; height-- {
		before[height] = lastBefore(before[height], height, key)
		if height > 0 {
			before[height-1] = before[height] // it lies behind where that stood
		}
	}
}

// insert puts a row behind those of every height that are before it. The lowest comes first: whoever finds the row finds what follows it.
func insert(before *[maxHeight]*Row, r *Row) {
	tall := 1 + bits.TrailingZeros64(rand.Uint64()|1<<(2*maxHeight-2))/2 //nolint:gosec // no secret
	if tall > 1 {
		r.upper = make([]atomic.Pointer[Row], tall-1)
	}
	for height := range tall {
		r.link(height).Store(before[height].after(height))
		before[height].link(height).Store(r)
		before[height] = r
	}
}

// link is where the next row of a height stands.
func (r *Row) link(height int) *atomic.Pointer[Row] {
	if height == 0 {
		return &r.next
	}
	return &r.upper[height-1]
}

// after returns the next row of a height, nil if there is none.
func (r *Row) after(height int) *Row { return r.link(height).Load() }

// isLess says whether there is a row and its key is less.
func isLess(r *Row, key []byte) bool { return r != nil && bytes.Compare(r.key, key) < 0 }

// lastBefore returns the last row of a height whose key is less, from one on that has such a key or is the head.
func lastBefore(r *Row, height int, key []byte) *Row {
	for next := r.after(height); isLess(next, key); next = r.after(height) {
		r = next
	}
	return r
}

// before returns the last row whose key is less, nil if there is none.
func (o *order) before(key []byte) *Row {
	r := o.head
	for height := maxHeight - 1; height >= 0; height-- {
		r = lastBefore(r, height, key)
	}
	return o.unlessHead(r)
}

// seek returns the first row whose key is not less, nil if there is none.
func (o *order) seek(key []byte) *Row {
	if r := o.before(key); r != nil {
		return r.after(0)
	}
	return o.head.after(0)
}

// lastRow returns the last row, nil if there is none.
func (o *order) lastRow() *Row {
	r := o.head
	for height := maxHeight - 1; height >= 0; height-- {
		for next := r.after(height); next != nil; next = r.after(height) {
			r = next
		}
	}
	return o.unlessHead(r)
}

func (o *order) unlessHead(r *Row) *Row {
	if r == o.head {
		return nil
	}
	return r
}
