package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/internal/kit/record"
)

// postponeMS is after how long a timer is tried again whose session could not be read.
const postponeMS = 60 * 60 * 1000

// EndDue implements session.Upkeep. A timer is put when a session starts or comes back to life, and is not moved while the session goes
// on: when it fires it looks at the session, and if that went on, is put back for its new end.
func (s *Store) EndDue(ctx context.Context, nowMS int64, limit int) (looked int, err error) {
	due, err := s.due(nowMS, limit)
	if err != nil || len(due) == 0 {
		return 0, err
	}
	var broken []error
	for some := range slices.Chunk(due, firedAtOnce) {
		bad, err := s.end(ctx, some, nowMS)
		if broken = append(broken, bad...); err != nil {
			broken = append(broken, err)
			break
		}
	}
	if err := errors.Join(broken...); err != nil {
		return len(due), fmt.Errorf("end %d sessions: %w", len(due), err)
	}
	return len(due), nil
}

// firedAtOnce is how many timers one transaction handles: each may change several rows, and calls wait for them.
const firedAtOnce = 100

// end handles timers in one transaction, and returns what is wrong with those whose sessions could not be read.
func (s *Store) end(ctx context.Context, due [][]byte, nowMS int64) (broken []error, err error) {
	unreadable := map[string]bool{}
	for {
		told, err := boltdb.Do(ctx, s.db, func(tx *boltdb.Tx) (int, error) { return s.fireAll(tx, due, unreadable, nowMS) })
		if told > 0 {
			s.wake()
		}
		var bad *timerError
		if !errors.As(err, &bad) {
			return broken, err
		}
		// The transaction has been undone; without that one the others can go on.
		unreadable[string(bad.timer)] = true
		broken = append(broken, bad)
	}
}

// timerError says which timer's session could not be read.
type timerError struct {
	timer []byte
	cause error
}

func (e *timerError) Error() string { return e.cause.Error() }
func (e *timerError) Unwrap() error { return e.cause }

// due returns the keys of at most limit timers that are due.
func (s *Store) due(nowMS int64, limit int) (found [][]byte, err error) {
	err = s.db.View(func(tx *boltdb.Tx) error {
		timers := tx.Bucket(timersBucket)
		if timers == nil {
			return nil
		}
		end := keys.AppendTime(nil, min(max(nowMS, 0), keys.MaxTime))
		cursor := timers.Cursor()
		for key, _ := cursor.First(); key != nil && bytes.Compare(key, end) < 0 && len(found) < limit; key, _ = cursor.Next() {
			found = append(found, bytes.Clone(key))
		}
		return nil
	})
	return found, err
}

// fireAll handles timers and returns how many sessions it told of.
func (s *Store) fireAll(tx *boltdb.Tx, due [][]byte, unreadable map[string]bool, nowMS int64) (told int, err error) {
	timers := tx.Bucket(timersBucket)
	opened := map[string]*tables{}
	for _, timer := range due {
		if err := timers.Delete(timer); err != nil {
			return told, fmt.Errorf("delete a timer: %w", err)
		}
		r := keys.Read(timer)
		_, workspace, key := r.Time(), r.String(), r.Rest()
		if r.Err() != nil {
			continue // no key of ours: it names no session
		}
		if s.readable(tx, workspace) == nil {
			continue
		}
		if opened[workspace] == nil {
			t, err := s.writable(tx, workspace)
			if err != nil {
				return told, err
			}
			opened[workspace] = t
		}
		t := opened[workspace]
		if unreadable[string(timer)] {
			later := append(keys.AppendString(keys.AppendTime(nil, nowMS+postponeMS), workspace), key...)
			if err := put(timers.Put, later); err != nil {
				return told, err
			}
			continue
		}
		ended, err := t.fire(key, nowMS)
		if err != nil {
			if errors.Is(err, record.ErrCorrupt) {
				return told, &timerError{timer, err}
			}
			return told, err
		}
		if ended {
			told++
		}
	}
	return told, nil
}

// fire ends the session with a key, and tells of it, if its timeout has passed.
func (t *tables) fire(key []byte, nowMS int64) (ended bool, err error) {
	sealed := t.sessions.Get(key)
	if sealed == nil {
		return false, nil // the session was merged into another
	}
	at, s, err := decodeSession(key, sealed)
	if err != nil || s.isTold() {
		return false, err
	}
	if s.rules != t.rulesName {
		// The settings have changed since: they apply to what ends from now on.
		if _, err := t.rewalk(at.anonymous, at.Position, always); err != nil {
			return false, err
		}
		if _, s, err = decodeSession(key, t.sessions.Get(key)); err != nil || s.isTold() {
			return false, err
		}
	}
	if !t.rules.EndedBy(&s.Session, nowMS) {
		return false, t.putTimer(at, &s.Session)
	}
	return true, t.tell(at, s, nowMS)
}
