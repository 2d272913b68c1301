package bolt

import (
	"bytes"
	"context"
	"fmt"

	"github.com/sojournhq/sojourn/internal/domain/day"
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/services/events/internal/usage"
)

// Usage implements usage.Store.
func (s *Store) Usage(ctx context.Context, workspace string, q usage.Query, after *usage.Group, limit int) ([]usage.Row, error) {
	sums := usage.NewSums(q, after)
	err := s.db.View(func(tx *boltdb.Tx) error {
		t := readable(tx, workspace)
		if t == nil {
			return nil
		}
		prefixes, err := t.prefixes(q.AccountID)
		if err != nil {
			return err
		}
		if q.AccountID != nil && q.By[usage.ByUser] {
			return t.addByUser(ctx, prefixes, q, after, limit, sums)
		}
		for _, prefix := range prefixes {
			if err := t.addUsage(ctx, prefix, q.Days, sums); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("query usage: %w", err)
	}
	return sums.Rows(limit), nil
}

// prefixes returns the beginnings of the keys that together hold all usage of an account; nil is every account, empty text no account.
func (t *tables) prefixes(accountID *string) ([][]byte, error) {
	if accountID == nil {
		return [][]byte{nil}, nil
	}
	unnamed := keys.AppendUint32(nil, 0)
	if *accountID == "" {
		return [][]byte{unnamed}, nil
	}
	var prefixes [][]byte
	number, ok, err := t.names.Find(kindAccount, *accountID)
	if err != nil {
		return nil, err
	}
	if ok {
		prefixes = append(prefixes, keys.AppendUint32(nil, number))
	}
	_, resolved, err := t.links.UsersOf(*accountID, t.resolver)
	if err != nil {
		return nil, err
	}
	for _, user := range resolved {
		number, ok, err := t.names.Find(kindUser, user)
		if err != nil {
			return nil, err
		}
		if ok {
			prefixes = append(prefixes, keys.AppendUint32(bytes.Clone(unnamed), number))
		}
	}
	return prefixes, nil
}

// A question that nobody waits for any more is noticed after this many rows.
const rowsPerLook = 4096

// addUsage adds the rows behind a prefix. Of each user it reads only the days of the span.
func (t *tables) addUsage(ctx context.Context, prefix []byte, days day.Span, sums *usage.Sums) error {
	cursor := t.usage.Cursor()
	key, sealed := cursor.Seek(prefix)
	for rows := 1; key != nil && bytes.HasPrefix(key, prefix); rows++ {
		if rows%rowsPerLook == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		k, err := parseUsageKey(key)
		if err != nil {
			return err
		}
		switch {
		case k.day < days.From:
			key, sealed = cursor.Seek(usageKey{account: k.account, user: k.user, day: days.From}.bytes())
			continue
		case k.day > days.To:
			key, sealed = cursor.Seek(afterUser(k))
			continue
		}
		if err := t.addRow(k, key, sealed, sums); err != nil {
			return err
		}
		key, sealed = cursor.Next()
	}
	return nil
}

// afterUser is a key behind all of a user's, and before those of the next.
func afterUser(k usageKey) []byte {
	return usageKey{account: k.account, user: k.user, day: day.Max + 1}.bytes()
}

func (t *tables) addRow(k usageKey, key, sealed []byte, sums *usage.Sums) error {
	row, err := readUsage(key, sealed)
	if err != nil {
		return err
	}
	g := usage.Group{Day: k.day}
	for _, name := range []struct {
		text   *string
		number uint32
	}{{&g.UserID, k.user}, {&g.Module, k.module}, {&g.Feature, k.feature}} {
		var err error
		if *name.text, err = t.name(name.number); err != nil {
			return err
		}
	}
	if g.AccountID, err = t.account(k.account, k.user); err != nil {
		return err
	}
	sums.Add(g, row.uses, row.firstMS, row.lastMS)
	return nil
}
