package bolt

import (
	"bytes"
	"context"
	"fmt"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/keys"
)

// FirstDue implements session.Upkeep.
func (s *Store) FirstDue(ctx context.Context) (dueMS int64, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	err = s.db.View(func(tx *boltdb.Tx) error {
		timers := tx.Bucket(timersBucket)
		if timers == nil {
			return nil
		}
		key, _ := timers.Cursor().First()
		if key == nil {
			return nil
		}
		r := keys.Read(key)
		dueMS = r.Time()
		if err := r.Err(); err != nil {
			return fmt.Errorf("first timer: %w", err)
		}
		return nil
	})
	return dueMS, err
}

// CountTimers implements session.Upkeep.
func (s *Store) CountTimers(ctx context.Context, from []byte, limit int) (counted int, next []byte, err error) {
	if err := ctx.Err(); err != nil {
		return 0, nil, err
	}
	err = s.db.View(func(tx *boltdb.Tx) error {
		timers := tx.Bucket(timersBucket)
		if timers == nil {
			return nil
		}
		cursor := timers.Cursor()
		key, _ := cursor.Seek(from)
		for ; key != nil && counted < limit; key, _ = cursor.Next() {
			counted++
		}
		next = bytes.Clone(key)
		return nil
	})
	return counted, next, err
}
