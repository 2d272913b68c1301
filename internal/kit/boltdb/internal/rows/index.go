package rows

import (
	"bytes"
	"iter"
	"math/bits"
	"sync/atomic"
)

// index finds the rows of a level by their hash, while rows are added. It is a directory of tables: the first bits of a hash say in which
// one a row is, and there it stands in the first slot that was free from where other bits point. A table that is full is replaced by two,
// so growing never takes long, however many rows there are.
type index struct {
	directory atomic.Pointer[[]atomic.Pointer[table]] // as many as a power of two; a table stands in it once or more, side by side
	depth     int                                     // of the directory: how many bits of a hash choose an entry
	used      int
}

// table is slots, as many as a power of two.
type table struct {
	slots []slot
	depth int // how many first bits the hashes in it share
	used  int
}

// slot has the tag of a row's hash, and the row's number below it. 0: it is free.
type slot = atomic.Uint64

const (
	numberBits = 32
	tagBits    = 64 - numberBits
	minSlots   = 32
	maxSlots   = 512 // of a table that can be replaced by two
)

// tagOf returns the part of a hash that the index knows.
func tagOf(hash uint64) uint32 { return uint32(hash >> numberBits) }

// tableOf returns the table for a tag, nil while there is none.
func (x *index) tableOf(tag uint32) *table {
	directory := x.directory.Load()
	if directory == nil {
		return nil
	}
	return (*directory)[uint64(tag)*uint64(len(*directory))>>tagBits].Load()
}

// find returns the row under a key, nil if there is none.
func (l *Level) find(hash uint64, place Place, key []byte) *row {
	tag := tagOf(hash)
	t := l.index.tableOf(tag)
	if t == nil {
		return nil
	}
	last := uint32(len(t.slots) - 1)
	for i := tag & last; ; i = (i + 1) & last {
		at := t.slots[i].Load()
		if at == 0 {
			return nil
		}
		if uint32(at>>numberBits) != tag {
			continue
		}
		if r := l.rows.at(uint32(at)); r.place == place && bytes.Equal(l.texts.get(r.key), key) {
			return r
		}
	}
}

// add adds a row that is not there. Whoever has a table that is replaced meanwhile still finds there what was committed before.
func (x *index) add(hash uint64, number uint32) {
	tag := tagOf(hash)
	t := x.tableOf(tag)
	for t == nil || 3*(t.used+1) > 2*len(t.slots) {
		x.makeRoom(t, tag)
		t = x.tableOf(tag)
	}
	t.enter(uint64(tag)<<numberBits | uint64(number))
	x.used++
}

func (t *table) enter(said uint64) {
	last := uint32(len(t.slots) - 1)
	i := uint32(said>>numberBits) & last
	for t.slots[i].Load() != 0 {
		i = (i + 1) & last
	}
	t.slots[i].Store(said)
	t.used++
}

// makeRoom replaces the table for a tag: by a larger one while it is small, then by two.
func (x *index) makeRoom(t *table, tag uint32) {
	if t == nil {
		first := make([]atomic.Pointer[table], 1)
		first[0].Store(&table{slots: make([]slot, minSlots)})
		x.directory.Store(&first)
		return
	}
	if len(t.slots) < maxSlots || t.depth >= bits.Len(uint(x.used/minSlots)) { // so many hashes that begin alike are no accident
		grown := &table{slots: make([]slot, 2*len(t.slots)), depth: t.depth}
		t.pour(func(uint32) *table { return grown })
		x.put(tag, t.depth, grown)
		return
	}
	if t.depth == x.depth {
		x.deepen()
	}
	var halves [2]*table
	for i := range halves {
		halves[i] = &table{slots: make([]slot, len(t.slots)), depth: t.depth + 1} // one may get everything
	}
	bit := tagBits - 1 - t.depth
	t.pour(func(tag uint32) *table { return halves[tag>>bit&1] })
	x.put(tag&^(1<<bit), t.depth+1, halves[0])
	x.put(tag|1<<bit, t.depth+1, halves[1])
}

// pour enters all that a table has into others.
func (t *table) pour(to func(tag uint32) *table) {
	for i := range t.slots {
		if said := t.slots[i].Load(); said != 0 {
			to(uint32(said >> numberBits)).enter(said)
		}
	}
}

// deepen makes a directory of twice as many entries.
func (x *index) deepen() {
	old := *x.directory.Load()
	deeper := make([]atomic.Pointer[table], 2*len(old))
	for i := range deeper {
		deeper[i].Store(old[i/2].Load())
	}
	x.depth++
	x.directory.Store(&deeper)
}

// put has a table in all entries for tags that share their first bits with one.
func (x *index) put(tag uint32, depth int, t *table) {
	directory := *x.directory.Load()
	entries := 1 << (x.depth - depth)
	first := int(uint64(tag)*uint64(len(directory))>>tagBits) &^ (entries - 1)
	for i := range entries {
		directory[first+i].Store(t)
	}
}

// reset empties the index. Slots that are many more than were used are not kept: emptying them would take longer than making them.
func (x *index) reset() {
	directory := x.directory.Load()
	if directory == nil {
		return
	}
	slots := 0
	for t := range x.tables(*directory) {
		slots += len(t.slots)
	}
	if slots > min(16*max(x.used, minSlots), keptSlots) {
		x.directory.Store(nil)
		x.depth = 0
	} else {
		for t := range x.tables(*directory) {
			clear(t.slots)
			t.used = 0
		}
	}
	x.used = 0
}

// tables returns each table of a directory once.
func (x *index) tables(directory []atomic.Pointer[table]) iter.Seq[*table] {
	return func(yield func(*table) bool) {
		for i := 0; i < len(directory); {
			t := directory[i].Load()
			if !yield(t) {
				return
			}
			i += 1 << (x.depth - t.depth)
		}
	}
}
