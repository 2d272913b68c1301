package bolt

import (
	"bytes"
	"context"
	"fmt"

	"github.com/sojournhq/sojourn/internal/domain/activity"
	"github.com/sojournhq/sojourn/internal/domain/activity/boltactivity"
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
			Sums: t.sums, Names: t.names, Links: t.links, Resolver: t.resolver, KindUser: kindUser, KindAccount: kindAccount,
		}
		read := t.addAllModules
		if q.ByModule {
			read = t.addEachModule
		}
		page, err = from.Read(ctx, q, func(sums *boltdb.Walk, o boltactivity.Owner, into *activity.Page) error {
			return read(ctx, q, sums, o, into)
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read activity: %w", err)
	}
	return page, nil
}

// A question that nobody waits for any more is noticed after this many sums.
const sumsPerLook = 4096

// addEachModule adds one owner's sums of each module.
func (t *tables) addEachModule(ctx context.Context, q activity.Query, sums *boltdb.Walk, o boltactivity.Owner, into *activity.Page) error {
	of := owner{session.Name(o.Account), session.Name(o.User)}
	prefix := of.prefix()
	sums.To(sumKey(of, session.Part{Day: q.Days.From}))
	for n := 1; bytes.HasPrefix(sums.Key, prefix); n++ {
		if n%sumsPerLook == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		p, err := parseSumPart(sums.Key)
		switch {
		case err != nil:
			return err
		case p.Module == session.AllModules:
			return nil
		case p.Day < q.Days.From:
			sums.To(sumKey(of, session.Part{Module: p.Module, Day: q.Days.From}))
			continue
		case p.Day > q.Days.To:
			sums.To(sumKey(of, session.Part{Module: p.Module + 1, Day: q.Days.From}))
			continue
		}
		sum, err := decodeSum(sums.Key, sums.Value)
		if err != nil {
			return err
		}
		if err := into.Time(uint32(p.Module), p.Day, sum.DurationMS, sum.ActiveMS, t.names.Name); err != nil {
			return err
		}
		sums.Next()
	}
	return nil
}

// addAllModules adds one owner's sums of all modules together.
func (t *tables) addAllModules(ctx context.Context, q activity.Query, sums *boltdb.Walk, o boltactivity.Owner, into *activity.Page) error {
	of := owner{session.Name(o.Account), session.Name(o.User)}
	prefix := of.prefix()
	sums.To(sumKey(of, session.Part{Module: session.AllModules, Day: q.Days.From}))
	for n := 1; bytes.HasPrefix(sums.Key, prefix); n++ {
		if n%sumsPerLook == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		p, err := parseSumPart(sums.Key)
		if err != nil {
			return err
		}
		if p.Day > q.Days.To {
			return nil
		}
		sum, err := decodeSum(sums.Key, sums.Value)
		if err != nil {
			return err
		}
		into.TimeInAny(p.Day, sum.DurationMS, sum.ActiveMS)
		sums.Next()
	}
	return nil
}
