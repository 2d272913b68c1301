package bolt

import (
	"cmp"
	"fmt"

	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/internal/kit/record"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// putSession stores a new or changed session with its indexes, and sees to it that it has a timer.
func (t *tables) putSession(anonymous uint32, was *stored, s *session.Session) error {
	revision, err := t.sessions.NextSequence()
	if err != nil {
		return fmt.Errorf("number a revision: %w", err)
	}
	now := &stored{Session: *s, revision: int64(revision)}
	at := ref{anonymous, s.Start}
	if err := t.putRow(at, now); err != nil {
		return err
	}
	if was == nil {
		if err := put(t.byStart.Put, at.byStartKey()); err != nil {
			return err
		}
	}
	if was == nil || was.owner() != now.owner() {
		if was != nil {
			if err := t.byOwner.Delete(was.owner().byOwnerKey(at)); err != nil {
				return fmt.Errorf("delete an owner: %w", err)
			}
		}
		if err := put(t.byOwner.Put, now.owner().byOwnerKey(at)); err != nil {
			return err
		}
	}
	if was == nil || was.ended {
		return t.putTimer(at, s)
	}
	return nil // its timer is looked at when it fires, and put back then
}

func (t *tables) putRow(at ref, s *stored) error {
	key := at.key()
	sealed, err := encodeSession(key, s)
	if err != nil {
		return err
	}
	if err := t.sessions.Put(key, sealed); err != nil {
		return fmt.Errorf("store a session: %w", err)
	}
	return nil
}

func (t *tables) putTimer(at ref, s *session.Session) error {
	key := keys.AppendTime(make([]byte, 0, 64), s.End.TimeMS+t.rules.TimeoutMS)
	return put(t.timers.Put, append(keys.AppendString(key, t.workspace), at.key()...))
}

// deleteSession removes a session that is no more. Its timer finds nothing when it fires.
func (t *tables) deleteSession(anonymous uint32, s *stored) error {
	at := ref{anonymous, s.Start}
	err := cmp.Or(
		t.sessions.Delete(at.key()),
		t.byStart.Delete(at.byStartKey()),
		t.byOwner.Delete(s.owner().byOwnerKey(at)),
	)
	if err != nil {
		return fmt.Errorf("delete a session: %w", err)
	}
	return nil
}

// put stores a key that says everything by itself.
func put(into func(key, value []byte) error, key []byte) error {
	if err := into(key, record.Seal(key, nil)); err != nil {
		return fmt.Errorf("store an index: %w", err)
	}
	return nil
}
