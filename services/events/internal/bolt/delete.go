package bolt

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/sojournhq/sojourn/internal/domain/day"
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/services/events/internal/usage"
)

// deleteStep is after how many events, of whomever, one call of DeleteUser looks at no further day.
const deleteStep = 200_000

// DeleteUser implements usage.Store. The tombstone comes first, so that nothing that comes meanwhile has to be looked for again. There is
// no index of a user's events: its daily sums say on which days to look for them.
func (s *Store) DeleteUser(ctx context.Context, workspace, userID string, untilMS int64) (removed usage.Deleted, more bool, err error) {
	done, err := s.isDeleted(workspace, userID, untilMS)
	if err != nil || done {
		return usage.Deleted{}, false, err
	}
	links, err := boltdb.Do(ctx, s.db, func(tx *boltdb.Tx) (int, error) {
		t, err := s.writable(tx, workspace)
		if err != nil {
			return 0, err
		}
		if err := t.gone.Put(userID, untilMS); err != nil {
			return 0, err
		}
		return t.links.Forget(userID, untilMS, nil)
	})
	if err != nil {
		return usage.Deleted{}, false, fmt.Errorf("delete a user: %w", err)
	}
	var found deletable
	err = s.db.View(func(tx *boltdb.Tx) error {
		found, err = readable(tx, workspace).deletable(ctx, userID, untilMS)
		return err
	})
	if err != nil {
		return usage.Deleted{}, false, fmt.Errorf("delete a user: %w", err)
	}
	events, err := boltdb.Do(ctx, s.db, func(tx *boltdb.Tx) (int64, error) {
		t, err := s.writable(tx, workspace)
		if err != nil {
			return 0, err
		}
		if len(found.days) == 0 {
			return 0, t.forgetName(userID, found.user)
		}
		return t.deleteAll(found, untilMS)
	})
	if err != nil {
		return usage.Deleted{}, false, fmt.Errorf("delete a user: %w", err)
	}
	return usage.Deleted{Events: events, Links: int64(links)}, len(found.days) > 0, nil
}

// isDeleted says whether a deletion was done to its end before, without writing: the retry of a batch of very many has to get further than
// the attempt before it.
func (s *Store) isDeleted(workspace, userID string, untilMS int64) (done bool, err error) {
	err = s.db.View(func(tx *boltdb.Tx) error {
		t := readable(tx, workspace)
		if t == nil {
			return nil
		}
		covered, err := t.gone.Covers(userID, untilMS)
		if err != nil || !covered {
			return err
		}
		_, named, err := t.names.Find(kindUser, userID)
		done = !named
		return err
	})
	return done, err
}

// deletable is what one step finds of a user.
type deletable struct {
	user uint32
	// sums are the keys of daily sums that count what is to be deleted, on these days.
	sums [][]byte
	days []day.Day
	// events are the keys of the events themselves.
	events [][]byte
}

// deletable looks for the daily sums that count events up to a time, and on the first of their days for the events.
func (t *tables) deletable(ctx context.Context, userID string, untilMS int64) (found deletable, err error) {
	number, ok, err := t.names.Find(kindUser, userID)
	if err != nil || !ok {
		return found, err
	}
	found.user = number
	sums := map[day.Day][][]byte{}
	err = t.eachSum(ctx, number, func(k usageKey, key []byte, row usageRow) {
		if row.firstMS <= untilMS {
			sums[k.day] = append(sums[k.day], key)
		}
	})
	if err != nil {
		return found, err
	}
	looked := 0
	for _, d := range slices.Sorted(maps.Keys(sums)) {
		if looked >= deleteStep {
			break
		}
		found.days, found.sums = append(found.days, d), append(found.sums, sums[d]...)
		err := t.eachEvent(ctx, d, func(key []byte, row eventRow, ms int64) {
			looked++
			if row.user == number && ms <= untilMS {
				found.events = append(found.events, bytes.Clone(key))
			}
		})
		if err != nil {
			return found, err
		}
	}
	return found, nil
}

// eachSum calls do with every daily sum of a user, in whatever account. It steps over those of others.
func (t *tables) eachSum(ctx context.Context, user uint32, do func(usageKey, []byte, usageRow)) error {
	cursor := t.usage.Cursor()
	key, sealed := cursor.First()
	for rows := 1; key != nil; rows++ {
		if rows%rowsPerLook == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		k, err := parseUsageKey(key)
		switch {
		case err != nil:
			return err
		case k.user < user:
			key, sealed = cursor.Seek(usageKey{account: k.account, user: user}.bytes())
		case k.user > user:
			key, sealed = cursor.Seek(usageKey{account: k.account + 1}.bytes())
		default:
			row, err := readUsage(key, sealed)
			if err != nil {
				return err
			}
			do(k, bytes.Clone(key), row)
			key, sealed = cursor.Next()
		}
	}
	return nil
}

// eachEvent calls do with every event of a day.
func (t *tables) eachEvent(ctx context.Context, d day.Day, do func(key []byte, row eventRow, ms int64)) error {
	end := keys.AppendTime(nil, (d + 1).StartMS())
	cursor := t.events.Cursor()
	key, sealed := cursor.Seek(keys.AppendTime(nil, d.StartMS()))
	for rows := 1; key != nil && bytes.Compare(key, end) < 0; rows++ {
		if rows%rowsPerLook == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		row, err := readEvent(key, sealed)
		if err != nil {
			return err
		}
		do(key, row, keys.Read(key).Time())
		key, sealed = cursor.Next()
	}
	return nil
}

// deleteAll deletes what was found. Late calls of the time that is deleted are dropped since the tombstone, so only sums of the day that
// the time lies in can count something else, which is counted again.
func (t *tables) deleteAll(found deletable, untilMS int64) (events int64, err error) {
	for _, key := range found.events {
		if t.events.Get(key) == nil {
			continue
		}
		if err := t.events.Delete(key); err != nil {
			return 0, fmt.Errorf("delete an event: %w", err)
		}
		events++
	}
	for _, key := range found.sums {
		if err := t.usage.Delete(key); err != nil {
			return 0, fmt.Errorf("delete a daily sum: %w", err)
		}
	}
	today := day.Of(untilMS)
	if !slices.Contains(found.days, today) {
		return events, nil
	}
	changes := newSums(t.usage)
	var failed error
	err = t.eachEvent(context.Background(), today, func(_ []byte, row eventRow, ms int64) {
		if row.user == found.user && failed == nil {
			failed = countAgain(&changes, found.sums, row, ms)
		}
	})
	if err != nil {
		return 0, err
	}
	if failed != nil {
		return 0, failed
	}
	return events, changes.store()
}

// countAgain counts an event if its daily sum is one of those that were deleted.
func countAgain(changes *sums, deleted [][]byte, row eventRow, ms int64) error {
	k := row.sumKey(day.Of(ms))
	if key := k.bytes(); !slices.ContainsFunc(deleted, func(d []byte) bool { return bytes.Equal(d, key) }) {
		return nil
	}
	return changes.add(k, ms)
}

// forgetName takes the user's name out of the dictionary unless later calls name it.
func (t *tables) forgetName(userID string, user uint32) error {
	if user == 0 {
		return nil
	}
	named := false
	err := t.eachSum(context.Background(), user, func(usageKey, []byte, usageRow) { named = true })
	if err != nil || named {
		return err
	}
	return t.names.Remove(kindUser, userID)
}
