package bolt

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/day"
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/record"
	storagev1 "github.com/sojournhq/sojourn/proto/sojourn/events/storage/v1"
)

// Record implements usage.Store.
func (s *Store) Record(ctx context.Context, workspace string, calls []call.Call) ([]call.Outcome, error) {
	if err := s.db.Room(); err != nil {
		return nil, err
	}
	var outcomes []call.Outcome
	err := s.db.Update(ctx, func(tx *boltdb.Tx) error {
		t, err := writable(tx, workspace)
		if err != nil {
			return err
		}
		outcomes, err = t.record(calls)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("record %d calls: %w", len(calls), err)
	}
	return outcomes, nil
}

func (t *tables) record(calls []call.Call) ([]call.Outcome, error) {
	outcomes := make([]call.Outcome, len(calls))
	changes := map[string]*storagev1.UsageRow{} // by key of usage
	for i := range calls {
		c := &calls[i]
		if err := t.links.Learn(c, t.gone); err != nil {
			return nil, err
		}
		dropped, err := t.gone.Drops(c)
		if err != nil {
			return nil, err
		}
		if c.Feature == "" || dropped {
			outcomes[i] = call.Ignored
			continue
		}
		row, err := t.addEvent(c)
		if err != nil {
			return nil, err
		}
		outcomes[i] = call.Duplicate
		if row != nil {
			outcomes[i] = call.Accepted
			if err := t.count(changes, row, c.TimeMS); err != nil {
				return nil, err
			}
		}
	}
	return outcomes, t.putUsage(changes)
}

// addEvent stores the call as an event unless it is there, and returns the row if it is new.
func (t *tables) addEvent(c *call.Call) (*storagev1.EventRow, error) {
	key := eventKey(c.Position())
	if t.events.Get(key) != nil {
		return nil, nil
	}
	row := &storagev1.EventRow{}
	for _, name := range []struct {
		number *uint32
		kind   byte
		text   string
	}{
		{&row.Feature, kindFeature, c.Feature},
		{&row.Module, kindModule, c.Module},
		{&row.User, kindUser, c.UserID},
		{&row.Account, kindAccount, c.AccountID},
	} {
		var err error
		if *name.number, err = t.names.Number(name.kind, name.text); err != nil {
			return nil, err
		}
	}
	sealed, err := record.Marshal(key, row)
	if err != nil {
		return nil, err
	}
	if err := t.events.Put(key, sealed); err != nil {
		return nil, fmt.Errorf("store an event: %w", err)
	}
	return row, nil
}

// count adds a new event to the sums of its day, so far in memory.
func (t *tables) count(changes map[string]*storagev1.UsageRow, row *storagev1.EventRow, ms int64) error {
	key := usageKey{row.GetAccount(), row.GetUser(), day.Of(ms), row.GetModule(), row.GetFeature()}.bytes()
	sum := changes[string(key)]
	if sum == nil {
		sum = &storagev1.UsageRow{FirstMs: ms, LastMs: ms}
		if sealed := t.usage.Get(key); sealed != nil {
			if err := record.Unmarshal(key, sealed, sum); err != nil {
				return fmt.Errorf("usage: %w", err)
			}
		}
		changes[string(key)] = sum
	}
	sum.Uses++
	sum.FirstMs, sum.LastMs = min(sum.GetFirstMs(), ms), max(sum.GetLastMs(), ms)
	return nil
}

func (t *tables) putUsage(changes map[string]*storagev1.UsageRow) error {
	for _, key := range slices.Sorted(maps.Keys(changes)) {
		sealed, err := record.Marshal([]byte(key), changes[key])
		if err != nil {
			return err
		}
		if err := t.usage.Put([]byte(key), sealed); err != nil {
			return fmt.Errorf("store usage: %w", err)
		}
	}
	return nil
}
