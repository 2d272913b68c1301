package bolt

import (
	"fmt"
	"slices"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/internal/kit/record"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// putSession stores a session in place of what was stored of it, nil if nothing was, with its indexes and sums, and sees to it that it has
// a timer. Delta is by how much its parts differ from those stored. It returns what is stored, and whether it
// differs but for the rules it was walked under.
func (t *tables) putSession(anonymous uint32, was *stored, s session.Session, delta session.Parts) (now *stored, changed bool, err error) {
	at := ref{anonymous, s.Start}
	now = &stored{Session: s, rules: t.rulesName}
	if was != nil {
		now.parts, now.more, now.revision, now.told = slices.Clone(was.parts), was.more, was.revision, was.told
	} else if err := t.takeBack(at, now); err != nil {
		return nil, false, err
	}
	changed = was == nil || was.Session != s || len(delta) > 0
	if was == nil || changed && now.isTold() {
		if now.revision, err = t.nextRevision(); err != nil {
			return nil, false, err
		}
	}
	if err := t.count(was, now, delta); err != nil {
		return nil, false, err
	}
	if err := t.putRow(at, now); err != nil {
		return nil, false, err
	}
	if err := t.index(at, was, now); err != nil || !changed || was != nil && !was.isTold() && s.End.TimeMS >= was.End.TimeMS {
		return now, changed, err // its timer is looked at when it fires, and put back then
	}
	return now, true, t.putTimer(at, &s)
}

// takeBack sees to a session that is new, should it have been told before and be gone since.
func (t *tables) takeBack(at ref, now *stored) error {
	t.key = at.appendKey(t.key[:0])
	if t.gone.Get(t.key) == nil {
		return nil
	}
	now.told = toldBefore
	if err := t.gone.Delete(t.key); err != nil {
		return fmt.Errorf("delete a gone session: %w", err)
	}
	return nil
}

// nextRevision draws a revision for a session that was told as it was before, or that is no more.
func (t *tables) nextRevision() (int64, error) {
	revision, err := t.sessions.NextSequence()
	if err != nil {
		return 0, fmt.Errorf("number a revision: %w", err)
	}
	if t.raised = true; t.newest != nil {
		t.newest.Left(revision)
	}
	return int64(revision), nil
}

// index brings the indexes from one state of a session to the next.
func (t *tables) index(at ref, was, now *stored) error {
	if was != nil && was.owner() == now.owner() {
		return nil
	}
	if was == nil {
		if err := put(t.byStart.Put, at.byStartKey()); err != nil {
			return err
		}
	} else if err := t.byOwner.Delete(was.owner().byOwnerKey(at)); err != nil {
		return fmt.Errorf("delete an owner: %w", err)
	}
	return put(t.byOwner.Put, now.owner().byOwnerKey(at))
}

func (t *tables) putRow(at ref, s *stored) error {
	if err := s.check(); err != nil {
		return err
	}
	if err := t.changesSessions(); err != nil {
		return err
	}
	t.rememberSession(at.anonymous, s, false)
	t.key = at.appendKey(t.key[:0])
	t.value = record.Seal(t.key, appendSession(t.value[:0], s))
	if err := t.sessions.Put(t.key, t.value); err != nil {
		return fmt.Errorf("store a session: %w", err)
	}
	return nil
}

// check says what no session can be.
func (s *stored) check() error {
	switch {
	case s.End.Compare(s.Start) < 0:
		return fmt.Errorf("%w: a session ends before it starts", boltdb.ErrBroken)
	case s.Points < 1:
		return fmt.Errorf("%w: a session of %d points", boltdb.ErrBroken, s.Points)
	case s.told > s.revision:
		return fmt.Errorf("%w: revision %d of a session was told, and it has %d", boltdb.ErrBroken, s.told, s.revision)
	}
	for _, p := range s.parts {
		if p.DurationMS < 0 || p.ActiveMS < 0 || p.ActiveMS > p.DurationMS || p.Points < 0 {
			return fmt.Errorf("%w: a part of a session with times %d and %d", boltdb.ErrBroken, p.DurationMS, p.ActiveMS)
		}
	}
	return nil
}

func (t *tables) putTimer(at ref, s *session.Session) error {
	return put(t.timers.Put, t.timerKey(at, s.End.TimeMS+t.rules.TimeoutMS))
}

func (t *tables) timerKey(at ref, dueMS int64) []byte {
	return append(keys.AppendString(keys.AppendTime(make([]byte, 0, 64), dueMS), t.workspace), at.key()...)
}

// deleteSession removes a session that is no more. Its timer finds nothing when it fires. Whether it was told is remembered until the
// session that its points belong to now is told.
func (t *tables) deleteSession(anonymous uint32, s *stored) error {
	at := ref{anonymous, s.Start}
	if err := t.changesSessions(); err != nil {
		return err
	}
	if t.newest != nil {
		t.newest.Forget(anonymous)
	}
	if s.told != 0 {
		if err := put(t.gone.Put, at.key()); err != nil {
			return err
		}
	}
	if err := t.count(s, nil, nil); err != nil {
		return err
	}
	if err := t.dropParts(s); err != nil {
		return err
	}
	for _, row := range []struct {
		table *boltdb.Bucket
		key   []byte
	}{{t.sessions, at.key()}, {t.byStart, at.byStartKey()}, {t.byOwner, s.owner().byOwnerKey(at)}} {
		if err := row.table.Delete(row.key); err != nil {
			return fmt.Errorf("delete a session: %w", err)
		}
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
