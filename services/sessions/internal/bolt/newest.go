package bolt

import (
	"strings"

	"github.com/sojournhq/sojourn/internal/kit/memory"
)

// newest remembers the newest session of an anonymousId from one transaction that writes to the next, so that a point that continues it
// costs no search. What it holds is not to be changed. Its version is the sequence of the sessions, which rises with every transaction that
// changes one.
type newest = memory.Table[uint32, *stored]

// rememberSession takes in how a session is stored now. Sure says that it is known to be the newest.
func (t *tables) rememberSession(anonymous uint32, s *stored, sure bool) {
	if t.newest == nil {
		return
	}
	if !sure {
		known, ok := t.newest.Get(anonymous)
		if !ok || known.Start.Compare(s.Start) > 0 {
			return
		}
	}
	// The ids may be parts of whole requests.
	s.Start.MessageID, s.End.MessageID = strings.Clone(s.Start.MessageID), strings.Clone(s.End.MessageID)
	t.newest.Set(anonymous, s)
}

// changesSessions raises the sequence of the sessions if this transaction has not done so yet.
func (t *tables) changesSessions() error {
	if t.raised {
		return nil
	}
	_, err := t.nextRevision()
	return err
}

// lastSession returns the newest session of an anonymousId, nil if it has none.
func (t *tables) lastSession(anonymous uint32) (*stored, error) {
	if t.newest == nil {
		return t.findLastSession(anonymous)
	}
	if s, ok := t.newest.Get(anonymous); ok {
		return s, nil
	}
	last, err := t.findLastSession(anonymous)
	if err == nil && last != nil {
		t.newest.Set(anonymous, last)
	}
	return last, err
}
