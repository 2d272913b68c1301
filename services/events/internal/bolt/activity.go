package bolt

import (
	"bytes"
	"context"
	"fmt"

	"github.com/sojournhq/sojourn/internal/domain/activity"
	"github.com/sojournhq/sojourn/internal/domain/activity/boltactivity"
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
)

// Activity implements usage.Store.
func (s *Store) Activity(ctx context.Context, workspace string, q activity.Query) (page *activity.Activity, err error) {
	err = s.db.View(func(tx *boltdb.Tx) (err error) {
		t := readable(tx, workspace)
		if t == nil {
			page = &activity.Activity{}
			return nil
		}
		from := boltactivity.Source{
			Sums: t.usage, Names: t.names, Links: t.links, Resolver: t.resolver, KindUser: kindUser, KindAccount: kindAccount,
		}
		page, err = from.Read(ctx, q, func(rows *boltdb.Walk, o boltactivity.Owner, into *activity.Page) error {
			return t.addActivity(ctx, q, rows, o, into)
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read activity: %w", err)
	}
	return page, nil
}

// addActivity adds what one user did, as calls say that named one account, or none.
func (t *tables) addActivity(ctx context.Context, q activity.Query, rows *boltdb.Walk, o boltactivity.Owner, into *activity.Page) error {
	prefix := o.Prefix()
	rows.To(usageKey{account: o.Account, user: o.User, day: q.Days.From}.bytes())
	for n := 1; bytes.HasPrefix(rows.Key, prefix); n++ {
		if n%rowsPerLook == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		k, err := parseUsageKey(rows.Key)
		if err != nil {
			return err
		}
		if k.day > q.Days.To {
			return nil
		}
		row, err := readUsage(rows.Key, rows.Value)
		if err != nil {
			return err
		}
		if !q.ByModule {
			into.UseOfAny(k.day, row.uses)
		} else if err := into.Use(k.module, k.feature, k.day, row.uses, row.lastMS, t.name); err != nil {
			return err
		}
		rows.Next()
	}
	return nil
}
