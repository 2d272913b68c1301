package bolt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"

	bbolt "go.etcd.io/bbolt"

	"github.com/sojournhq/sojourn/internal/domain/day"
	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/internal/kit/record"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// oldSums is where formats 1 and 2 keep what days holds since: account, user, module, day → SumRow.
var oldSums = []byte("sums")

// oldSumKeySize is that of their keys.
const oldSumKeySize = 4 * 4

// upgradeRows makes format 3 of format 2: one row for all sums of a day. It holds the sums of one owner in memory, and what bbolt has to
// write.
func upgradeRows(tx *bbolt.Tx) error {
	workspaces := tx.Bucket(workspacesBucket)
	if workspaces == nil {
		return nil
	}
	return workspaces.ForEachBucket(func(name []byte) error {
		if err := upgradeSums(workspaces.Bucket(name)); err != nil {
			return fmt.Errorf("sums of workspace %q: %w", name, err)
		}
		return nil
	})
}

func upgradeSums(workspace *bbolt.Bucket) error {
	days, err := workspace.CreateBucketIfNotExists(daysTable)
	if err != nil {
		return err
	}
	days.FillPercent = 0.9 // they come in order
	sums := workspace.Bucket(oldSums)
	if sums == nil {
		return nil
	}
	to := &dayWriter{into: bboltRows{days}}
	cursor := sums.Cursor()
	for key, sealed := cursor.First(); key != nil; {
		var of oldOwner
		if key, sealed, err = of.read(cursor, key, sealed); err != nil {
			return err
		}
		if err := of.write(to); err != nil {
			return err
		}
	}
	return workspace.DeleteBucket(oldSums)
}

// bboltRows is a table of bbolt itself, which holds on to the values that it is given until its transaction ends.
type bboltRows struct{ *bbolt.Bucket }

func (r bboltRows) Put(key, value []byte) error { return r.Bucket.Put(key, bytes.Clone(value)) }

// oldOwner is the sums of one owner in format 2.
type oldOwner struct {
	owner

	days map[day.Day][]moduleSum // by module
	// damaged has one sum that cannot be read of each day that has any, as it was found.
	damaged map[day.Day][]byte
}

// read reads the sums of the owner of a row, and returns the row behind them.
func (o *oldOwner) read(cursor *bbolt.Cursor, key, sealed []byte) (nextKey, next []byte, err error) {
	o.days, o.damaged = map[day.Day][]moduleSum{}, map[day.Day][]byte{}
	if len(key) == oldSumKeySize {
		o.owner = owner{session.Name(binary.BigEndian.Uint32(key)), session.Name(binary.BigEndian.Uint32(key[4:]))}
	}
	for prefix := o.prefix(); key != nil && bytes.HasPrefix(key, prefix); key, sealed = cursor.Next() {
		if len(key) != oldSumKeySize {
			break
		}
		r := keys.Read(key[len(prefix):])
		module, d := session.Name(r.Uint32()), day.Day(r.Uint32())
		s, err := decodeSum(key, sealed)
		switch {
		case errors.Is(err, record.ErrCorrupt):
			o.damaged[d] = sealed
		case err != nil:
			return nil, nil, err
		default:
			o.days[d] = append(o.days[d], moduleSum{module, s})
		}
	}
	if key != nil && len(key) != oldSumKeySize {
		return nil, nil, fmt.Errorf("%w: key of a sum", record.ErrCorrupt)
	}
	return key, sealed, nil
}

// write stores them by day. A day with a damaged sum is stored as damaged: it is refused as that sum was, named by verify, and repaired by
// rebuild.
func (o *oldOwner) write(to *dayWriter) error {
	for d := range o.damaged {
		delete(o.days, d)
	}
	for _, d := range slices.Sorted(maps.Keys(o.days)) {
		if err := to.add(dayID{o.owner, d}, o.days[d]); err != nil {
			return err
		}
	}
	for _, d := range slices.Sorted(maps.Keys(o.damaged)) {
		key := dayID{o.owner, d}.key()
		if err := to.into.Put(key, append(bytes.Clone(o.damaged[d]), 0)); err != nil {
			return err
		}
	}
	return nil
}
