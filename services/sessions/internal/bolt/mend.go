package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/internal/kit/record"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// place is a session of a workspace.
type place struct {
	workspace string
	key       []byte
}

func (p place) encode() []byte { return append(keys.AppendString(nil, p.workspace), p.key...) }

// MendTimers implements session.Upkeep. A session that was not told yet needs a timer. One that went on since its timer was set has it
// under an earlier time, which is not looked for: it gets another, and the two become one when the first is put back.
func (s *Store) MendTimers(ctx context.Context, from []byte, limit int) (mended int, next []byte, err error) {
	if from == nil {
		s.rememberRules()
	}
	var missing []place
	err = s.db.View(func(tx *boltdb.Tx) error {
		missing, next, err = s.withoutTimer(tx, from, limit)
		return err
	})
	if err != nil || len(missing) == 0 {
		return 0, next, err
	}
	mended, err = boltdb.Do(ctx, s.db, func(tx *boltdb.Tx) (mended int, err error) {
		for _, p := range missing {
			t, err := s.writable(tx, p.workspace)
			if err != nil {
				return 0, err
			}
			sealed := t.sessions.Get(p.key)
			if sealed == nil {
				continue
			}
			at, row, err := decodeSession(p.key, sealed)
			if err != nil {
				return 0, err
			}
			if row.isTold() {
				continue
			}
			if err := t.putTimer(at, &row.Session); err != nil {
				return 0, err
			}
			mended++
		}
		return mended, nil
	})
	if err != nil {
		return 0, nil, fmt.Errorf("mend timers: %w", err)
	}
	return mended, next, nil
}

// rememberRules remembers the rules of now, under which timers are going to be looked at.
func (s *Store) rememberRules() {
	rules := s.allRules()
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.mendedUnder = rules
}

// NeedsMending implements session.Upkeep.
func (s *Store) NeedsMending() bool {
	rules := s.allRules()
	s.mutex.Lock()
	defer s.mutex.Unlock()
	for workspace, r := range rules {
		if under, known := s.mendedUnder[workspace]; !known || under != r {
			return true
		}
	}
	return false
}

// allRules returns the rules of all workspaces in which something was recorded.
func (s *Store) allRules() map[string]session.Rules {
	rules := map[string]session.Rules{}
	_ = s.db.View(func(tx *boltdb.Tx) error { // which fails only when the store is closed, and then there is nothing to mend
		for workspace := range s.workspaces(tx) {
			rules[workspace] = s.rules(workspace)
		}
		return nil
	})
	return rules
}

// withoutTimer looks at most limit sessions and returns those that need a timer, and where to go on.
func (s *Store) withoutTimer(tx *boltdb.Tx, from []byte, limit int) (missing []place, next []byte, err error) {
	r := keys.Read(from)
	var start place
	if from != nil {
		start = place{r.String(), r.Rest()}
		if r.Err() != nil {
			return nil, nil, fmt.Errorf("mend timers: %w", r.Err())
		}
	}
	for workspace := range s.workspaces(tx) {
		if workspace < start.workspace {
			continue
		}
		t := s.readable(tx, workspace)
		cursor := t.sessions.Cursor()
		seek := []byte(nil)
		if workspace == start.workspace {
			seek = start.key
		}
		for key, sealed := cursor.Seek(seek); key != nil; key, sealed = cursor.Next() {
			if limit--; limit < 0 {
				return missing, place{workspace, key}.encode(), nil
			}
			needs, err := t.needsTimer(key, sealed)
			if err != nil {
				return nil, nil, err
			}
			if needs {
				missing = append(missing, place{workspace, bytes.Clone(key)})
			}
		}
	}
	return missing, nil, nil
}

// needsTimer says whether a session has no timer for its end as it is. One that cannot be read needs none.
func (t *tables) needsTimer(key, sealed []byte) (bool, error) {
	at, row, err := decodeSession(key, sealed)
	if errors.Is(err, record.ErrCorrupt) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return !row.isTold() && (t.timers == nil || t.timers.Get(t.timerKey(at, row.End.TimeMS+t.rules.TimeoutMS)) == nil), nil
}
