package bolt

import (
	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/kit/memory"
)

// newest remembers where the newest session of an anonymousId starts, from one transaction that writes to the next, so that a point that
// continues it costs no search. Its version is the sequence of the sessions, which rises with every session that comes or goes.
type newest = memory.Table[uint32, call.Position]

// rememberStart takes in that there is a new session.
func (t *tables) rememberStart(at ref) {
	if t.newest == nil {
		return
	}
	if known, ok := t.newest.Get(at.anonymous); ok && known.Compare(at.Position) < 0 {
		t.newest.Set(at.anonymous, at.Position)
	}
}

// forgetStart takes in that a session is no more.
func (t *tables) forgetStart(at ref) error {
	if t.newest == nil {
		return nil
	}
	t.newest.Forget(at.anonymous)
	_, err := t.nextRevision()
	return err
}

// lastSession returns the newest session of an anonymousId, nil if it has none.
func (t *tables) lastSession(anonymous uint32) (*stored, error) {
	if t.newest == nil {
		return t.findLastSession(anonymous)
	}
	if start, ok := t.newest.Get(anonymous); ok {
		t.key = ref{anonymous, start}.appendKey(t.key[:0])
		if sealed := t.sessions.Get(t.key); sealed != nil {
			return readSession(start, t.key, sealed)
		}
	}
	last, err := t.findLastSession(anonymous)
	if err == nil && last != nil {
		t.newest.Set(anonymous, last.Start)
	}
	return last, err
}
