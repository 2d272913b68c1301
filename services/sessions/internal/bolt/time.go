package bolt

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	bbolt "go.etcd.io/bbolt"

	"github.com/sojournhq/sojourn/internal/domain/day"
	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// Time implements session.Store. It walks the points of every session that can reach into the span.
func (s *Store) Time(ctx context.Context, workspace string, q session.TimeQuery) ([]session.TimeRow, error) {
	sums := session.NewTimeSums(q)
	err := s.db.View(func(tx *bbolt.Tx) error {
		t := s.readable(tx, workspace)
		if t == nil {
			return nil
		}
		owners, err := t.owners(q.AccountID, q.UserID)
		if err != nil {
			return err
		}
		for _, o := range owners {
			if err := t.addTimeOf(ctx, o, q.Days, sums); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("query time: %w", err)
	}
	return sums.Rows(), nil
}

// addTimeOf adds the sessions of one owner, unless nobody waits for them any more.
func (t *tables) addTimeOf(ctx context.Context, o owned, days day.Span, sums *session.TimeSums) error {
	prefix := o.prefix()
	fromMS := max(0, days.From.StartMS()-t.rules.MaxMS)
	cursor := t.byOwner.Cursor()
	for key, _ := cursor.Seek(keys.AppendTime(slices.Clone(prefix), fromMS)); bytes.HasPrefix(key, prefix); key, _ = cursor.Next() {
		at, err := parseByStart(key[len(prefix):])
		if err != nil {
			return err
		}
		if day.Of(at.TimeMS) > days.To {
			break
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		sums.Begin(o.accountID, o.userID)
		if err := t.addTime(at, sums); err != nil {
			return err
		}
	}
	return nil
}

// addTime adds one session, stretch by stretch.
func (t *tables) addTime(at ref, sums *session.TimeSums) error {
	key := at.key()
	_, s, err := decodeSession(key, t.sessions.Get(key))
	if err != nil {
		return err
	}
	previous, module := at.TimeMS, session.Name(0)
	for p, err := range t.pointsFrom(at.anonymous, at.TimeMS) {
		if err != nil {
			return err
		}
		if p.Compare(at.Position) < 0 {
			continue
		}
		if p.Compare(s.End) > 0 {
			break
		}
		if p.TimeMS > previous {
			if err := t.addStretch(module, previous, p.TimeMS, sums); err != nil {
				return err
			}
		}
		if p.Module != 0 {
			module = p.Module
		}
		if err := t.addStretch(module, p.TimeMS, p.TimeMS, sums); err != nil {
			return err
		}
		previous = p.TimeMS
	}
	return nil
}

func (t *tables) addStretch(module session.Name, fromMS, toMS int64, sums *session.TimeSums) error {
	name, err := t.names.Name(uint32(module))
	if err != nil {
		return err
	}
	for _, piece := range t.rules.Divide(fromMS, toMS) {
		sums.Add(name, piece)
	}
	return nil
}
