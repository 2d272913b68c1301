package bolt

import (
	"bytes"
	"slices"

	bbolt "go.etcd.io/bbolt"

	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// insertReach is how many points insert looks at on either side before it gives up.
const insertReach = 256

// insert brings up to date the one session that a late point falls into, without walking it, however long it is. It returns false, and
// changes nothing, where the point may change more than the stretches around it: then the run has to be walked.
func (t *tables) insert(at ref) (done bool, err error) {
	was, err := t.sessionAround(at)
	if err != nil || was == nil {
		return false, err
	}
	p, err := decodePoint(at.key(), t.points.Get(at.key()))
	if err != nil || !was.Fits(p) {
		return false, err
	}
	before, ok, err := t.neighbours(at, (*bbolt.Cursor).Prev, func(b session.Point) bool {
		return b.Module != 0 || b.Position == was.Start
	})
	if err != nil || !ok {
		return false, err
	}
	current := before[len(before)-1].Module
	after, ok, err := t.neighbours(at, (*bbolt.Cursor).Next, func(a session.Point) bool {
		return p.Module == 0 || p.Module == current || a.Module != 0 || a.Position == was.End
	})
	if err != nil || !ok {
		return false, err
	}
	now := was.Session
	now.Modules = slices.Clone(now.Modules)
	t.rules.Insert(&now, before[0], current, p, after)
	return true, t.putSession(at.anonymous, was, &now)
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

// neighbours returns the points next to a point in one direction, the nearest first, up to the one that is the last wanted. It is not ok
// where that is far, or where two of them share a millisecond: the order of their keys is not theirs then.
func (t *tables) neighbours(
	at ref, step func(*bbolt.Cursor) ([]byte, []byte), last func(session.Point) bool,
) (points []session.Point, ok bool, err error) {
	prefix := keys.AppendUint32(nil, at.anonymous)
	cursor := t.points.Cursor()
	cursor.Seek(at.key())
	previous, found := at.TimeMS, false
	for range insertReach {
		key, sealed := step(cursor)
		if !bytes.HasPrefix(key, prefix) {
			return points, found, nil
		}
		p, err := decodePoint(key, sealed)
		if err != nil || p.TimeMS == previous {
			return nil, false, err
		}
		if found { // one further than wanted, to be sure that it is of another millisecond
			return points, true, nil
		}
		points, previous, found = append(points, p), p.TimeMS, last(p)
	}
	return nil, false, nil
}
