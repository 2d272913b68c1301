package bolt

import (
	"bytes"
	"context"
	"fmt"

	"github.com/sojournhq/sojourn/internal/domain/activity"
	"github.com/sojournhq/sojourn/internal/domain/activity/boltactivity"
	"github.com/sojournhq/sojourn/internal/domain/day"
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// Activity implements session.Store.
func (s *Store) Activity(ctx context.Context, workspace string, q activity.Query) (page *activity.Activity, err error) {
	err = s.db.View(func(tx *boltdb.Tx) (err error) {
		t := s.readable(tx, workspace)
		if t == nil {
			page = &activity.Activity{}
			return nil
		}
		from := boltactivity.Source{
			Sums: t.days, Names: t.names, Links: t.links, Resolver: t.resolver, KindUser: kindUser, KindAccount: kindAccount,
		}
		read := &activityReader{tables: t, Query: q}
		page, err = from.Read(ctx, q, func(days *boltdb.Walk, o boltactivity.Owner, into *activity.Page) error {
			return read.owner(ctx, days, owner{session.Name(o.Account), session.Name(o.User)}, into)
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read activity: %w", err)
	}
	return page, nil
}

// A question that nobody waits for any more is noticed after this many rows of one owner.
const rowsPerLook = 4096

// activityReader reads the daily sums that a question about activity needs.
type activityReader struct {
	*tables
	activity.Query

	row daySums
}

// owner adds the sums of one owner.
func (r *activityReader) owner(ctx context.Context, days *boltdb.Walk, o owner, into *activity.Page) error {
	prefix := o.prefix()
	days.To(dayID{o, r.Days.From}.key())
	for n := 1; bytes.HasPrefix(days.Key, prefix); n++ {
		if n%rowsPerLook == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		d, module, further, err := parseDayKey(days.Key)
		switch {
		case err != nil:
			return err
		case d > r.Days.To:
			return nil
		case further:
			err = r.addFurther(d, module, days, into)
		default:
			err = r.addDay(d, days, into)
		}
		if err != nil {
			return err
		}
		if !further && !r.ByModule && r.row.more > 0 {
			days.To(dayID{o, d + 1}.key())
		} else {
			days.Next()
		}
	}
	return nil
}

// addDay adds the row of a day.
func (r *activityReader) addDay(d day.Day, at *boltdb.Walk, into *activity.Page) error {
	if err := decodeDay(&r.row, at.Key, at.Value); err != nil {
		return err
	}
	if !r.ByModule {
		into.TimeInAny(d, r.row.total.DurationMS, r.row.total.ActiveMS)
		return nil
	}
	for _, m := range r.row.modules {
		if err := into.Time(uint32(m.module), d, m.DurationMS, m.ActiveMS, r.names.Name); err != nil {
			return err
		}
	}
	return nil
}

// addFurther adds the sum of a module that has a row of its own.
func (r *activityReader) addFurther(d day.Day, module session.Name, at *boltdb.Walk, into *activity.Page) error {
	if !r.ByModule {
		return nil
	}
	s, err := decodeSum(at.Key, at.Value)
	if err != nil {
		return err
	}
	return into.Time(uint32(module), d, s.DurationMS, s.ActiveMS, r.names.Name)
}
