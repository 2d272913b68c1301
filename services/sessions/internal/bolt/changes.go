package bolt

import (
	"context"
	"encoding/binary"
	"fmt"

	bbolt "go.etcd.io/bbolt"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/internal/kit/record"
	storagev1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/storage/v1"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// Changes implements session.Store.
func (s *Store) Changes(
	_ context.Context, workspace string, after session.Cursor, limit int,
) (found []session.Change, more <-chan struct{}, err error) {
	more = s.wakes() // before reading, so that what is told meanwhile is not missed
	err = s.db.View(func(tx *bbolt.Tx) error {
		t := s.readable(tx, workspace)
		if t == nil {
			return checkCursor(after, &storagev1.FeedRow{}, 0)
		}
		feed, err := t.feedRow()
		if err != nil {
			return err
		}
		if err := checkCursor(after, feed, t.feed.Sequence()); err != nil {
			return err
		}
		cursor := t.feed.Cursor()
		key, sealed := cursor.Seek(changeKey(max(after.Number, feed.GetTrimmed()) + 1))
		for ; key != nil && len(found) < limit; key, sealed = cursor.Next() {
			c, err := t.change(feed, key, sealed)
			if err != nil {
				return err
			}
			found = append(found, c)
		}
		return nil
	})
	return found, more, err
}

// checkCursor returns session.ErrCursor if there are changes behind the cursor that the feed does not have, or may not have.
func checkCursor(c session.Cursor, feed *storagev1.FeedRow, last uint64) error {
	if c != (session.Cursor{}) && (c.Epoch != feed.GetEpoch() || c.Number < feed.GetTrimmed() || c.Number > last) {
		return session.ErrCursor
	}
	return nil
}

// Newest implements session.Store.
func (s *Store) Newest(_ context.Context, workspace string) (newest session.Cursor, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		t := s.readable(tx, workspace)
		if t == nil {
			return nil
		}
		feed, err := t.feedRow()
		newest = session.Cursor{Epoch: feed.GetEpoch(), Number: t.feed.Sequence()}
		return err
	})
	return newest, err
}

func decodeChange(key, sealed []byte) (*storagev1.ChangeRow, error) {
	var row storagev1.ChangeRow
	if len(key) != 9 {
		return nil, fmt.Errorf("%w: key of a change", record.ErrCorrupt)
	}
	if err := record.Unmarshal(key, sealed, &row); err != nil {
		return nil, fmt.Errorf("change: %w", err)
	}
	return &row, nil
}

// change reads a row of the feed.
func (t *tables) change(feed *storagev1.FeedRow, key, sealed []byte) (c session.Change, err error) {
	row, err := decodeChange(key, sealed)
	if err != nil {
		return c, err
	}
	c.Cursor = session.Cursor{Epoch: feed.GetEpoch(), Number: binary.BigEndian.Uint64(key[1:])}
	if c.ID, err = parseID(row.GetId()); err != nil {
		return c, err
	}
	c.Removed, c.Session.Revision = row.GetRemoved(), row.GetRevision()
	if c.Removed {
		return c, nil
	}
	for _, raw := range row.GetReplaces() {
		id, err := parseID(raw)
		if err != nil {
			return c, err
		}
		c.Replaces = append(c.Replaces, id)
	}
	start := call.Position{TimeMS: row.GetStartMs(), MessageID: row.GetStartMessageId(), OriginalMS: row.GetStartOriginalMs()}
	if c.Session.First, err = t.first(ref{row.GetAnonymous(), start}); err != nil {
		return c, err
	}
	c.Session.EndMS, c.Session.Points, c.Session.ActiveMS = row.GetEndMs(), row.GetPoints(), row.GetActiveMs()
	c.Session.DurationMS = row.GetEndMs() - row.GetStartMs()
	c.Session.Ended = true
	c.Session.ModulesOmitted = row.GetModulesOmitted()
	whose, err := t.name(owner{session.Name(row.GetAccount()), session.Name(row.GetUser())})
	if err != nil {
		return c, err
	}
	c.Session.UserID, c.Session.AccountID = whose.userID, whose.accountID
	var modules []moduleTime
	for _, m := range row.GetModules() {
		modules = append(modules, moduleTime{session.Name(m.GetModule()), m.GetDurationMs(), m.GetActiveMs()})
	}
	c.Session.Modules, err = t.nameModules(modules)
	return c, err
}

// encodeID is how rows hold a session's id.
func encodeID(id session.ID) []byte {
	return append(keys.AppendTime(make([]byte, 0, 16), id.StartMS), id.Digest[:]...)
}

func parseID(raw []byte) (id session.ID, err error) {
	r := keys.Read(raw)
	id.StartMS = r.Time()
	if r.Err() != nil || len(r.Rest()) != len(id.Digest) {
		return id, fmt.Errorf("%w: id of a session", record.ErrCorrupt)
	}
	copy(id.Digest[:], r.Rest())
	return id, nil
}

// wakes returns a channel that is closed when a feed grows from now on.
func (s *Store) wakes() <-chan struct{} {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.told
}

// wake lets all who wait for the feed look again.
func (s *Store) wake() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	close(s.told)
	s.told = make(chan struct{})
}
