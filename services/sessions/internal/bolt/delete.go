package bolt

import (
	"bytes"
	"context"
	"fmt"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	storagev1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/storage/v1"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// How much one call of DeleteUser does at most.
const (
	deleteSessions = 500
	deleteChanges  = 5000
)

// DeleteUser implements session.Store. The tombstone comes first, so that nothing that comes meanwhile has to be looked for again.
func (s *Store) DeleteUser(
	ctx context.Context, workspace, userID string, untilMS, nowMS int64,
) (removed session.Deleted, more bool, err error) {
	done, err := s.isDeleted(workspace, userID, untilMS)
	if err != nil || done {
		return session.Deleted{}, false, err
	}
	links, err := boltdb.Do(ctx, s.db, func(tx *boltdb.Tx) (int, error) {
		t, err := s.writable(tx, workspace)
		if err != nil {
			return 0, err
		}
		if err := t.deleted.Put(userID, untilMS); err != nil {
			return 0, err
		}
		return t.links.Forget(userID, untilMS, nil)
	})
	if err != nil {
		return session.Deleted{}, false, fmt.Errorf("delete a user: %w", err)
	}
	var found deletable
	err = s.db.View(func(tx *boltdb.Tx) error {
		found, err = s.readable(tx, workspace).deletable(ctx, userID, untilMS)
		return err
	})
	if err != nil {
		return session.Deleted{}, false, fmt.Errorf("delete a user: %w", err)
	}
	removed, err = boltdb.Do(ctx, s.db, func(tx *boltdb.Tx) (session.Deleted, error) {
		t, err := s.writable(tx, workspace)
		if err != nil {
			return session.Deleted{}, err
		}
		if found.empty() {
			return session.Deleted{}, t.forgetName(userID, found.user)
		}
		return t.deleteAll(found, untilMS, nowMS)
	})
	if err != nil {
		return session.Deleted{}, false, fmt.Errorf("delete a user: %w", err)
	}
	removed.Links = int64(links)
	s.wake()
	return removed, !found.empty(), nil
}

// isDeleted says whether a deletion was done to its end before, without writing: the retry of a batch of very many has to get further than
// the attempt before it.
func (s *Store) isDeleted(workspace, userID string, untilMS int64) (done bool, err error) {
	err = s.db.View(func(tx *boltdb.Tx) error {
		t := s.readable(tx, workspace)
		if t == nil {
			return nil
		}
		covered, err := t.deleted.Covers(userID, untilMS)
		if err != nil || !covered {
			return err
		}
		_, named, err := t.names.Find(kindUser, userID)
		done = !named
		return err
	})
	return done, err
}

// deletable is what is found of a user in one step.
type deletable struct {
	user     session.Name
	sessions []ref
	changes  [][]byte // keys of the feed
}

func (d deletable) empty() bool { return len(d.sessions) == 0 && len(d.changes) == 0 }

// deletable looks for sessions with points to delete, and for changes that tell of the user. Points that name a user are in sessions of
// that user: another would have ended them.
func (t *tables) deletable(ctx context.Context, userID string, untilMS int64) (found deletable, err error) {
	number, ok, err := t.names.Find(kindUser, userID)
	if err != nil || !ok {
		return found, err
	}
	found.user = session.Name(number)
	err = t.eachOwner(0, func(o owner) error {
		if o.user != found.user {
			return ctx.Err()
		}
		return t.deletableOf(o, untilMS, &found)
	})
	if err != nil || len(found.sessions) > 0 {
		return found, err
	}
	cursor := t.feed.Cursor()
	for key, sealed := cursor.Seek(changeKey(0)); key != nil && len(found.changes) < deleteChanges; key, sealed = cursor.Next() {
		row, err := decodeChange(key, sealed)
		if err != nil {
			return found, err
		}
		if row.GetUser() != number || row.GetStartMs() > untilMS {
			continue
		}
		current, err := t.tellsOfNow(row)
		if err != nil {
			return found, err
		}
		if !current {
			found.changes = append(found.changes, bytes.Clone(key))
		}
	}
	return found, ctx.Err()
}

// tellsOfNow says whether a change tells of a session as it is, in which nothing is left to delete.
func (t *tables) tellsOfNow(row *storagev1.ChangeRow) (bool, error) {
	start := call.Position{TimeMS: row.GetStartMs(), MessageID: row.GetStartMessageId(), OriginalMS: row.GetStartOriginalMs()}
	key := ref{row.GetAnonymous(), start}.key()
	sealed := t.sessions.Get(key)
	if sealed == nil {
		return false, nil
	}
	_, s, err := decodeSession(key, sealed)
	return err == nil && s.told == row.GetRevision() && s.isTold(), err
}

// deletableOf adds the sessions of one owner that have points to delete.
func (t *tables) deletableOf(o owner, untilMS int64, found *deletable) error {
	prefix := o.prefix()
	cursor := t.byOwner.Cursor()
	for key, _ := cursor.Seek(prefix); bytes.HasPrefix(key, prefix); key, _ = cursor.Next() {
		at, err := parseByStart(key[len(prefix):])
		if err != nil {
			return err
		}
		if at.TimeMS > untilMS || len(found.sessions) == deleteSessions {
			return nil
		}
		for p, err := range t.pointsOf(at) {
			if err != nil {
				return err
			}
			if p.User == found.user && p.TimeMS <= untilMS {
				found.sessions = append(found.sessions, at)
				break
			}
		}
	}
	return nil
}

// pointsOf yields the points of a stored session.
func (t *tables) pointsOf(at ref) func(yield func(session.Point, error) bool) {
	return func(yield func(session.Point, error) bool) {
		_, s, err := decodeSession(at.key(), t.sessions.Get(at.key()))
		if err != nil {
			yield(session.Point{}, err)
			return
		}
		for p, err := range t.pointsFrom(at.anonymous, at.TimeMS) {
			if err == nil && p.Compare(at.Position) < 0 {
				continue
			}
			if err == nil && p.Compare(s.End) > 0 || !yield(p, err) {
				return
			}
		}
	}
}

func (t *tables) deleteAll(found deletable, untilMS, nowMS int64) (removed session.Deleted, err error) {
	for _, at := range found.sessions {
		if t.sessions.Get(at.key()) == nil {
			continue // a late call has changed it since; it is found again
		}
		points, changed, err := t.deletePoints(at, found.user, untilMS, nowMS)
		if err != nil {
			return removed, err
		}
		removed.Points += points
		removed.Sessions += changed
	}
	for _, key := range found.changes {
		sealed := t.feed.Get(key)
		if sealed == nil {
			continue // trimmed since
		}
		row, err := decodeChange(key, sealed)
		if err != nil {
			return removed, err
		}
		// Whoever has not read it yet is told of a removal in its place, and of what it replaced.
		err = t.putChange(key, &storagev1.ChangeRow{
			ToldMs: row.GetToldMs(), Removed: true, Id: row.GetId(), Revision: row.GetRevision(), Replaces: row.GetReplaces(),
		})
		if err != nil {
			return removed, err
		}
		removed.Changes++
	}
	return removed, nil
}

// deletePoints removes the points of one session that name a user up to a time, walks what was connected by them again, and tells of the
// sessions that are no more.
func (t *tables) deletePoints(at ref, user session.Name, untilMS, nowMS int64) (points, changed int64, err error) {
	var doomed []ref
	for p, err := range t.pointsOf(at) {
		if err != nil {
			return 0, 0, err
		}
		if p.User == user && p.TimeMS <= untilMS {
			doomed = append(doomed, ref{at.anonymous, p.Position})
		}
	}
	if len(doomed) == 0 {
		return 0, 0, nil
	}
	for _, p := range doomed {
		if err := t.points.Delete(p.key()); err != nil {
			return 0, 0, fmt.Errorf("delete a point: %w", err)
		}
	}
	// The session before may go on where this one was in between.
	from, err := t.restart(at.anonymous, at.TimeMS)
	if err != nil {
		return 0, 0, err
	}
	last := doomed[len(doomed)-1].Position
	walked, err := t.rewalk(at.anonymous, from, func(p call.Position, _ int64) bool { return p.Compare(last) > 0 })
	if err != nil {
		return 0, 0, err
	}
	return int64(len(doomed)), walked.changed, t.tellRemoved(doomed, nowMS)
}

// tellRemoved tells of sessions told before whose first point is deleted: no other session can replace them.
func (t *tables) tellRemoved(deleted []ref, nowMS int64) error {
	for _, at := range deleted {
		if t.gone.Get(at.key()) == nil {
			continue
		}
		first, err := t.first(at)
		if err != nil {
			return err
		}
		revision, err := t.nextRevision()
		if err != nil {
			return err
		}
		row := &storagev1.ChangeRow{ToldMs: nowMS, Removed: true, Id: first.ID().Bytes(), Revision: revision}
		if err := t.gone.Delete(at.key()); err != nil {
			return fmt.Errorf("delete a gone session: %w", err)
		}
		if err := t.appendChange(row); err != nil {
			return err
		}
	}
	return nil
}

// forgetName takes the user's name out of the dictionary unless later calls name it.
func (t *tables) forgetName(userID string, user session.Name) error {
	named := user == 0 // it has no name
	err := t.eachOwner(0, func(o owner) error {
		if o.user != user {
			return nil
		}
		named = true
		return errStop
	})
	if err != nil || named {
		return err
	}
	return t.names.Remove(kindUser, userID)
}
