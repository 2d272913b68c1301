package bolt

import (
	"bytes"
	"fmt"
	"iter"
	"slices"

	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// pointsFrom yields the points of an anonymousId from a time on, in order of (time, messageId).
func (t *tables) pointsFrom(anonymous uint32, fromMS int64) iter.Seq2[session.Point, error] {
	return func(yield func(session.Point, error) bool) {
		cursor := t.points.Cursor()
		key, sealed := cursor.Seek(keys.AppendTime(keys.AppendUint32(nil, anonymous), fromMS))
		inOrder(anonymous, key, sealed, cursor.Next, func(a, b session.Point) int { return a.Compare(b.Position) }, yield)
	}
}

// pointsBackFrom yields the points of an anonymousId at a time and before, the latest first.
func (t *tables) pointsBackFrom(anonymous uint32, fromMS int64) iter.Seq2[session.Point, error] {
	return func(yield func(session.Point, error) bool) {
		cursor := t.points.Cursor()
		key, sealed := cursor.SeekBefore(keys.AppendTime(keys.AppendUint32(nil, anonymous), fromMS+1))
		inOrder(anonymous, key, sealed, cursor.Prev, func(a, b session.Point) int { return b.Compare(a.Position) }, yield)
	}
}

// inOrder yields the points of an anonymousId from a row on. The keys of one millisecond do not sort by messageId, so its points are sorted
// once all of them are read.
func inOrder(
	anonymous uint32, key, sealed []byte, step func() (key, value []byte),
	compare func(a, b session.Point) int, yield func(session.Point, error) bool,
) {
	var sameTime []session.Point
	flush := func() bool {
		slices.SortFunc(sameTime, compare)
		for _, p := range sameTime {
			if !yield(p, nil) {
				return false
			}
		}
		sameTime = sameTime[:0]
		return true
	}
	prefix := keys.AppendUint32(nil, anonymous)
	for ; bytes.HasPrefix(key, prefix); key, sealed = step() {
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
