package bolt

import (
	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// insertReach is how many points insert looks at on either side before it gives up.
const insertReach = 256

// insert adds a late point that only divides a pause of the session that it falls into, without walking the session, however long it is.
// It returns false, and changes nothing, where the point may change more than the stretches around it: then the run has to be walked.
func (t *tables) insert(anonymous uint32, p session.Point) (done bool, err error) {
	at := ref{anonymous, p.Position}
	was, err := t.sessionAround(at)
	if err != nil || was == nil || was.rules != t.rulesName || !was.Admits(p) {
		return false, err
	}
	before, ok, err := t.neighbours(at, -1, func(b session.Point) bool {
		return b.Module != 0 || was.Module == 0 || b.Position == was.Start
	})
	if err != nil || !ok {
		return false, err
	}
	current := before[len(before)-1].Module
	after, ok, err := t.neighbours(at, +1, func(a session.Point) bool {
		return p.Module == 0 || p.Module == current || a.Module != 0 || a.Position == was.End
	})
	if err != nil || !ok {
		return false, err
	}
	now, delta := was.Session, session.Parts{}
	t.rules.Insert(&now, delta, before[0], current, p, after)
	if err := t.putPoints(anonymous, []session.Point{p}); err != nil {
		return false, err
	}
	_, err = t.putSession(anonymous, was, now, delta)
	return true, err
}

// sessionAround returns the session that started before a point's millisecond and ended after it, nil if it is not found at once. Of
// several sessions that start in one millisecond only the last can outlast it; where its key is not the first, it is not looked for.
func (t *tables) sessionAround(at ref) (*stored, error) {
	start, ok, err := t.startBefore(keys.AppendTime(keys.AppendUint32(nil, at.anonymous), at.TimeMS), at.anonymous)
	if err != nil || !ok {
		return nil, err
	}
	_, s, err := decodeSession(t.sessions.Cursor().Seek(keys.AppendTime(keys.AppendUint32(nil, at.anonymous), start)))
	if err != nil || s.End.TimeMS <= at.TimeMS {
		return nil, err
	}
	return s, nil
}

// neighbours returns the points next to a place without one, in one direction, the nearest first, up to the one that is the last wanted. It
// is not ok where that is far.
func (t *tables) neighbours(at ref, direction int, last func(session.Point) bool) (points []session.Point, ok bool, err error) {
	walk := t.pointsFrom(at.anonymous, at.TimeMS)
	if direction < 0 {
		walk = t.pointsBackFrom(at.anonymous, at.TimeMS)
	}
	reach := insertReach
	for p, err := range walk {
		if err != nil {
			return nil, false, err
		}
		if reach--; reach < 0 {
			return nil, false, nil
		}
		if p.Compare(at.Position)*direction < 0 {
			continue // of the same millisecond, on the other side
		}
		points = append(points, p)
		if last(p) {
			return points, true, nil
		}
	}
	return nil, false, nil
}
