package bolt

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// Session implements session.Store. Those that start in the id's millisecond are looked through for its digest.
func (s *Store) Session(_ context.Context, workspace string, id session.ID, nowMS int64) (view session.View, err error) {
	err = s.db.View(func(tx *boltdb.Tx) error {
		t := s.readable(tx, workspace)
		if t == nil {
			return session.ErrNotFound
		}
		prefix := keys.AppendTime(nil, id.StartMS)
		cursor := t.byStart.Cursor()
		for key, _ := cursor.Seek(prefix); bytes.HasPrefix(key, prefix); key, _ = cursor.Next() {
			at, err := parseByStart(key)
			if err != nil {
				return err
			}
			first, err := t.first(at)
			if err != nil {
				return err
			}
			if first.ID() == id {
				view, err = t.view(at, nowMS)
				return err
			}
		}
		return session.ErrNotFound
	})
	return view, err
}

// first names the first point of a session.
func (t *tables) first(at ref) (session.First, error) {
	anonymousID, err := t.names.Name(at.anonymous)
	return session.First{AnonymousID: anonymousID, Start: at.Position}, err
}

// Sessions implements session.Store.
func (s *Store) Sessions(ctx context.Context, workspace string, f session.Filter, after *session.First, limit int) ([]session.View, error) {
	var found []session.View
	err := s.db.View(func(tx *boltdb.Tx) error {
		t := s.readable(tx, workspace)
		if t == nil {
			return nil
		}
		if f.Ended != nil && !*f.Ended { // what began earlier than this has ended
			f.FromMS = max(f.FromMS, f.NowMS-longestSessionMS-t.rules.TimeoutMS)
		}
		sources, err := t.sources(f)
		if err != nil {
			return err
		}
		for _, source := range sources {
			some, err := t.pageOf(ctx, source, f, after, limit)
			if err != nil {
				return err
			}
			found = append(found, some...)
			if len(found) >= limit { // later ones of other sources cannot be on the page
				sortByFirst(found)
				found = found[:limit]
				f.ToMS = min(f.ToMS, found[limit-1].First.Start.TimeMS+1)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	sortByFirst(found)
	return found, nil
}

// longestSessionMS is the longest that a session can last, whatever the rules were when it was walked.
const longestSessionMS = 24 * 60 * 60 * 1000

func sortByFirst(views []session.View) {
	slices.SortFunc(views, func(a, b session.View) int { return a.First.Compare(b.First) })
}

// source is a run of keys that sort by start time behind a prefix.
type source struct {
	table  *boltdb.Bucket
	prefix []byte
	parse  func(rest []byte) (ref, error)
}

// sources returns the runs that together hold every session that can match, each session once.
func (t *tables) sources(f session.Filter) ([]source, error) {
	if f.AnonymousID != "" {
		anonymous, ok, err := t.names.Find(kindAnonymous, f.AnonymousID)
		if err != nil || !ok {
			return nil, err
		}
		prefix := keys.AppendUint32(nil, anonymous)
		return []source{{t.sessions, prefix, func(rest []byte) (ref, error) { return parseRef(slices.Concat(prefix, rest)) }}}, nil
	}
	if f.AccountID == nil && f.UserID == nil {
		return []source{{t.byStart, nil, parseByStart}}, nil
	}
	owners, err := t.owners(f.AccountID, f.UserID)
	if err != nil {
		return nil, err
	}
	sources := make([]source, 0, len(owners))
	for _, o := range owners {
		sources = append(sources, source{t.byOwner, o.prefix(), parseByStart})
	}
	return sources, nil
}

// pageOf returns the first matching sessions of a source: limit of them, and as many more as start in the same millisecond as the last.
func (t *tables) pageOf(ctx context.Context, from source, f session.Filter, after *session.First, limit int) ([]session.View, error) {
	start := f.FromMS
	if after != nil {
		start = max(start, after.Start.TimeMS)
	}
	var found []session.View
	cursor := from.table.Cursor()
	key, _ := cursor.Seek(keys.AppendTime(bytes.Clone(from.prefix), start))
	for ; key != nil && bytes.HasPrefix(key, from.prefix); key, _ = cursor.Next() {
		at, err := from.parse(key[len(from.prefix):])
		if err != nil {
			return nil, err
		}
		if at.TimeMS >= f.ToMS || (len(found) >= limit && at.TimeMS > found[len(found)-1].First.Start.TimeMS) {
			break
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		view, err := t.view(at, f.NowMS)
		if err != nil {
			return nil, err
		}
		if (after == nil || view.First.Compare(*after) > 0) && matches(&view, f) {
			found = append(found, view)
		}
	}
	return found, nil
}

func matches(v *session.View, f session.Filter) bool {
	return (f.AccountID == nil || *f.AccountID == v.AccountID) &&
		(f.UserID == nil || *f.UserID == v.UserID) &&
		(f.Ended == nil || *f.Ended == v.Ended)
}

// view reads a session that an index or an id named.
func (t *tables) view(at ref, nowMS int64) (session.View, error) {
	key := at.key()
	_, s, err := decodeSession(key, t.sessions.Get(key))
	if err != nil {
		return session.View{}, err
	}
	whose, err := t.name(s.owner())
	if err != nil {
		return session.View{}, err
	}
	v := session.View{
		EndMS:      s.End.TimeMS,
		UserID:     whose.userID,
		AccountID:  whose.accountID,
		DurationMS: s.DurationMS(),
		Points:     s.Points,
		Revision:   s.revision,
		Ended:      t.rules.EndedBy(&s.Session, nowMS),
	}
	if v.First, err = t.first(at); err != nil {
		return session.View{}, err
	}
	modules, activeMS, err := t.moduleTimes(s)
	if err != nil {
		return session.View{}, err
	}
	v.ActiveMS = activeMS
	v.ModulesOmitted = int64(max(0, len(modules)-session.MaxModules))
	if modules, err = t.longest(modules); err != nil {
		return session.View{}, err
	}
	v.Modules, err = t.nameModules(modules)
	return v, err
}
