package bolt

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/record"
	storagev1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/storage/v1"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// Changes implements session.Store.
func (s *Store) Changes(
	_ context.Context, workspace string, after session.Cursor, limit int,
) (found []session.Change, more <-chan struct{}, err error) {
	more = s.wakes() // before reading, so that what is told meanwhile is not missed
	err = s.db.View(func(tx *boltdb.Tx) error {
		t := s.readable(tx, workspace)
		if t == nil {
			return (&feed{}).check(after)
		}
		f, err := t.openFeed()
		if err != nil {
			return err
		}
		if err := f.check(after); err != nil {
			return err
		}
		cursor := t.feed.Cursor()
		key, sealed := cursor.Seek(changeKey(max(after.Number, f.row.GetTrimmed()) + 1))
		for ; key != nil && len(found) < limit; key, sealed = cursor.Next() {
			c, err := t.change(f, key, sealed)
			if err != nil {
				return err
			}
			found = append(found, c)
		}
		return nil
	})
	return found, more, err
}

// Newest implements session.Store.
func (s *Store) Newest(_ context.Context, workspace string) (newest session.Cursor, err error) {
	err = s.db.View(func(tx *boltdb.Tx) error {
		t := s.readable(tx, workspace)
		if t == nil {
			return nil
		}
		f, err := t.openFeed()
		if err != nil {
			return err
		}
		newest = f.cursor(f.last)
		return nil
	})
	return newest, err
}

// feed is where the feed of a workspace begins and ends.
type feed struct {
	row  *storagev1.FeedRow
	last uint64 // number of the last change
}

// openFeed returns the feed, which is empty if nothing was told yet.
func (t *tables) openFeed() (*feed, error) {
	f := &feed{row: &storagev1.FeedRow{}, last: t.feed.Sequence()}
	if sealed := t.feed.Get(feedKey); sealed != nil {
		if err := record.Unmarshal(feedKey, sealed, f.row); err != nil {
			return nil, fmt.Errorf("feed: %w", err)
		}
	}
	return f, nil
}

// cursor returns the cursor behind a change that is, or was, in the feed.
func (f *feed) cursor(number uint64) (c session.Cursor) {
	c.Number = number
	for _, e := range f.row.GetEpochs() {
		if e.GetFirst() <= number {
			c.Epoch = e.GetEpoch()
		}
	}
	if c.Epoch == 0 {
		return session.Cursor{} // nothing was told yet
	}
	return c
}

// check returns session.ErrCursor if there are changes behind a cursor that the feed does not have, or may not have: they were trimmed, or
// told by another copy of the data.
func (f *feed) check(c session.Cursor) error {
	if c == (session.Cursor{}) {
		return nil
	}
	if c.Number < f.row.GetTrimmed() || c.Number > f.last || f.cursor(c.Number) != c {
		return session.ErrCursor
	}
	return nil
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
func (t *tables) change(f *feed, key, sealed []byte) (c session.Change, err error) {
	row, err := decodeChange(key, sealed)
	if err != nil {
		return c, err
	}
	c.Cursor = f.cursor(binary.BigEndian.Uint64(key[1:]))
	if c.ID, err = parseID(row.GetId()); err != nil {
		return c, err
	}
	c.Removed, c.Session.Revision = row.GetRemoved(), row.GetRevision()
	for _, raw := range row.GetReplaces() {
		id, err := parseID(raw)
		if err != nil {
			return c, err
		}
		c.Replaces = append(c.Replaces, id)
	}
	if c.Removed {
		return c, nil
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

func parseID(raw []byte) (session.ID, error) {
	id, ok := session.ParseID(raw)
	if !ok {
		return id, fmt.Errorf("%w: id of a session", record.ErrCorrupt)
	}
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
