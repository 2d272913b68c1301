package bolt

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// defaultRebuildStep is after how many points, or sessions and sums, a step of a rebuild ends.
const defaultRebuildStep = 20_000

// The two halves of a rebuild, at the beginning of where it got to.
const (
	rebuildSessions = 's' // then the key of a session that is still to be walked
	rebuildSums     = 't' // then the prefix of an owner
)

// Rebuild implements session.Store.
func (s *Store) Rebuild(ctx context.Context, workspace string, from []byte) (done session.Rebuilt, next []byte, err error) {
	switch {
	case len(from) == 0:
		done, next, err = s.rebuildSessions(ctx, workspace, nil)
	case from[0] == rebuildSessions:
		done, next, err = s.rebuildSessions(ctx, workspace, from[1:])
	case from[0] == rebuildSums:
		done, next, err = s.rebuildSums(ctx, workspace, from[1:])
	default:
		err = keys.ErrMalformed
	}
	if err != nil {
		return session.Rebuilt{}, nil, fmt.Errorf("rebuild: %w", err)
	}
	return done, next, nil
}

// progress is what a step has done, and where the next begins.
type progress struct {
	done session.Rebuilt
	next []byte
}

func (s *Store) rebuildSessions(ctx context.Context, workspace string, from []byte) (session.Rebuilt, []byte, error) {
	p, err := boltdb.Do(ctx, s.db, func(tx *boltdb.Tx) (progress, error) {
		if s.readable(tx, workspace) == nil {
			return progress{}, nil // nothing was ever recorded
		}
		t, err := s.writable(tx, workspace)
		if err != nil {
			return progress{}, err
		}
		return t.rebuildSessions(from, s.rebuildStep)
	})
	return p.done, p.next, err
}

// rebuildSums looks for wrong sums in a read transaction, because normally there are none.
func (s *Store) rebuildSums(ctx context.Context, workspace string, from []byte) (done session.Rebuilt, next []byte, err error) {
	var wrong []owner
	err = s.db.View(func(tx *boltdb.Tx) error {
		if t := s.readable(tx, workspace); t != nil {
			wrong, next, err = t.wrongSums(ctx, from, s.rebuildStep)
		}
		return err
	})
	if err != nil || len(wrong) == 0 {
		return done, next, err
	}
	done.SumsRepaired, err = boltdb.Do(ctx, s.db, func(tx *boltdb.Tx) (int64, error) {
		t, err := s.writable(tx, workspace)
		if err != nil {
			return 0, err
		}
		return t.repairSums(wrong)
	})
	return done, next, err
}

func (t *tables) rebuildSessions(from []byte, step int64) (p progress, err error) {
	for p.done.Points < step {
		anonymous, ok := t.nextAnonymous(from)
		if !ok {
			p.next = []byte{rebuildSums}
			return p, nil
		}
		start, err := t.rebuildStart(anonymous, from)
		if err != nil {
			return p, err
		}
		walked, err := t.rewalk(anonymous, start, func(_ call.Position, points int64) bool { return p.done.Points+points >= step })
		if err != nil {
			return p, err
		}
		p.done.Points += walked.points
		p.done.SessionsChanged += walked.changed
		from = keys.AppendUint32(nil, anonymous+1)
		if walked.resumed != nil {
			from = ref{anonymous, *walked.resumed}.key()
		}
	}
	p.next = append([]byte{rebuildSessions}, from...)
	return p, nil
}

// nextAnonymous returns the first anonymousId at or behind a key that has points or sessions.
func (t *tables) nextAnonymous(from []byte) (anonymous uint32, ok bool) {
	for _, table := range []*boltdb.Bucket{t.points, t.sessions} {
		key, _ := table.Cursor().Seek(from)
		if len(key) < 4 {
			continue
		}
		if found := binary.BigEndian.Uint32(key); !ok || found < anonymous {
			anonymous, ok = found, true
		}
	}
	return anonymous, ok
}

// rebuildStart returns where to walk an anonymousId from: its first point, or where the walk before this one stopped. Should a call that
// came since have taken what started there into the session before it, that is where.
func (t *tables) rebuildStart(anonymous uint32, from []byte) (call.Position, error) {
	if len(from) <= 4 || binary.BigEndian.Uint32(from) != anonymous {
		return call.Position{}, nil
	}
	stopped, err := parseRef(from)
	if err != nil || t.sessions.Get(from) != nil {
		return stopped.Position, err
	}
	return t.restart(anonymous, stopped.TimeMS)
}

// wrongSums returns owners whose sums are not those of their sessions, and where to go on; nil: nowhere.
func (t *tables) wrongSums(ctx context.Context, from []byte, step int64) (wrong []owner, next []byte, err error) {
	for budget := step; budget > 0; {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		o, ok, err := t.nextOwner(from)
		if err != nil || !ok {
			return wrong, nil, err
		}
		days, _, looked, err := t.compareSums(o)
		if err != nil {
			return nil, nil, err
		}
		if len(days) > 0 {
			wrong = append(wrong, o)
		}
		from = o.next()
		budget -= int64(looked) + 1
	}
	return wrong, append([]byte{rebuildSums}, from...), nil
}
