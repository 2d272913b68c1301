package bolt

import (
	"context"
	"fmt"
	"maps"
	"slices"

	bbolt "go.etcd.io/bbolt"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// Record implements session.Store.
func (s *Store) Record(ctx context.Context, workspace string, calls []call.Call) ([]call.Outcome, error) {
	var outcomes []call.Outcome
	err := s.db.Update(ctx, func(tx *bbolt.Tx) (err error) {
		outcomes, err = s.record(tx, workspace, calls)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("record %d calls: %w", len(calls), err)
	}
	return outcomes, nil
}

func (s *Store) record(tx *bbolt.Tx, workspace string, calls []call.Call) ([]call.Outcome, error) {
	t, err := s.writable(tx, workspace)
	if err != nil {
		return nil, err
	}
	outcomes := make([]call.Outcome, len(calls))
	added := map[uint32][]call.Position{}
	for i := range calls {
		c := &calls[i]
		if err := t.links.Learn(c); err != nil {
			return nil, err
		}
		if c.AnonymousID == "" {
			outcomes[i] = call.Ignored
			continue
		}
		at, isNew, err := t.addPoint(c)
		if err != nil {
			return nil, err
		}
		outcomes[i] = call.Duplicate
		if isNew {
			outcomes[i] = call.Accepted
			added[at.anonymous] = append(added[at.anonymous], at.Position)
		}
	}
	// In order, so that the same calls always write the same file.
	for _, anonymous := range slices.Sorted(maps.Keys(added)) {
		if err := t.update(anonymous, added[anonymous]); err != nil {
			return nil, err
		}
	}
	return outcomes, nil
}

// addPoint stores the call as a point unless it is there, and says whether it is new.
func (t *tables) addPoint(c *call.Call) (at ref, isNew bool, err error) {
	if at.anonymous, err = t.names.Number(kindAnonymous, c.AnonymousID); err != nil {
		return ref{}, false, err
	}
	at.Position = c.Position()
	key := at.key()
	if t.points.Get(key) != nil {
		return at, false, nil
	}
	p := session.Point{Position: at.Position}
	for _, name := range []struct {
		number *session.Name
		kind   byte
		text   string
	}{
		{&p.Module, kindModule, c.Module}, {&p.User, kindUser, c.UserID}, {&p.Account, kindAccount, c.AccountID},
	} {
		number, err := t.names.Number(name.kind, name.text)
		if err != nil {
			return ref{}, false, err
		}
		*name.number = session.Name(number)
	}
	sealed, err := encodePoint(key, p)
	if err != nil {
		return ref{}, false, err
	}
	if err := t.points.Put(key, sealed); err != nil {
		return ref{}, false, fmt.Errorf("store a point: %w", err)
	}
	return at, true, nil
}
