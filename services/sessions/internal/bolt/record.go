package bolt

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/sojournhq/sojourn/internal/domain/attribution/boltlinks"
	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/deletion"
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// Record implements session.Store.
func (s *Store) Record(ctx context.Context, workspace string, calls []call.Call) ([]call.Outcome, error) {
	if err := deletion.Room(s.db, calls); err != nil {
		return nil, err
	}
	outcomes, err := boltdb.Do(ctx, s.db, func(tx *boltdb.Tx) ([]call.Outcome, error) {
		t, err := s.writable(tx, workspace)
		if err != nil {
			return nil, err
		}
		r, err := newRecorder(t, calls)
		if err != nil {
			return nil, err
		}
		return r.outcomes, r.record()
	})
	if err != nil {
		return nil, fmt.Errorf("record %d calls: %w", len(calls), err)
	}
	return outcomes, nil
}

// recorder stores the calls of one batch within one transaction, anonymousId after anonymousId. What many of them change is stored once, in
// the end.
type recorder struct {
	*tables

	calls    []call.Call
	outcomes []call.Outcome
	deleted  *deletion.Reader
	learner  *boltlinks.Learner

	arrivals []arrival
	fresh    map[uint32]bool // anonymousIds that nothing was stored of before
	added    []session.Point // room for those of one anonymousId
}

// arrival is a call that makes a point, unless it is a duplicate.
type arrival struct {
	anonymous uint32
	call      int32
}

func newRecorder(t *tables, calls []call.Call) (*recorder, error) {
	deleted, err := t.deleted.Reader()
	if err != nil {
		return nil, err
	}
	t.gathers = true
	return &recorder{
		tables: t, calls: calls, outcomes: make([]call.Outcome, len(calls)), deleted: deleted, learner: t.links.Learner(deleted),
		arrivals: make([]arrival, 0, len(calls)), fresh: map[uint32]bool{},
	}, nil
}

func (r *recorder) record() error {
	for i := range r.calls {
		if err := r.arrive(i); err != nil {
			return err
		}
	}
	// In order, so that the same calls always write the same file. Of copies the first that came stays the first.
	slices.SortStableFunc(r.arrivals, func(a, b arrival) int {
		return cmp.Or(cmp.Compare(a.anonymous, b.anonymous), r.calls[a.call].Position().Compare(r.calls[b.call].Position()))
	})
	for rest := r.arrivals; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].anonymous == rest[0].anonymous {
			n++
		}
		if err := r.addAll(rest[:n]); err != nil {
			return err
		}
		rest = rest[n:]
	}
	return cmp.Or(r.learner.Store(), r.storeSums())
}

// arrive looks at a call, and learns what it says of users and accounts.
func (r *recorder) arrive(i int) error {
	c := &r.calls[i]
	r.outcomes[i] = call.Ignored
	dropped, err := r.deleted.Drops(c)
	if err != nil || dropped {
		return err
	}
	if err := r.learner.Learn(c); err != nil {
		return err
	}
	if c.AnonymousID == "" || c.Type == call.Delete {
		return nil
	}
	anonymous, isNew, err := r.names.NumberNew(kindAnonymous, c.AnonymousID)
	if isNew {
		r.fresh[anonymous] = true
	}
	r.arrivals = append(r.arrivals, arrival{anonymous, int32(i)})
	return err
}

// addAll adds the points of one anonymousId, in their order, but for those that were there.
func (r *recorder) addAll(arrivals []arrival) error {
	anonymous := arrivals[0].anonymous
	var last *stored
	if !r.fresh[anonymous] {
		var err error
		if last, err = r.lastSession(anonymous); err != nil {
			return err
		}
	}
	r.added = r.added[:0]
	for i, a := range arrivals {
		c := &r.calls[a.call]
		r.outcomes[a.call] = call.Duplicate
		if i > 0 && r.calls[arrivals[i-1].call].Position() == c.Position() || r.isStored(anonymous, last, c) {
			continue
		}
		p, err := r.pointOf(c)
		if err != nil {
			return err
		}
		r.outcomes[a.call] = call.Accepted
		r.added = append(r.added, p)
	}
	if len(r.added) == 0 {
		return nil
	}
	return r.add(anonymous, last, r.added)
}

// isStored says whether a call's point is there. Behind the newest session of its anonymousId there is none.
func (r *recorder) isStored(anonymous uint32, last *stored, c *call.Call) bool {
	if last == nil && r.fresh[anonymous] || last != nil && c.Position().Compare(last.End) > 0 {
		return false
	}
	r.key = ref{anonymous, c.Position()}.appendKey(r.key[:0])
	return r.points.Get(r.key) != nil
}

// pointOf gives a call's names their numbers.
func (t *tables) pointOf(c *call.Call) (session.Point, error) {
	p := session.Point{Position: c.Position()}
	module, err := t.names.Number(kindModule, c.Module)
	if err != nil {
		return p, err
	}
	user, err := t.names.Number(kindUser, c.UserID)
	if err != nil {
		return p, err
	}
	account, err := t.names.Number(kindAccount, c.AccountID)
	p.Module, p.User, p.Account = session.Name(module), session.Name(user), session.Name(account)
	return p, err
}
