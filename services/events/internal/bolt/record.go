package bolt

import (
	"cmp"
	"context"
	"fmt"

	"github.com/sojournhq/sojourn/internal/domain/attribution/boltlinks"
	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/day"
	"github.com/sojournhq/sojourn/internal/domain/deletion"
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/record"
)

// Record implements usage.Store.
func (s *Store) Record(ctx context.Context, workspace string, calls []call.Call) ([]call.Outcome, error) {
	if err := deletion.Room(s.db, calls); err != nil {
		return nil, err
	}
	outcomes, err := boltdb.Do(ctx, s.db, func(tx *boltdb.Tx) ([]call.Outcome, error) {
		t, err := s.writable(tx, workspace)
		if err != nil {
			return nil, err
		}
		r, err := newRecorder(t)
		if err != nil {
			return nil, err
		}
		return r.record(calls)
	})
	if err != nil {
		return nil, fmt.Errorf("record %d calls: %w", len(calls), err)
	}
	return outcomes, nil
}

// recorder stores the calls of one batch within one transaction. What many of them change is stored once, in the end.
type recorder struct {
	*tables

	deleted *deletion.Reader
	learner *boltlinks.Learner
	sums    sums
	// key and value are room for one row.
	key, value []byte
}

func newRecorder(t *tables) (*recorder, error) {
	deleted, err := t.gone.Reader()
	if err != nil {
		return nil, err
	}
	return &recorder{tables: t, deleted: deleted, learner: t.links.Learner(deleted), sums: newSums(t.usage)}, nil
}

func (r *recorder) record(calls []call.Call) ([]call.Outcome, error) {
	outcomes := make([]call.Outcome, len(calls))
	for i := range calls {
		var err error
		if outcomes[i], err = r.call(&calls[i]); err != nil {
			return nil, err
		}
	}
	return outcomes, cmp.Or(r.learner.Store(), r.sums.store())
}

func (r *recorder) call(c *call.Call) (call.Outcome, error) {
	dropped, err := r.deleted.Drops(c)
	if err != nil || dropped {
		return call.Ignored, err
	}
	if err := r.learner.Learn(c); err != nil {
		return 0, err
	}
	if c.Feature == "" {
		return call.Ignored, nil
	}
	return r.addEvent(c)
}

// addEvent stores the call as an event, and counts it, unless it is there.
func (r *recorder) addEvent(c *call.Call) (call.Outcome, error) {
	r.key = appendEventKey(r.key[:0], c.Position())
	if r.events.Get(r.key) != nil {
		return call.Duplicate, nil
	}
	row, err := r.eventRow(c)
	if err != nil {
		return 0, err
	}
	r.value = record.Seal(r.key, row.append(r.value[:0]))
	if err := r.events.Put(r.key, r.value); err != nil {
		return 0, fmt.Errorf("store an event: %w", err)
	}
	return call.Accepted, r.sums.add(row.sumKey(day.Of(c.TimeMS)), c.TimeMS)
}

// eventRow gives a call's names their numbers.
func (r *recorder) eventRow(c *call.Call) (row eventRow, err error) {
	if row.feature, err = r.names.Number(kindFeature, c.Feature); err != nil {
		return row, err
	}
	if row.module, err = r.names.Number(kindModule, c.Module); err != nil {
		return row, err
	}
	if row.user, err = r.names.Number(kindUser, c.UserID); err != nil {
		return row, err
	}
	row.account, err = r.names.Number(kindAccount, c.AccountID)
	return row, err
}
