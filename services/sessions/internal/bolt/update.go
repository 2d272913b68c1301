package bolt

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/internal/kit/record"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// add stores new points of an anonymousId, in their order, and brings its sessions up to date. Last is the newest of these so far.
func (t *tables) add(anonymous uint32, last *stored, points []session.Point) (err error) {
	late := 0
	if last != nil {
		late, _ = slices.BinarySearchFunc(points, last.End, func(p session.Point, end call.Position) int { return p.Compare(end) })
	}
	if late > 0 {
		if err := t.addLate(anonymous, points[:late]); err != nil {
			return err
		}
		if last, err = t.lastSession(anonymous); err != nil {
			return err
		}
	}
	return t.addInOrder(anonymous, last, points[late:])
}

// addInOrder adds points that come after all others: the usual case, which reads one session, however long it is, and writes it and those
// that the points start.
func (t *tables) addInOrder(anonymous uint32, last *stored, points []session.Point) error {
	if len(points) == 0 {
		return nil
	}
	if err := t.putPoints(anonymous, points); err != nil {
		return err
	}
	if last != nil && last.rules != t.rulesName {
		_, err := t.rewalk(anonymous, last.Start, never)
		return err
	}
	var current session.Session
	parts := t.emptyParts()
	was := last
	if last != nil {
		current = last.Session
	}
	for i, p := range points {
		if (was != nil || i > 0) && t.rules.Continues(&current, p) {
			t.rules.Extend(&current, parts, p)
			continue
		}
		if i > 0 {
			if _, _, err := t.putSession(anonymous, was, current, parts); err != nil {
				return err
			}
		}
		was = nil
		clear(parts)
		current = session.Begin(p, parts)
	}
	now, _, err := t.putSession(anonymous, was, current, parts)
	if err != nil {
		return err
	}
	t.rememberSession(anonymous, now, true)
	return nil
}

// emptyParts returns parts to be used until it is called again.
func (t *tables) emptyParts() session.Parts {
	if t.delta == nil {
		t.delta = session.Parts{}
	}
	clear(t.delta)
	return t.delta
}

func (t *tables) putPoints(anonymous uint32, points []session.Point) error {
	for _, p := range points {
		t.key = ref{anonymous, p.Position}.appendKey(t.key[:0])
		t.value = record.Seal(t.key, appendPoint(t.value[:0], p))
		if err := t.points.Put(t.key, t.value); err != nil {
			return fmt.Errorf("store a point: %w", err)
		}
	}
	return nil
}

// walked is what came of walking points again.
type walked struct {
	// resumed is where the walk stopped because old and new agree from there on, nil if it went to the end.
	resumed         *call.Position
	points, changed int64
}

// walkedSession is a session as its points make it, with its parts.
type walkedSession struct {
	session.Session

	parts session.Parts
}

// never is for rewalk not to stop before the end, always to stop at the first place where it may.
func never(call.Position, int64) bool  { return false }
func always(call.Position, int64) bool { return true }

// rewalk walks points from one on that starts a session, or where there was none yet, and replaces the sessions that were stored of them.
// It stops where a session starts that started there before too, if enough says so of that place and of the points walked until there:
// from there on nothing can differ, because a session's start forgets all that came before it.
func (t *tables) rewalk(anonymous uint32, from call.Position, enough func(p call.Position, points int64) bool) (w walked, err error) {
	var sessions []*walkedSession
	var current *walkedSession
	for p, err := range t.pointsFrom(anonymous, from.TimeMS) {
		if err != nil {
			return w, err
		}
		if p.Compare(from) < 0 {
			continue
		}
		if current != nil && t.rules.Continues(&current.Session, p) {
			t.rules.Extend(&current.Session, current.parts, p)
			w.points++
			continue
		}
		if current != nil && enough(p.Position, w.points) && t.sessions.Get(ref{anonymous, p.Position}.key()) != nil {
			w.resumed = &p.Position
			break
		}
		parts := session.Parts{}
		current = &walkedSession{session.Begin(p, parts), parts}
		sessions = append(sessions, current)
		w.points++
	}
	old, err := t.sessionsBetween(anonymous, from, w.resumed)
	if err != nil {
		return w, err
	}
	w.changed, err = t.replace(anonymous, old, sessions)
	return w, err
}

// replace puts the sessions that were walked in place of the old ones of the same run, and returns how many changed, came or went.
func (t *tables) replace(anonymous uint32, old map[call.Position]*stored, walked []*walkedSession) (changes int64, err error) {
	for _, s := range walked {
		was, delta := old[s.Start], s.parts
		delete(old, s.Start)
		if was != nil {
			parts, err := t.allParts(was)
			if err != nil {
				return changes, err
			}
			for p, a := range parts {
				delta.Add(p, session.Amount{}.Minus(a))
			}
			if len(delta) == 0 && was.Session == s.Session && was.rules == t.rulesName {
				continue
			}
		}
		_, changed, err := t.putSession(anonymous, was, s.Session, delta)
		if err != nil {
			return changes, err
		}
		if changed {
			changes++
		}
	}
	for _, start := range slices.SortedFunc(maps.Keys(old), call.Position.Compare) {
		if err := t.deleteSession(anonymous, old[start]); err != nil {
			return changes, err
		}
		changes++
	}
	return changes, nil
}

// findLastSession looks for the newest session of an anonymousId.
func (t *tables) findLastSession(anonymous uint32) (*stored, error) {
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
	key, _ := t.sessions.Cursor().SeekBefore(bound)
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
