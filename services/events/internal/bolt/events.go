package bolt

import (
	"context"
	"fmt"
	"slices"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/services/events/internal/usage"
)

// One read transaction looks at no more rows than this: a long one keeps the file from reusing its pages.
const rowsPerRead = 10_000

// Events implements usage.Store.
func (s *Store) Events(ctx context.Context, workspace string, f usage.Filter, after *call.Position, limit int) ([]usage.Event, error) {
	var found []usage.Event
	for f.FromMS < f.ToMS {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		next, err := s.someEvents(workspace, f, after, limit, &found)
		if err != nil {
			return nil, fmt.Errorf("list events: %w", err)
		}
		if next < 0 {
			break
		}
		f.FromMS = next
	}
	return found[:min(limit, len(found))], nil
}

// someEvents appends matching events from f.FromMS on, and returns the time at which to go on: it never stops between two events of the
// same millisecond. It returns -1 when the page is full or there are no more.
func (s *Store) someEvents(
	workspace string, f usage.Filter, after *call.Position, limit int, found *[]usage.Event,
) (next int64, err error) {
	next = -1
	err = s.db.View(func(tx *boltdb.Tx) error {
		t := readable(tx, workspace)
		if t == nil {
			return nil
		}
		if after != nil {
			f.FromMS = max(f.FromMS, after.TimeMS)
		}
		var sameTime []usage.Event // their keys do not sort by messageId
		flush := func() {
			slices.SortFunc(sameTime, func(a, b usage.Event) int { return a.Compare(b.Position) })
			*found = append(*found, sameTime...)
			sameTime = sameTime[:0]
		}
		cursor := t.events.Cursor()
		current, rows := int64(-1), 0
		for key, sealed := cursor.Seek(keys.AppendTime(nil, f.FromMS)); key != nil; key, sealed = cursor.Next() {
			at, err := parseEventKey(key)
			if err != nil {
				return err
			}
			if at.TimeMS != current {
				flush()
				if at.TimeMS >= f.ToMS || len(*found) >= limit {
					return nil
				}
				if rows >= rowsPerRead {
					next = at.TimeMS
					return nil
				}
				current = at.TimeMS
			}
			rows++
			if after != nil && at.Compare(*after) <= 0 {
				continue
			}
			event, err := t.event(at, key, sealed)
			if err != nil {
				return err
			}
			if f.Matches(&event) {
				sameTime = append(sameTime, event)
			}
		}
		flush()
		return nil
	})
	return next, err
}

// event reads one row and gives it its names.
func (t *tables) event(at call.Position, key, sealed []byte) (usage.Event, error) {
	e := usage.Event{Position: at}
	row, err := readEvent(key, sealed)
	if err != nil {
		return e, err
	}
	for _, name := range []struct {
		text   *string
		number uint32
	}{{&e.Feature, row.feature}, {&e.Module, row.module}, {&e.UserID, row.user}} {
		var err error
		if *name.text, err = t.name(name.number); err != nil {
			return e, err
		}
	}
	e.AccountID, err = t.account(row.account, row.user)
	return e, err
}
