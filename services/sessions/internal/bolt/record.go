package bolt

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// Record implements session.Store.
func (s *Store) Record(ctx context.Context, workspace string, calls []call.Call) ([]call.Outcome, error) {
	if err := s.db.Room(); err != nil {
		return nil, err
	}
	var outcomes []call.Outcome
	err := s.db.Update(ctx, func(tx *boltdb.Tx) (err error) {
		outcomes, err = s.record(tx, workspace, calls)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("record %d calls: %w", len(calls), err)
	}
	return outcomes, nil
}

func (s *Store) record(tx *boltdb.Tx, workspace string, calls []call.Call) ([]call.Outcome, error) {
	t, err := s.writable(tx, workspace)
	if err != nil {
		return nil, err
	}
	outcomes := make([]call.Outcome, len(calls))
	added := map[uint32][]session.Point{}
	taken := map[string]bool{}
	for i := range calls {
		c := &calls[i]
		if err := t.links.Learn(c, t.deleted); err != nil {
			return nil, err
		}
		dropped, err := t.deleted.Drops(c)
		if err != nil {
			return nil, err
		}
		if c.AnonymousID == "" || c.Type == call.Delete || dropped {
			outcomes[i] = call.Ignored
			continue
		}
		at, err := t.refOf(c)
		if err != nil {
			return nil, err
		}
		key := at.key()
		if taken[string(key)] || t.points.Get(key) != nil {
			outcomes[i] = call.Duplicate
			continue
		}
		taken[string(key)] = true
		p, err := t.pointOf(c)
		if err != nil {
			return nil, err
		}
		outcomes[i] = call.Accepted
		added[at.anonymous] = append(added[at.anonymous], p)
	}
	// In order, so that the same calls always write the same file.
	for _, anonymous := range slices.Sorted(maps.Keys(added)) {
		if err := t.add(anonymous, added[anonymous]); err != nil {
			return nil, err
		}
	}
	return outcomes, nil
}

func (t *tables) refOf(c *call.Call) (ref, error) {
	anonymous, err := t.names.Number(kindAnonymous, c.AnonymousID)
	return ref{anonymous, c.Position()}, err
}

func (t *tables) pointOf(c *call.Call) (session.Point, error) {
	p := session.Point{Position: c.Position()}
	for _, name := range []struct {
		number *session.Name
		kind   byte
		text   string
	}{
		{&p.Module, kindModule, c.Module}, {&p.User, kindUser, c.UserID}, {&p.Account, kindAccount, c.AccountID},
	} {
		number, err := t.names.Number(name.kind, name.text)
		if err != nil {
			return p, err
		}
		*name.number = session.Name(number)
	}
	return p, nil
}
