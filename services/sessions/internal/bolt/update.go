package bolt

import (
	"bytes"
	"fmt"
	"iter"
	"slices"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// update brings the sessions of an anonymousId up to date after points were added at the given positions.
func (t *tables) update(anonymous uint32, added []call.Position) error {
	slices.SortFunc(added, call.Position.Compare)
	last, err := t.lastSession(anonymous)
	if err != nil {
		return err
	}
	if last != nil && added[0].Compare(last.End) > 0 {
		_, err := t.rewalk(anonymous, last, added[0])
		return err
	}
	if len(added) == 1 {
		if done, err := t.insert(ref{anonymous, added[0]}); done || err != nil {
			return err
		}
	}
	for len(added) > 0 {
		resumed, err := t.rewalk(anonymous, nil, added[0])
		if err != nil || resumed == nil {
			return err
		}
		// Points before the place where old and new agree again are in; those behind it are still to be walked.
		for len(added) > 0 && added[0].Compare(*resumed) < 0 {
			added = added[1:]
		}
	}
	return nil
}

// rewalk walks the run of points that a new point is connected to, and replaces the sessions of that run.
//
// It goes on from `last`, the newest session, if the new point comes after it: the usual case, which reads one session and the new
// points. Otherwise it starts at the last session that started before the new point. It stops where a session starts that started there
// before too: from there on nothing can differ, because a session's start forgets all that came before it. That place is returned, or
// nil if the walk went to the end.
func (t *tables) rewalk(anonymous uint32, last *stored, point call.Position) (resumed *call.Position, err error) {
	var walked []*session.Session
	var current *session.Session
	var from call.Position
	if last != nil {
		state := last.Session
		state.Modules = slices.Clone(state.Modules)
		current, from = &state, last.End
		walked = append(walked, current)
	} else if from, err = t.restart(anonymous, point.TimeMS); err != nil {
		return nil, err
	}
	for p, err := range t.pointsFrom(anonymous, from.TimeMS) {
		if err != nil {
			return nil, err
		}
		if order := p.Compare(from); order < 0 || (order == 0 && last != nil) {
			continue
		}
		if current != nil && t.rules.Continues(current, p) {
			t.rules.Extend(current, p)
			continue
		}
		if p.Compare(point) > 0 && t.sessions.Get(ref{anonymous, p.Position}.key()) != nil {
			resumed = &p.Position
			break
		}
		started := session.Begin(p)
		current = &started
		walked = append(walked, current)
	}
	old := map[call.Position]*stored{}
	if last != nil {
		old[last.Start] = last
	} else if old, err = t.sessionsBetween(anonymous, from, resumed); err != nil {
		return nil, err
	}
	return resumed, t.replace(anonymous, old, walked)
}

// replace puts the sessions that were walked in place of the old ones of the same run.
func (t *tables) replace(anonymous uint32, old map[call.Position]*stored, walked []*session.Session) error {
	for _, s := range walked {
		was := old[s.Start]
		delete(old, s.Start)
		if was != nil && was.Points == s.Points && was.User == s.User && was.Account == s.Account && was.End == s.End &&
			was.Module == s.Module && slices.Equal(was.Modules, s.Modules) {
			continue
		}
		if err := t.putSession(anonymous, was, s); err != nil {
			return err
		}
	}
	for _, gone := range old {
		if err := t.deleteSession(anonymous, gone); err != nil {
			return err
		}
	}
	return nil
}

// lastSession returns the newest session of an anonymousId, nil if it has none.
func (t *tables) lastSession(anonymous uint32) (*stored, error) {
	start, ok, err := t.startBefore(keys.AppendUint32(nil, anonymous+1), anonymous)
	if err != nil || !ok {
		return nil, err
	}
	// Several may start in the same millisecond, and their keys do not sort by messageId.
	candidates, err := t.sessionsBetween(anonymous, call.Position{TimeMS: start}, nil)
	if err != nil {
		return nil, err
	}
	var last *stored
	for _, s := range candidates {
		if last == nil || s.Start.Compare(last.Start) > 0 {
			last = s
		}
	}
	return last, nil
}

// restart returns a position, not after any point at ms, at which a walk may begin.
func (t *tables) restart(anonymous uint32, ms int64) (call.Position, error) {
	start, ok, err := t.startBefore(keys.AppendTime(keys.AppendUint32(nil, anonymous), ms), anonymous)
	if err != nil || !ok {
		return call.Position{}, err
	}
	candidates, err := t.sessionsBetween(anonymous, call.Position{TimeMS: start}, &call.Position{TimeMS: start + 1})
	if err != nil {
		return call.Position{}, err
	}
	first := call.Position{TimeMS: start + 1}
	for position := range candidates {
		if position.Compare(first) < 0 {
			first = position
		}
	}
	return first, nil
}

// startBefore returns the start time of the last session of an anonymousId whose key is below bound.
func (t *tables) startBefore(bound []byte, anonymous uint32) (ms int64, ok bool, err error) {
	cursor := t.sessions.Cursor()
	key, _ := cursor.Seek(bound)
	if key == nil {
		key, _ = cursor.Last()
	} else {
		key, _ = cursor.Prev()
	}
	if !bytes.HasPrefix(key, keys.AppendUint32(nil, anonymous)) {
		return 0, false, nil
	}
	at, err := parseRef(key)
	return at.TimeMS, err == nil, err
}

// sessionsBetween returns the sessions of an anonymousId that start at or after from and before to (nil: all), by their start.
func (t *tables) sessionsBetween(anonymous uint32, from call.Position, to *call.Position) (map[call.Position]*stored, error) {
	found := map[call.Position]*stored{}
	prefix := keys.AppendUint32(nil, anonymous)
	cursor := t.sessions.Cursor()
	key, sealed := cursor.Seek(keys.AppendTime(bytes.Clone(prefix), from.TimeMS))
	for ; bytes.HasPrefix(key, prefix); key, sealed = cursor.Next() {
		at, s, err := decodeSession(key, sealed)
		if err != nil {
			return nil, err
		}
		if to != nil && at.TimeMS > to.TimeMS {
			break
		}
		if at.Compare(from) >= 0 && (to == nil || at.Compare(*to) < 0) {
			found[at.Position] = s
		}
	}
	return found, nil
}

// pointsFrom yields the points of an anonymousId from a time on, in order of (time, messageId).
func (t *tables) pointsFrom(anonymous uint32, fromMS int64) iter.Seq2[session.Point, error] {
	return func(yield func(session.Point, error) bool) {
		prefix := keys.AppendUint32(nil, anonymous)
		cursor := t.points.Cursor()
		var sameTime []session.Point // keys of one time do not sort by messageId
		flush := func() bool {
			slices.SortFunc(sameTime, func(a, b session.Point) int { return a.Compare(b.Position) })
			for _, p := range sameTime {
				if !yield(p, nil) {
					return false
				}
			}
			sameTime = sameTime[:0]
			return true
		}
		key, sealed := cursor.Seek(keys.AppendTime(bytes.Clone(prefix), fromMS))
		for ; bytes.HasPrefix(key, prefix); key, sealed = cursor.Next() {
			p, err := decodePoint(key, sealed)
			if err != nil {
				yield(session.Point{}, fmt.Errorf("read points: %w", err))
				return
			}
			if len(sameTime) > 0 && sameTime[0].TimeMS != p.TimeMS && !flush() {
				return
			}
			sameTime = append(sameTime, p)
		}
		flush()
	}
}
