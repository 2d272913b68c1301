package rows

import (
	"bytes"
	"sync/atomic"
)

// index finds the rows of a level by their hash, while rows are added. It is a table with open addressing: a row stands in the first slot
// from where its hash points that was free.
type index struct {
	slots atomic.Pointer[[]slot] // as many as a power of two; replaced when it has to grow
	used  int
}

// slot has the upper half of a row's hash and the row's number below it. 0: it is free.
type slot = atomic.Uint64

const (
	minSlots   = 32
	numberBits = 32
)

func slotOf(hash uint64, number uint32) uint64 { return hash>>numberBits<<numberBits | uint64(number) }

// find returns the row under a key, nil if there is none.
func (l *Level) find(hash uint64, place Place, key []byte) *row {
	slots := l.index.slots.Load()
	if slots == nil {
		return nil
	}
	last := uint64(len(*slots) - 1)
	for i := hash & last; ; i = (i + 1) & last {
		at := (*slots)[i].Load()
		if at == 0 {
			return nil
		}
		if at>>numberBits != hash>>numberBits {
			continue
		}
		if r := l.rows.at(uint32(at)); r.place == place && bytes.Equal(l.texts.get(r.key), key) {
			return r
		}
	}
}

// enter adds a row that is not there to the index.
func (l *Level) enter(hash uint64, number uint32) {
	slots := l.index.slots.Load()
	if slots == nil || 3*(l.index.used+1) > 2*len(*slots) {
		slots = l.growIndex()
	}
	place(*slots, hash, number)
	l.index.used++
}

// growIndex makes twice as many slots. Who has the old ones still finds there what was committed before.
func (l *Level) growIndex() *[]slot {
	var old []slot
	if slots := l.index.slots.Load(); slots != nil {
		old = *slots
	}
	grown := make([]slot, max(2*len(old), minSlots))
	for i := range old {
		if number := uint32(old[i].Load()); number != 0 {
			place(grown, l.rows.at(number).hash, number)
		}
	}
	l.index.slots.Store(&grown)
	return &grown
}

func place(slots []slot, hash uint64, number uint32) {
	last := uint64(len(slots) - 1)
	i := hash & last
	for slots[i].Load() != 0 {
		i = (i + 1) & last
	}
	slots[i].Store(slotOf(hash, number))
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
