package bolt

import (
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/record"
	"github.com/sojournhq/sojourn/services/identity/internal/directory"
	"github.com/sojournhq/sojourn/services/identity/internal/profile"
)

// Where the fields stand in a UserRow, behind the latest time, and in an AccountRow.
const (
	userLast      = 1
	userFields    = 2
	accountFields = 1
)

// profileRow is a UserRow or an AccountRow as a transaction changes it. Nearly every call changes the latest time alone, so the fields stay
// as they are stored until one has to be merged into them.
type profileRow struct {
	stored  []byte // what stands behind the latest time; until it is read
	changed bool   // something is to be stored
	isNew   bool   // nothing was stored
	read    bool
	fields  []profile.Field
	lastMS  int64
}

// merge lets do change the fields, which stand in the row under a number.
func (r *profileRow) merge(number protowire.Number, do func([]profile.Field) []profile.Field) (err error) {
	if !r.read {
		if r.fields, err = readFields(r.stored, number); err != nil {
			return err
		}
		r.read = true
	}
	r.fields, r.changed = do(r.fields), true
	return nil
}

// append appends the row, with the latest time if last says so and the fields under a number.
func (r *profileRow) append(dst []byte, last bool, number protowire.Number) []byte {
	if last {
		dst = record.AppendInt(dst, userLast, uint64(r.lastMS))
	}
	if r.read {
		return appendFields(dst, number, r.fields)
	}
	return append(dst, r.stored...)
}

// open takes in a row as it is stored.
func (r *profileRow) open(key, sealed []byte, last bool) (err error) {
	if r.stored, err = record.Open(key, sealed); err != nil {
		return err
	}
	if fields := record.ReadFields(r.stored); last && fields.Next() && fields.Number == userLast {
		r.lastMS, r.stored = int64(fields.Int), fields.Rest()
	}
	return nil
}

// readUser reads a row of a user.
func readUser(key, sealed []byte) (row profileRow, err error) {
	if err = row.open(key, sealed, true); err != nil {
		return row, err
	}
	row.fields, err = readFields(row.stored, userFields)
	row.read = true
	return row, err
}

// profiles holds the rows of one table that a transaction changes, so that each is read once and written once, however many calls of a
// batch change it.
type profiles[K comparable] struct {
	table *boltdb.Bucket
	key   func(dst []byte, k K) []byte
	// last says whether the rows begin with the latest time.
	last   bool
	number protowire.Number

	rows  map[K]*profileRow
	room  []byte // for one key
	order []K    // in which they were asked for first, so that the same calls always write the same file
}

func newUsers(table *boltdb.Bucket) *profiles[directory.UserKey] {
	return &profiles[directory.UserKey]{
		table: table, last: true, number: userFields, rows: map[directory.UserKey]*profileRow{},
		key: func(dst []byte, k directory.UserKey) []byte { return appendUserKey(dst, k.UserID, k.AccountID) },
	}
}

func newAccounts(table *boltdb.Bucket) *profiles[string] {
	return &profiles[string]{table: table, number: accountFields, rows: map[string]*profileRow{}, key: appendAccountKey}
}

// row returns the row of k, a new one if there is none.
func (p *profiles[K]) row(k K) (*profileRow, error) {
	if row, ok := p.rows[k]; ok {
		return row, nil
	}
	p.room = p.key(p.room[:0], k)
	row := &profileRow{}
	if sealed := p.table.Get(p.room); sealed == nil {
		row.changed, row.isNew = true, true
	} else if err := row.open(p.room, sealed, p.last); err != nil {
		return nil, err
	}
	p.rows[k] = row
	p.order = append(p.order, k)
	return row, nil
}

// flush writes the rows that have changed, and forgets all.
func (p *profiles[K]) flush() error {
	var key, value []byte
	for _, k := range p.order {
		row := p.rows[k]
		if !row.changed {
			continue
		}
		key = p.key(key[:0], k)
		value = record.Seal(key, row.append(value[:0], p.last, p.number))
		if err := putSealed(p.table, key, value); err != nil {
			return err
		}
	}
	clear(p.rows)
	p.order = p.order[:0]
	return nil
}
