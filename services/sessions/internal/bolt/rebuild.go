package bolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"

	bbolt "go.etcd.io/bbolt"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/day"
	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/internal/kit/record"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// rebuildStep is after how many points, or sessions and sums, a transaction of a rebuild ends.
const rebuildStep = 20_000

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

func (s *Store) rebuildSessions(ctx context.Context, workspace string, from []byte) (done session.Rebuilt, next []byte, err error) {
	err = s.db.Update(ctx, func(tx *bbolt.Tx) error {
		t, err := s.writable(tx, workspace)
		if err != nil {
			return err
		}
		done, next, err = t.rebuildSessions(from)
		return err
	})
	return done, next, err
}

// rebuildSums looks for wrong sums without holding up writes, because normally there are none.
func (s *Store) rebuildSums(ctx context.Context, workspace string, from []byte) (done session.Rebuilt, next []byte, err error) {
	var wrong []owner
	err = s.db.View(func(tx *bbolt.Tx) error {
		if t := s.readable(tx, workspace); t != nil {
			wrong, next, err = t.wrongSums(ctx, from)
		}
		return err
	})
	if err != nil || len(wrong) == 0 {
		return done, next, err
	}
	err = s.db.Update(ctx, func(tx *bbolt.Tx) error {
		t, err := s.writable(tx, workspace)
		if err != nil {
			return err
		}
		done.SumsRepaired, err = t.repairSums(wrong)
		return err
	})
	return done, next, err
}

func (t *tables) rebuildSessions(from []byte) (done session.Rebuilt, next []byte, err error) {
	for done.Points < rebuildStep {
		key, _ := t.points.Cursor().Seek(from)
		if key == nil {
			return done, []byte{rebuildSums}, nil
		}
		at, err := parseRef(key)
		if err != nil {
			return done, nil, err
		}
		start, err := t.rebuildStart(at, from)
		if err != nil {
			return done, nil, err
		}
		walked, err := t.rewalk(at.anonymous, start, func(_ call.Position, points int64) bool {
			return done.Points+points >= rebuildStep
		})
		if err != nil {
			return done, nil, err
		}
		done.Points += walked.points
		done.SessionsChanged += walked.changed
		from = keys.AppendUint32(nil, at.anonymous+1)
		if walked.resumed != nil {
			from = ref{at.anonymous, *walked.resumed}.key()
		}
	}
	return done, append([]byte{rebuildSessions}, from...), nil
}

// rebuildStart returns where to walk from: the first point of an anonymousId, or where the walk before this one stopped. Should a late
// call have taken what started there into the session before it, that is where.
func (t *tables) rebuildStart(at ref, from []byte) (call.Position, error) {
	if len(from) <= 4 {
		return call.Position{}, nil
	}
	if t.sessions.Get(from) != nil {
		stopped, err := parseRef(from)
		return stopped.Position, err
	}
	return t.restart(at.anonymous, at.TimeMS)
}

// wrongSums returns owners whose sums are not those of their sessions, and where to go on; nil: nowhere.
func (t *tables) wrongSums(ctx context.Context, from []byte) (wrong []owner, next []byte, err error) {
	for budget := rebuildStep; budget > 0; {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		o, ok, err := t.nextOwner(from)
		if err != nil || !ok {
			return wrong, nil, err
		}
		differing, looked, err := t.compareSums(o)
		if err != nil {
			return nil, nil, err
		}
		if len(differing) > 0 {
			wrong = append(wrong, o)
		}
		from = o.next()
		budget -= looked + 1
	}
	return wrong, append([]byte{rebuildSums}, from...), nil
}

// next is where the prefixes of further owners begin.
func (o owner) next() []byte {
	return binary.BigEndian.AppendUint64(nil, binary.BigEndian.Uint64(o.prefix())+1)
}

// nextOwner returns the first owner at or behind a prefix that has sessions or sums.
func (t *tables) nextOwner(from []byte) (o owner, ok bool, err error) {
	for _, table := range []*bbolt.Bucket{t.byOwner, t.sums} {
		key, _ := table.Cursor().Seek(from)
		if key == nil {
			continue
		}
		r := keys.Read(key)
		found := owner{session.Name(r.Uint32()), session.Name(r.Uint32())}
		if r.Err() != nil {
			return o, false, fmt.Errorf("owner: %w: %w", record.ErrCorrupt, r.Err())
		}
		if !ok || bytes.Compare(found.prefix(), o.prefix()) < 0 {
			o, ok = found, true
		}
	}
	return o, ok, nil
}

// compareSums returns what the sums of one owner should be where they are not, and how many sums and sessions it looked at.
func (t *tables) compareSums(o owner) (differing map[session.Part]session.Sum, looked int, err error) {
	want, sessions, err := t.sumsOf(o)
	if err != nil {
		return nil, 0, err
	}
	stored, err := t.storedSums(o)
	if err != nil {
		return nil, 0, err
	}
	differing = map[session.Part]session.Sum{}
	for p, s := range want {
		if stored[p] != s {
			differing[p] = s
		}
	}
	for p := range stored {
		if _, wanted := want[p]; !wanted {
			differing[p] = session.Sum{}
		}
	}
	return differing, sessions + len(stored), nil
}

// sumsOf adds up the parts of all sessions of one owner, and says how many they are.
func (t *tables) sumsOf(o owner) (sums map[session.Part]session.Sum, sessions int, err error) {
	sums = map[session.Part]session.Sum{}
	prefix := o.prefix()
	cursor := t.byOwner.Cursor()
	for key, _ := cursor.Seek(prefix); bytes.HasPrefix(key, prefix); key, _ = cursor.Next() {
		at, err := parseByStart(key[len(prefix):])
		if err != nil {
			return nil, 0, err
		}
		_, s, err := decodeSession(at.key(), t.sessions.Get(at.key()))
		if err != nil {
			return nil, 0, err
		}
		parts, err := t.allParts(s)
		if err != nil {
			return nil, 0, err
		}
		for p, sum := range partSums(s.day(), parts) {
			sums[p] = sums[p].Plus(sum)
		}
		sessions++
	}
	return sums, sessions, nil
}

// partSums returns what the parts of one session, whose first day is first, add to sums.
func partSums(first day.Day, parts session.Parts) map[session.Part]session.Sum {
	sums := make(map[session.Part]session.Sum, len(parts))
	for _, module := range modules(parts) {
		today, tomorrow := session.Part{Module: module, Day: first}, session.Part{Module: module, Day: first + 1}
		of := session.SumsOf(parts[today], parts[tomorrow])
		for i, p := range []session.Part{today, tomorrow} {
			if of[i] != (session.Sum{}) {
				sums[p] = of[i]
			}
		}
	}
	return sums
}

// repairSums makes the sums of owners those that they should be, and returns how many were not.
func (t *tables) repairSums(owners []owner) (repaired int64, err error) {
	for _, o := range owners {
		differing, _, err := t.compareSums(o)
		if err != nil {
			return 0, err
		}
		for _, p := range slices.SortedFunc(maps.Keys(differing), session.Part.Compare) {
			if err := t.putSum(sumKey(o, p), differing[p]); err != nil {
				return 0, fmt.Errorf("repair a daily sum: %w", err)
			}
			repaired++
		}
	}
	return repaired, nil
}

// storedSums returns the stored sums of one owner. One that cannot be read is returned as a sum that none can have.
func (t *tables) storedSums(o owner) (map[session.Part]session.Sum, error) {
	stored := map[session.Part]session.Sum{}
	prefix := o.prefix()
	cursor := t.sums.Cursor()
	for key, sealed := cursor.Seek(prefix); bytes.HasPrefix(key, prefix); key, sealed = cursor.Next() {
		p, err := parseSumPart(key)
		if err != nil {
			return nil, err
		}
		s, err := decodeSum(key, sealed)
		if err != nil {
			s = session.Sum{Sessions: -1}
		}
		stored[p] = s
	}
	return stored, nil
}
