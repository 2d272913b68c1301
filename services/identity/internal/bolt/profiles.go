package bolt

import (
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/record"
	"github.com/sojournhq/sojourn/services/identity/internal/directory"
	"github.com/sojournhq/sojourn/services/identity/internal/profile"
)

// Where the fields stand in a UserRow, behind its times, and in an AccountRow.
const (
	userLast      = 1
	userQuiet     = 3
	userFields    = 2
	accountFields = 1
)

// profileRow is a UserRow or an AccountRow as a transaction changes it. Nearly every call changes the times alone, so the fields stay as they
// are stored until one has to be merged into them.
type profileRow struct {
	stored  []byte // what stands behind the times; until it is read
	changed bool   // something is to be stored
	isNew   bool   // nothing was stored
	read    bool
	fields  []profile.Field
	lastMS  int64 // event time of the latest call
	seenMS  int64 // event time of the latest activity, or directory.NeverSeen
}

// call takes in the event time of a call.
func (r *profileRow) call(ms int64, isActivity bool) {
	if ms > r.lastMS {
		r.lastMS, r.changed = ms, true
	}
	if isActivity && ms > r.seenMS {
		r.seenMS, r.changed = ms, true
	}
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

// append appends the row, with its times if timed says so and the fields under a number.
func (r *profileRow) append(dst []byte, timed bool, number protowire.Number) []byte {
	if timed {
		dst = record.AppendInt(dst, userLast, uint64(r.lastMS))
		dst = record.AppendInt(dst, userQuiet, uint64(r.lastMS-r.seenMS))
	}
	if r.read {
		return appendFields(dst, number, r.fields)
	}
	return append(dst, r.stored...)
}

// open takes in a row as it is stored, with times or without.
func (r *profileRow) open(key, sealed []byte, timed bool) (err error) {
	if r.stored, err = record.Open(key, sealed); err != nil || !timed {
		return err
	}
	quietMS := int64(0)
	for f := record.ReadFields(r.stored); f.Next() && (f.Number == userLast || f.Number == userQuiet); r.stored = f.Rest() {
		if f.Number == userLast {
			r.lastMS = int64(f.Int)
		} else {
			quietMS = int64(f.Int)
		}
	}
	r.seenMS = r.lastMS - quietMS
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
	// timed says whether the rows begin with times.
	timed  bool
	number protowire.Number

	rows  map[K]*profileRow
	room  []byte // for one key
	order []K    // in which they were asked for first, so that the same calls always write the same file
}

func newUsers(table *boltdb.Bucket) *profiles[directory.UserKey] {
	return &profiles[directory.UserKey]{
		table: table, timed: true, number: userFields, rows: map[directory.UserKey]*profileRow{},
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
		row.changed, row.isNew, row.seenMS = true, true, directory.NeverSeen
	} else if err := row.open(p.room, sealed, p.timed); err != nil {
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
		value = record.Seal(key, row.append(value[:0], p.timed, p.number))
		if err := putSealed(p.table, key, value); err != nil {
			return err
		}
	}
	clear(p.rows)
	p.order = p.order[:0]
	return nil
}
