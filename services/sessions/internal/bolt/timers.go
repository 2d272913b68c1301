package bolt

import (
	"bytes"
	"context"
	"fmt"

	bbolt "go.etcd.io/bbolt"

	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/internal/kit/record"
)

// EndDue implements session.Store. A timer is put when a session starts or comes back to life, and is not moved while the session goes
// on: when it fires it looks at the session, and if that went on, is put back for its new end.
func (s *Store) EndDue(ctx context.Context, nowMS int64, limit int) (looked int, err error) {
	due, err := s.due(nowMS, limit)
	if err != nil || len(due) == 0 {
		return 0, err
	}
	err = s.db.Update(ctx, func(tx *bbolt.Tx) error {
		for _, key := range due {
			if err := s.fire(tx, key, nowMS); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("end %d sessions: %w", len(due), err)
	}
	return len(due), nil
}

// due returns the keys of at most limit timers that are due.
func (s *Store) due(nowMS int64, limit int) (found [][]byte, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		timers := tx.Bucket(timersBucket)
		if timers == nil {
			return nil
		}
		end := keys.AppendTime(nil, max(nowMS, 0))
		cursor := timers.Cursor()
		for key, _ := cursor.First(); key != nil && bytes.Compare(key, end) < 0 && len(found) < limit; key, _ = cursor.Next() {
			found = append(found, bytes.Clone(key))
		}
		return nil
	})
	return found, err
}

func (s *Store) fire(tx *bbolt.Tx, timer []byte, nowMS int64) error {
	r := keys.Read(timer)
	_, workspace, key := r.Time(), r.String(), r.Rest()
	if r.Err() != nil {
		return fmt.Errorf("timer: %w: %w", record.ErrCorrupt, r.Err())
	}
	if err := tx.Bucket(timersBucket).Delete(timer); err != nil {
		return fmt.Errorf("delete a timer: %w", err)
	}
	t := s.readable(tx, workspace)
	if t == nil {
		return nil
	}
	sealed := t.sessions.Get(key)
	if sealed == nil {
		return nil // the session was merged into another
	}
	at, row, err := decodeSession(key, sealed)
	if err != nil || row.ended {
		return err
	}
	if !t.rules.EndedBy(&row.Session, nowMS) {
		return t.putTimer(at, &row.Session)
	}
	revision, err := t.sessions.NextSequence()
	if err != nil {
		return fmt.Errorf("number a revision: %w", err)
	}
	row.ended, row.revision = true, int64(revision)
	return t.putRow(at, row)
}
