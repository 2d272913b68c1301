package rows

import (
	"bytes"
	"sync/atomic"
)

// index finds rows by their hash, while rows are added. It is a table with open addressing: a row stands in the first slot from where its
// hash points that was free.
type index struct {
	slots atomic.Pointer[[]slot] // as many as a power of two; replaced when it has to grow
	used  int
}

// slot holds a row. Its hash is written before the row is, and so can be read by whoever has seen the row.
type slot struct {
	hash uint64
	row  atomic.Pointer[Row]
}

const minSlots = 32

// find returns the row under a key, nil if there is none.
func (x *index) find(hash uint64, place Place, key []byte) *Row {
	slots := x.slots.Load()
	if slots == nil {
		return nil
	}
	last := uint64(len(*slots) - 1)
	for i := hash & last; ; i = (i + 1) & last {
		at := &(*slots)[i]
		r := at.row.Load()
		if r == nil || at.hash == hash && r.place == place && bytes.Equal(r.key, key) {
			return r
		}
	}
}

// add adds a row that is not there.
func (x *index) add(r *Row) {
	slots := x.slots.Load()
	if slots == nil || 3*(x.used+1) > 2*len(*slots) {
		slots = x.grow()
	}
	enter(*slots, r)
	x.used++
}

// grow makes twice as many slots. Who has the old ones still finds there what was committed before.
func (x *index) grow() *[]slot {
	var old []slot
	if slots := x.slots.Load(); slots != nil {
		old = *slots
	}
	grown := make([]slot, max(2*len(old), minSlots))
	for i := range old {
		if r := old[i].row.Load(); r != nil {
			enter(grown, r)
		}
	}
	x.slots.Store(&grown)
	return &grown
}

func enter(slots []slot, r *Row) {
	last := uint64(len(slots) - 1)
	i := r.hash & last
	for slots[i].row.Load() != nil {
		i = (i + 1) & last
	}
	slots[i].hash = r.hash
	slots[i].row.Store(r)
}

// reset empties the index. Slots that are many more than were used are not kept: emptying them would take longer than making them.
func (x *index) reset() {
	if slots := x.slots.Load(); slots != nil {
		if len(*slots) > 16*max(x.used, minSlots) {
			x.slots.Store(nil)
		} else {
			clear(*slots)
		}
	}
	x.used = 0
}
