package bolt

import (
	"bytes"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// addLate adds points that come before the end of the newest session, in their order. Those that only divide a pause within a session, and
// those that are far from everything else, cost what is next to them; the others make the run of points that they are connected to be
// walked again, once for all of them.
func (t *tables) addLate(anonymous uint32, points []session.Point) error {
	var rest []session.Point
	for i, p := range points {
		near := i > 0 && t.meets(points[i-1].TimeMS, p.TimeMS) || i+1 < len(points) && t.meets(p.TimeMS, points[i+1].TimeMS)
		done, err := t.addOne(ref{anonymous, p.Position}, p, near)
		if err != nil {
			return err
		}
		if !done {
			rest = append(rest, p)
		}
	}
	if err := t.putPoints(anonymous, rest); err != nil {
		return err
	}
	for len(rest) > 0 {
		// Those of one millisecond at once: all of its points have to be read to know their order.
		last := rest[0]
		for _, p := range rest {
			if p.TimeMS == last.TimeMS {
				last = p
			}
		}
		from, err := t.restart(anonymous, rest[0].TimeMS)
		if err != nil {
			return err
		}
		walked, err := t.rewalk(anonymous, from, func(p call.Position, _ int64) bool { return p.Compare(last.Position) > 0 })
		if err != nil || walked.resumed == nil {
			return err
		}
		// Points before the place where old and new agree again are in; those behind it are still to be walked.
		for len(rest) > 0 && rest[0].Compare(*walked.resumed) < 0 {
			rest = rest[1:]
		}
	}
	return nil
}

// meets says whether what ends at a time and what starts at a later one can be one session.
func (t *tables) meets(endMS, startMS int64) bool { return startMS-endMS <= t.rules.TimeoutMS }

// addOne adds a late point that needs no walk: it is inserted into the session that it falls into, or, unless it is near another that comes
// with it, is a session by itself if it is further than the timeout from those before and behind it. It returns false, and changes nothing,
// where the point may change more than that.
func (t *tables) addOne(at ref, p session.Point, near bool) (done bool, err error) {
	cursor := t.sessions.Cursor()
	before, last, err := t.sessionBefore(cursor, at)
	switch {
	case err != nil || before != nil && before.rules != t.rulesName:
		return false, err
	case before != nil && before.End.TimeMS > at.TimeMS:
		return t.insert(at, before, p)
	case near || !last || before != nil && t.meets(before.End.TimeMS, at.TimeMS):
		return false, nil
	}
	start, ok, err := startFrom(cursor, at)
	if err != nil || ok && t.meets(at.TimeMS, start) {
		return false, err
	}
	if err := t.putPoints(at.anonymous, []session.Point{p}); err != nil {
		return false, err
	}
	parts := t.emptyParts()
	_, _, err = t.putSession(at.anonymous, nil, session.Begin(p, parts), parts)
	return true, err
}

// sessionBefore returns a session that started before a point's millisecond, nil if none did, and whether it is known to be the last one.
// Of several that start in one millisecond only the last can outlast it, and their keys do not say which that is.
func (t *tables) sessionBefore(cursor *boltdb.Cursor, at ref) (s *stored, last bool, err error) {
	bound := at.timeKey()
	key, sealed := cursor.SeekBefore(bound)
	if !bytes.HasPrefix(key, keys.AppendUint32(nil, at.anonymous)) {
		return nil, true, nil
	}
	if _, s, err = decodeSession(key, sealed); err != nil || s.End.TimeMS > s.Start.TimeMS {
		return s, true, err
	}
	other, _ := cursor.Prev()
	return s, !bytes.HasPrefix(other, key[:len(bound)]), nil
}

// startFrom returns when the first session starts that starts in a point's millisecond or later, and whether one does.
func startFrom(cursor *boltdb.Cursor, at ref) (ms int64, ok bool, err error) {
	key, _ := cursor.Seek(at.timeKey())
	if !bytes.HasPrefix(key, keys.AppendUint32(nil, at.anonymous)) {
		return 0, false, nil
	}
	next, err := parseRef(key)
	return next.TimeMS, err == nil, err
}
