package rows

import "math"

// View is what a level said after one of its commits.
type View struct {
	level *Level
	at    uint32
}

// Views that are of no commit.
const (
	everything = math.MaxUint32
	following  = everything - 1
)

// Close ends a view.
func (v View) Close() {
	switch v.at {
	case everything:
	case following:
		v.level.followers.Add(-1)
	default:
		v.level.readers.Add(-1)
	}
}

// Find returns what is said under a key, nil if that is that there is no row, and whether anything is.
func (v View) Find(hash uint64, place Place, key []byte) (value []byte, found bool) {
	r := v.level.find(hash, place, key)
	if r == nil {
		return nil, false
	}
	said := v.level.versionAt(r, v.at)
	if said == nil {
		return nil, false
	}
	return v.level.texts.get(said.value), true
}

// Cursor walks the rows of a place in order of their keys, also those that are deleted.
type Cursor struct {
	view  View
	place Place
	order *order // nil: not looked for yet, or there is none
	row   uint32 // 0: it stands nowhere
	said  *version
}

// Cursor returns a cursor that stands nowhere.
func (v View) Cursor(place Place) Cursor { return Cursor{view: v, place: place} }

// Key returns the key of the row that it stands at, nil if at none. There are no empty keys where rows are walked.
func (c *Cursor) Key() []byte {
	if c.row == 0 {
		return nil
	}
	return c.order.key(c.row)
}

// Value returns what the row says that it stands at; nil: that it is deleted.
func (c *Cursor) Value() []byte {
	if c.row == 0 {
		return nil
	}
	return c.view.level.texts.get(c.said.value)
}

// Seek moves to the first row whose key is not less.
func (c *Cursor) Seek(key []byte) {
	if c.row = 0; c.ordered() {
		c.ahead(c.order.seek(key))
	}
}

// SeekBefore moves to the last row whose key is less.
func (c *Cursor) SeekBefore(key []byte) {
	if c.row = 0; c.ordered() {
		c.back(c.order.before(key))
	}
}

// Last moves to the last row.
func (c *Cursor) Last() {
	if c.row = 0; c.ordered() {
		c.back(c.order.lastRow())
	}
}

// Next moves to the row behind the one that it stands at.
func (c *Cursor) Next() { c.ahead(c.order.after(c.row, 0)) }

// Prev moves to the row before the one that it stands at.
func (c *Cursor) Prev() { c.back(c.order.before(c.Key())) }

// ordered sees to it that all rows of the view are in order, and says whether there are any. What is added after a reader began it never
// sees, so it needs that once.
func (c *Cursor) ordered() bool {
	if c.order == nil || c.view.at == everything {
		if c.order = c.view.level.order(c.place); c.order == nil {
			return false
		}
		c.order.walked.Store(true)
		c.order.link()
	}
	return true
}

// ahead goes from a row on to the first that the view has.
func (c *Cursor) ahead(r uint32) {
	for ; r != 0; r = c.order.after(r, 0) {
		if c.stand(r) {
			return
		}
	}
	c.row = 0
}

// back goes from a row back to the first that the view has.
func (c *Cursor) back(r uint32) {
	for ; r != 0; r = c.order.before(c.order.key(r)) {
		if c.stand(r) {
			return
		}
	}
	c.row = 0
}

// stand moves to a row if the view has it.
func (c *Cursor) stand(r uint32) bool {
	l := c.view.level
	c.row, c.said = r, l.versionAt(l.rows.at(r), c.view.at)
	return c.said != nil
}
