package bolt

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"github.com/sojournhq/sojourn/internal/domain/day"
	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/internal/kit/record"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// modulesInDay is how many modules stand in the row of a day: nearly always all. Each further one has a row of its own, so that the row is
// written as fast as ever, however many modules a robot names.
const modulesInDay = 32

// daySums is what the sessions of one owner on one day add up to: its row.
type daySums struct {
	total session.Sum
	// modules holds the first modules, by number; how many further ones have rows of their own says more.
	modules []moduleSum
	more    uint64
}

type moduleSum struct {
	module session.Name
	session.Sum
}

func (d *daySums) empty() bool { return d.total == session.Sum{} && len(d.modules) == 0 && d.more == 0 }

// isSorted says whether the modules stand as they are written: each once, by number, and not as if together they were one.
func (d *daySums) isSorted() bool {
	for i, m := range d.modules {
		if m.module == session.AllModules || i > 0 && m.module <= d.modules[i-1].module {
			return false
		}
	}
	return true
}

// find returns where the sum of a module stands, or would.
func (d *daySums) find(module session.Name) (i int, found bool) { return findModule(d.modules, module) }

func findModule(sums []moduleSum, module session.Name) (i int, found bool) {
	return slices.BinarySearchFunc(sums, module, func(m moduleSum, module session.Name) int { return cmp.Compare(m.module, module) })
}

// dayID names a row of days.
type dayID struct {
	owner

	day day.Day
}

func (id dayID) appendKey(dst []byte) []byte {
	for _, n := range [...]uint32{uint32(id.account), uint32(id.user), uint32(id.day)} {
		dst = keys.AppendUint32(dst, n)
	}
	return dst
}

func (id dayID) key() []byte { return id.appendKey(make([]byte, 0, furtherKeySize)) }

// A day's own key, and that of a further module, which stands behind it.
const (
	dayKeySize     = 3 * 4
	furtherKeySize = dayKeySize + 4
)

// parseDayKey reads the day from the key of a row of days, and the module, if it is the row of one.
func parseDayKey(key []byte) (d day.Day, module session.Name, further bool, err error) {
	if len(key) != dayKeySize && len(key) != furtherKeySize {
		return 0, 0, false, fmt.Errorf("%w: key of daily sums", record.ErrCorrupt)
	}
	r := keys.Read(key[2*4:])
	d = day.Day(r.Uint32())
	if further = len(key) == furtherKeySize; further {
		module = session.Name(r.Uint32())
	}
	return d, module, further, nil
}

// rows is a table that can be written to. Put copies what it is given.
type rows interface {
	Get(key []byte) []byte
	Put(key, value []byte) error
	Delete(key []byte) error
}

// dayWriter changes rows of days.
type dayWriter struct {
	into rows

	sums  daySums
	key   []byte
	value []byte
}

// add adds to the sums of a day; by holds them by module, that of AllModules last.
func (w *dayWriter) add(id dayID, by []moduleSum) error {
	if !slices.ContainsFunc(by, func(m moduleSum) bool { return m.Sum != session.Sum{} }) {
		return nil
	}
	w.key = id.appendKey(w.key[:0])
	w.sums = daySums{modules: w.sums.modules[:0]}
	if sealed := w.into.Get(w.key); sealed != nil {
		if err := decodeDay(&w.sums, w.key, sealed); err != nil {
			return err
		}
	}
	for _, m := range by {
		if err := w.addModule(m); err != nil {
			return err
		}
	}
	w.key = w.key[:dayKeySize]
	if w.sums.empty() {
		return w.into.Delete(w.key)
	}
	w.value = record.Seal(w.key, appendDay(w.value[:0], &w.sums))
	return w.into.Put(w.key, w.value)
}

func (w *dayWriter) addModule(by moduleSum) error {
	d := &w.sums
	if by.Sum == (session.Sum{}) {
		return nil
	}
	if by.module == session.AllModules {
		d.total = d.total.Plus(by.Sum)
		return nil
	}
	i, found := d.find(by.module)
	if !found {
		if done, err := w.addFurther(by); done || err != nil {
			return err
		}
		d.modules = slices.Insert(d.modules, i, moduleSum{module: by.module})
	}
	if d.modules[i].Sum = d.modules[i].Plus(by.Sum); d.modules[i].Sum == (session.Sum{}) {
		d.modules = slices.Delete(d.modules, i, i+1)
	}
	return nil
}

// addFurther adds to the sum of a module that does not stand in the day's row, if it has a row of its own or the day's has no room.
func (w *dayWriter) addFurther(by moduleSum) (done bool, err error) {
	d := &w.sums
	if d.more == 0 && len(d.modules) < modulesInDay {
		return false, nil
	}
	key := keys.AppendUint32(w.key[:dayKeySize], uint32(by.module))
	var was session.Sum
	sealed := w.into.Get(key)
	if sealed != nil {
		if was, err = decodeSum(key, sealed); err != nil {
			return false, err
		}
	}
	now := was.Plus(by.Sum)
	switch {
	case sealed == nil && len(d.modules) < modulesInDay:
		return false, nil
	case now == session.Sum{}:
		d.more--
		return true, w.into.Delete(key)
	case sealed == nil:
		d.more++
	}
	w.value = record.Seal(key, appendSum(w.value[:0], now))
	return true, w.into.Put(key, w.value)
}

// dropDay deletes all rows of a day.
func (t *tables) dropDay(id dayID) error {
	prefix := id.key()
	cursor := t.days.Cursor()
	for key, _ := cursor.Seek(prefix); bytes.HasPrefix(key, prefix); key, _ = cursor.Seek(prefix) {
		if err := t.days.Delete(key); err != nil {
			return fmt.Errorf("delete daily sums: %w", err)
		}
	}
	return nil
}
