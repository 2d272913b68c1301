package bolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/sojournhq/sojourn/internal/domain/attribution/boltlinks"
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/internal/kit/record"
	"github.com/sojournhq/sojourn/internal/kit/soundness"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// Verify examines the file that the options name, without changing it, and tells found of everything in it that is not as it should be:
// damaged values, names and links that do not hold both ways; sessions that are not what their points make them; indexes and daily sums
// that are not those of the sessions; sessions that wait for no timer; gaps in the feed.
func Verify(ctx context.Context, o boltdb.Options, found func(soundness.Problem)) error {
	o = Mark(o)
	s := &Store{rules: func(string) session.Rules { return session.DefaultRules() }}
	return soundness.Examine(ctx, o, func(tx *boltdb.Tx) error {
		timers := s.waiting(tx, found)
		for workspace := range s.workspaces(tx) {
			v := &verifier{
				path: string(workspacesBucket) + "/" + workspace, found: found,
				waiting: timers[workspace], known: map[uint32]session.Rules{}, said: boltlinks.NewSaidInRows(),
			}
			if missing := missingTable(boltdb.Find(tx, workspacesBucket, []byte(workspace))); missing != nil {
				v.wrong(missing, "there is no such table")
				continue
			}
			v.tables = s.readable(tx, workspace)
			if err := v.all(ctx); err != nil {
				return fmt.Errorf("verify workspace %q: %w", workspace, err)
			}
		}
		return nil
	}, found)
}

// missingTable returns the first table that is not there, nil if all are.
func missingTable(mine *boltdb.Bucket) []byte {
	for _, table := range allTables {
		if mine == nil || mine.Bucket(table) == nil {
			return table
		}
	}
	return nil
}

// waiting returns the keys of the sessions of each workspace that a timer waits for, and the earliest time at which one does.
func (s *Store) waiting(tx *boltdb.Tx, found func(soundness.Problem)) map[string]map[string]int64 {
	all := map[string]map[string]int64{}
	timers := tx.Bucket(timersBucket)
	if timers == nil {
		return all
	}
	cursor := timers.Cursor()
	for key, sealed := cursor.First(); key != nil; key, sealed = cursor.Next() {
		r := keys.Read(key)
		due, workspace, session := r.Time(), r.String(), string(r.Rest())
		if _, err := record.Open(key, sealed); err != nil || r.Err() != nil {
			found(soundness.Problem{Table: string(timersBucket), Message: fmt.Sprintf("%x: %v", key, errors.Join(err, r.Err()))})
			continue
		}
		if all[workspace] == nil {
			all[workspace] = map[string]int64{}
		}
		if earliest, known := all[workspace][session]; !known || due < earliest {
			all[workspace][session] = due
		}
	}
	return all
}

// verifier looks over one workspace.
type verifier struct {
	*tables

	path    string
	found   func(soundness.Problem)
	waiting map[string]int64
	known   map[uint32]session.Rules
	said    *boltlinks.SaidInRows
}

func (v *verifier) wrong(table []byte, format string, args ...any) {
	v.found(soundness.Problem{Table: v.path + "/" + string(table), Message: fmt.Sprintf(format, args...)})
}

func (v *verifier) all(ctx context.Context) error {
	for _, part := range []func(context.Context) error{v.checksums, v.walks, v.linkTimes, v.indexes, v.dailySums, v.feedNumbers} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return nil
}

// checksums opens every value of every table.
func (v *verifier) checksums(ctx context.Context) error {
	v.names.Check(func(message string) { v.wrong(namesTable, "%s", message) })
	v.links.Check(func(message string) { v.wrong(linksTable, "%s", message) })
	for _, table := range allTables {
		if err := ctx.Err(); err != nil {
			return err
		}
		if bytes.Equal(table, namesTable) || bytes.Equal(table, linksTable) {
			continue
		}
		cursor := v.bucket.Bucket(table).Cursor()
		for key, sealed := cursor.First(); key != nil; key, sealed = cursor.Next() {
			if _, err := record.Open(key, sealed); err != nil {
				v.wrong(table, "%x: %v", key, err)
			}
		}
	}
	return nil
}

// linkTimes compares the links with the points, which were walked.
func (v *verifier) linkTimes(context.Context) error {
	report := func(message string) { v.wrong(linksTable, "%s", message) }
	if err := v.links.CheckSaid(v.said, v.names.Name, v.deleted, report); err != nil {
		v.wrong(tombstonesTable, "%v", err)
	}
	return nil
}

// indexes compares by_start and by_owner with the sessions, and looks for sessions that no timer waits for.
func (v *verifier) indexes(context.Context) error {
	sessions, owned := 0, map[uint64]bool{}
	err := v.sessions.ForEach(func(key, sealed []byte) error {
		sessions++
		at, s, err := decodeSession(key, sealed)
		if err != nil {
			return nil //nolint:nilerr // told by checksums
		}
		if v.byStart.Get(at.byStartKey()) == nil {
			v.wrong(byStartTable, "a session that starts at %d is missing", at.TimeMS)
		}
		if v.byOwner.Get(s.owner().byOwnerKey(at)) == nil {
			v.wrong(byOwnerTable, "a session that starts at %d is missing", at.TimeMS)
		}
		if due, waits := v.waiting[string(key)]; !s.isTold() && (!waits || due > s.End.TimeMS+longestSessionMS+postponeMS) {
			v.wrong(timersBucket, "a session that starts at %d waits for no timer that comes in time", at.TimeMS)
		}
		if s.more != 0 {
			owned[s.more] = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	for name, table := range map[string]*boltdb.Bucket{string(byStartTable): v.byStart, string(byOwnerTable): v.byOwner} {
		if n := table.Count(); n != sessions {
			v.wrong([]byte(name), "%d entries for %d sessions", n, sessions)
		}
	}
	v.orphans(owned)
	return nil
}

// orphans looks for parts of no session, and for sessions that are gone although nothing is left that could be told to replace them.
func (v *verifier) orphans(owned map[uint64]bool) {
	_ = v.parts.ForEach(func(key, _ []byte) error { // never fails
		if len(key) < 8 || !owned[binary.BigEndian.Uint64(key)] {
			v.wrong(partsTable, "%x: a part of no session", key)
		}
		return nil
	})
	_ = v.gone.ForEach(func(key, _ []byte) error { // never fails
		if v.points.Get(key) == nil {
			v.wrong(goneTable, "%x: a session whose first point is deleted, and that was not told", key)
		}
		return nil
	})
}

// dailySums compares the sums with the sessions.
func (v *verifier) dailySums(ctx context.Context) error {
	for from := []byte(nil); ; {
		o, ok, err := v.nextOwner(from)
		if err != nil || !ok {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		wrong, _, _, err := v.compareSums(o)
		if err != nil {
			v.wrong(daysTable, "account %d, user %d: %v", o.account, o.user, err)
		}
		if len(wrong) > 0 {
			v.wrong(daysTable, "account %d, user %d: the sums of %d days are not those of the sessions", o.account, o.user, len(wrong))
		}
		from = o.next()
	}
}

// feedNumbers looks for gaps in the feed.
func (v *verifier) feedNumbers(context.Context) error {
	feed, err := v.openFeed()
	if err != nil {
		return nil //nolint:nilerr // told by checksums
	}
	next := feed.row.GetTrimmed() + 1
	cursor := v.feed.Cursor()
	for key, sealed := cursor.Seek(changeKey(0)); key != nil; key, sealed = cursor.Next() {
		if _, err := v.change(feed, key, sealed); err != nil {
			v.wrong(feedTable, "%x: %v", key, err)
		}
		if !bytes.Equal(key, changeKey(next)) {
			v.wrong(feedTable, "change %d is missing", next)
			return nil
		}
		next++
	}
	if next != v.feed.Sequence()+1 {
		v.wrong(feedTable, "the changes end at %d, not at %d", next-1, v.feed.Sequence())
	}
	return nil
}
