package bolt

import (
	"fmt"

	"github.com/sojournhq/sojourn/internal/kit/record"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// insert adds a late point that only divides a pause of the session that it falls into, without walking the session: it looks back to the
// last point that names a module, and if it names another, ahead to the next. It returns false, and changes nothing, where the point may
// change more than the stretches around it: then the run has to be walked.
func (t *tables) insert(at ref, was *stored, p session.Point) (done bool, err error) {
	if !was.Admits(p) {
		return false, nil
	}
	before, current, err := t.behind(at, was)
	if err != nil {
		return false, err
	}
	after, err := t.ahead(at, was, p.Module != 0 && p.Module != current)
	if err != nil {
		return false, err
	}
	now, delta := was.Session, session.Parts{}
	t.rules.Insert(&now, delta, before, current, p, after)
	if err := t.putPoints(at.anonymous, []session.Point{p}); err != nil {
		return false, err
	}
	_, _, err = t.putSession(at.anonymous, was, now, delta)
	return true, err
}

// behind returns the point of a session before a place, and the module current there.
func (t *tables) behind(at ref, s *stored) (nearest session.Point, current session.Name, err error) {
	found := false
	for p, err := range t.pointsBackFrom(at.anonymous, at.TimeMS) {
		if err != nil {
			return nearest, 0, err
		}
		if p.Compare(at.Position) > 0 {
			continue // of the same millisecond, but later
		}
		if !found {
			nearest, found = p, true
		}
		if p.Module != 0 || s.Module == 0 || p.Position == s.Start { // a session without a module at its end has none anywhere
			return nearest, p.Module, nil
		}
	}
	return nearest, 0, fmt.Errorf("%w: a session has no first point", record.ErrCorrupt)
}

// ahead returns the points of a session after a place: one, or all up to the next that names a module.
func (t *tables) ahead(at ref, s *stored, toModule bool) (points []session.Point, err error) {
	for p, err := range t.pointsFrom(at.anonymous, at.TimeMS) {
		if err != nil {
			return nil, err
		}
		if p.Compare(at.Position) < 0 {
			continue // of the same millisecond, but earlier
		}
		points = append(points, p)
		if !toModule || p.Module != 0 || p.Position == s.End {
			return points, nil
		}
	}
	return nil, fmt.Errorf("%w: a session has no last point", record.ErrCorrupt)
}
