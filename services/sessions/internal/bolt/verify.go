package bolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"

	bbolt "go.etcd.io/bbolt"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/kit/dict"
	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/internal/kit/record"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// Found is called with everything that is wrong: in which table of which workspace, and what.
type Found func(workspace, table, what string)

// Verify reads everything and tells what is not as it should be: keys, checksums and names; sessions that are not what their points make
// them; indexes and daily sums that are not those of the sessions; sessions that wait for no timer; gaps in the feed. It changes nothing.
// An error means that it could not go on.
func (s *Store) Verify(ctx context.Context, found Found) error {
	return s.db.View(func(tx *bbolt.Tx) error {
		for err := range tx.Check() {
			found("", "pages", err.Error())
		}
		timers, err := s.waiting(tx, found)
		if err != nil {
			return err
		}
		for workspace := range s.workspaces(tx) {
			v := &verifier{tables: s.readable(tx, workspace), found: found, waiting: timers[workspace], known: map[uint32]session.Rules{}}
			if err := v.all(ctx); err != nil {
				return fmt.Errorf("verify workspace %q: %w", workspace, err)
			}
		}
		return nil
	})
}

// waiting returns the keys of the sessions of each workspace that a timer waits for.
func (s *Store) waiting(tx *bbolt.Tx, found Found) (map[string]map[string]bool, error) {
	all := map[string]map[string]bool{}
	timers := tx.Bucket(timersBucket)
	if timers == nil {
		return all, nil
	}
	cursor := timers.Cursor()
	for key, sealed := cursor.First(); key != nil; key, sealed = cursor.Next() {
		r := keys.Read(key)
		_, workspace, session := r.Time(), r.String(), r.Rest()
		if _, err := record.Open(key, sealed); err != nil || r.Err() != nil {
			found(workspace, "timers", fmt.Sprintf("%x: %v", key, errors.Join(err, r.Err())))
			continue
		}
		if all[workspace] == nil {
			all[workspace] = map[string]bool{}
		}
		all[workspace][string(session)] = true
	}
	return all, nil
}

// verifier looks over one workspace.
type verifier struct {
	*tables

	found   Found
	waiting map[string]bool
	known   map[uint32]session.Rules
}

func (v *verifier) wrong(table []byte, format string, args ...any) {
	v.found(v.workspace, string(table), fmt.Sprintf(format, args...))
}

func (v *verifier) all(ctx context.Context) error {
	for _, part := range []func(context.Context) error{v.checksums, v.walks, v.indexes, v.dailySums, v.feedNumbers} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return nil
}

// checksums opens every value of every table.
func (v *verifier) checksums(ctx context.Context) error {
	return v.bucket.ForEachBucket(func(table []byte) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return v.bucket.Bucket(table).ForEach(func(key, sealed []byte) error {
			if _, err := record.Open(key, sealed); err != nil {
				v.wrong(table, "%x: %v", key, err)
			}
			return nil
		})
	})
}

// walks walks the points of every anonymousId and compares with the sessions that are stored.
func (v *verifier) walks(ctx context.Context) error {
	for from := []byte(nil); ; {
		anonymous, ok := v.nextAnonymous(from)
		if !ok {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := v.walk(anonymous); err != nil {
			if !errors.Is(err, record.ErrCorrupt) && !errors.Is(err, dict.ErrUnknown) {
				return err
			}
			v.wrong(sessionsTable, "anonymousId %d: %v", anonymous, err)
		}
		from = keys.AppendUint32(nil, anonymous+1)
	}
}

// nextAnonymous returns the first anonymousId at or behind a prefix that has points or sessions.
func (v *verifier) nextAnonymous(from []byte) (anonymous uint32, ok bool) {
	for _, table := range []*bbolt.Bucket{v.points, v.sessions} {
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

func (v *verifier) walk(anonymous uint32) error {
	byStart, err := v.sessionsBetween(anonymous, call.Position{}, nil)
	if err != nil {
		return err
	}
	starts := slices.SortedFunc(maps.Keys(byStart), call.Position.Compare)
	var w *rewalked
	for p, err := range v.pointsFrom(anonymous, 0) {
		switch {
		case err != nil:
			return err
		case len(starts) > 0 && p.Position == starts[0]:
			w, err = v.nextSession(w, byStart[starts[0]], p)
			if err != nil {
				return err
			}
			starts = starts[1:]
		case w == nil || p.Compare(w.stored.End) > 0:
			v.wrong(pointsTable, "a point at %d of anonymousId %d is in no session", p.TimeMS, anonymous)
		case !w.rules.Continues(&w.Session, p):
			v.wrong(sessionsTable, "a session of anonymousId %d that starts at %d goes on after its end", anonymous, w.Start.TimeMS)
			w.Points++ // once is enough
		default:
			w.rules.Extend(&w.Session, w.parts, p)
		}
	}
	if w != nil {
		err = v.compare(w)
	}
	for _, start := range starts {
		v.wrong(sessionsTable, "a session of anonymousId %d that starts at %d has no first point", anonymous, start.TimeMS)
	}
	return err
}

// rewalked is a session walked from its points, beside the one that is stored.
type rewalked struct {
	session.Session

	parts  session.Parts
	rules  session.Rules
	stored *stored
}

// nextSession compares the session that was walked and begins the next, which starts with p.
func (v *verifier) nextSession(was *rewalked, s *stored, p session.Point) (*rewalked, error) {
	rules, err := v.rulesNamed(s.rules)
	if err != nil {
		return nil, err
	}
	if was != nil {
		if err := v.compare(was); err != nil {
			return nil, err
		}
		if was.stored.rules == s.rules && rules.Continues(&was.Session, p) {
			v.wrong(sessionsTable, "two sessions that meet at %d are one", p.TimeMS)
		}
	}
	parts := session.Parts{}
	return &rewalked{Session: session.Begin(p, parts), parts: parts, rules: rules, stored: s}, nil
}

func (v *verifier) compare(w *rewalked) error {
	parts, err := v.allParts(w.stored)
	if err != nil {
		return err
	}
	if w.Session != w.stored.Session || !maps.Equal(parts, w.parts) {
		v.wrong(sessionsTable, "a session that starts at %d is not what its points make it", w.Start.TimeMS)
	}
	return nil
}

// rulesNamed returns the rules that have a number in the dictionary.
func (v *verifier) rulesNamed(number uint32) (session.Rules, error) {
	if rules, ok := v.known[number]; ok {
		return rules, nil
	}
	name, err := v.names.Name(number)
	if err != nil {
		return session.Rules{}, err
	}
	rules, err := parseRules(name)
	v.known[number] = rules
	return rules, err
}

// indexes compares by_start and by_owner with the sessions, and looks for sessions that no timer waits for.
func (v *verifier) indexes(context.Context) error {
	sessions := 0
	err := v.sessions.ForEach(func(key, sealed []byte) error {
		sessions++
		at, s, err := decodeSession(key, sealed)
		if err != nil {
			return nil // told by checksums
		}
		if v.byStart.Get(at.byStartKey()) == nil {
			v.wrong(byStartTable, "a session that starts at %d is missing", at.TimeMS)
		}
		if v.byOwner.Get(s.owner().byOwnerKey(at)) == nil {
			v.wrong(byOwnerTable, "a session that starts at %d is missing", at.TimeMS)
		}
		if !s.isTold() && !v.waiting[string(key)] {
			v.wrong(timersBucket, "a session that starts at %d waits for no timer", at.TimeMS)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for name, table := range map[string]*bbolt.Bucket{string(byStartTable): v.byStart, string(byOwnerTable): v.byOwner} {
		if n := table.Stats().KeyN; n != sessions {
			v.wrong([]byte(name), "%d entries for %d sessions", n, sessions)
		}
	}
	return nil
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
		differing, _, err := v.compareSums(o)
		if err != nil {
			v.wrong(sumsTable, "account %d, user %d: %v", o.account, o.user, err)
		}
		if len(differing) > 0 {
			v.wrong(sumsTable, "account %d, user %d: %d sums are not those of the sessions", o.account, o.user, len(differing))
		}
		from = o.next()
	}
}

// feedNumbers looks for gaps in the feed.
func (v *verifier) feedNumbers(context.Context) error {
	feed, err := v.feedRow()
	if err != nil {
		return nil //nolint:nilerr // told by checksums
	}
	next := feed.GetTrimmed() + 1
	cursor := v.feed.Cursor()
	for key, _ := cursor.Seek(changeKey(0)); key != nil; key, _ = cursor.Next() {
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
