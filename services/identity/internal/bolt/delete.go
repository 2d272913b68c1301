package bolt

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/internal/kit/record"
	"github.com/sojournhq/sojourn/services/identity/internal/directory"
	"github.com/sojournhq/sojourn/services/identity/internal/profile"
)

// DeleteUser implements directory.Store.
func (s *Store) DeleteUser(ctx context.Context, workspace, userID string, untilMS int64) (directory.Deleted, error) {
	removed, err := boltdb.Do(ctx, s.db, func(tx *boltdb.Tx) (directory.Deleted, error) {
		t, err := writable(tx, workspace)
		if err != nil {
			return directory.Deleted{}, err
		}
		removed, err := t.deleteUser(userID, untilMS)
		if err != nil {
			return removed, err
		}
		removed.Kept, err = t.kept.forget(t.gone, userID)
		return removed, err
	})
	if err != nil {
		return directory.Deleted{}, fmt.Errorf("delete a user: %w", err)
	}
	return removed, nil
}

// deleteUser does the same for a recorder, whose users and links are not stored yet. What is kept of rejections it looks through once for
// the whole batch, in the end.
func (r *recorder) deleteUser(userID string, untilMS int64) error {
	if err := cmp.Or(r.userRows.flush(), r.learner.Store()); err != nil {
		return err
	}
	r.deletes = append(r.deletes, userID)
	if _, err := r.tables.deleteUser(userID, untilMS); err != nil {
		return err
	}
	return r.readDeleted()
}

func (t *tables) deleteUser(userID string, untilMS int64) (removed directory.Deleted, err error) {
	if err := t.gone.Put(userID, untilMS); err != nil {
		return removed, err
	}
	links, err := t.links.Forget(userID, untilMS, t.lastCall)
	if err != nil {
		return removed, err
	}
	removed.Links = int64(links)
	prefix := keys.AppendString(nil, userID)
	var names [][]byte
	cursor := t.users.Cursor()
	for key, _ := cursor.Seek(prefix); bytes.HasPrefix(key, prefix); key, _ = cursor.Next() {
		names = append(names, bytes.Clone(key))
	}
	for _, key := range names {
		gone, err := t.deleteFields(key, untilMS)
		if err != nil {
			return removed, err
		}
		if gone {
			removed.Users++
		}
	}
	return removed, nil
}

// lastCall returns the event time of the latest call that named a user and an account. Their link does not know it: see recorder.apply.
func (t *tables) lastCall(userID, accountID string) (ms int64, err error) {
	key := userKey(userID, accountID)
	sealed := t.users.Get(key)
	if sealed == nil {
		return 0, nil
	}
	var row profileRow
	err = row.open(key, sealed, true)
	return row.lastMS, err
}

// deleteFields removes what one row has of calls up to a time, and the row if no call after it made it.
func (t *tables) deleteFields(key []byte, untilMS int64) (gone bool, err error) {
	row, err := readUser(key, t.users.Get(key))
	if err != nil {
		return false, err
	}
	if row.lastMS <= untilMS {
		if err := t.users.Delete(key); err != nil {
			return false, fmt.Errorf("delete a user: %w", err)
		}
		return true, nil
	}
	before := len(row.fields)
	row.fields = slices.DeleteFunc(row.fields, func(f profile.Field) bool { return f.At.TimeMS <= untilMS })
	seen := row.seenMS > untilMS
	if len(row.fields) == before && (seen || row.seenMS == directory.NeverSeen) {
		return false, nil
	}
	if !seen {
		row.seenMS = directory.NeverSeen // of several activities only the latest is kept, so no other is later than untilMS
	}
	return false, putSealed(t.users, key, record.Seal(key, row.append(nil, true, userFields)))
}

// Compact writes the file that the options name, which must not be open, anew, so that nothing of what was deleted is left in it.
func Compact(o boltdb.Options) error {
	o = Mark(o)
	return boltdb.Compact(o, func(*boltdb.Tx) error { return nil })
}
