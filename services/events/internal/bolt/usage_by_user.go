package bolt

import (
	"bytes"
	"context"
	"maps"
	"slices"

	"github.com/sojournhq/sojourn/services/events/internal/usage"
)

// addByUser adds the rows of one account behind the prefixes, user after user in order, from the one that the last page ended with until
// the page is full. Groups of two users never mix, so a page needs the rows of its own users alone.
func (t *tables) addByUser(
	ctx context.Context, prefixes [][]byte, q usage.Query, after *usage.Group, limit int, sums *usage.Sums,
) error {
	users := map[string][][]byte{} // each with the prefixes of its own
	for _, prefix := range prefixes {
		if err := t.addUsers(prefix, *q.AccountID, users); err != nil {
			return err
		}
	}
	for _, user := range slices.Sorted(maps.Keys(users)) {
		if after != nil && user < after.UserID {
			continue
		}
		if sums.Len() >= limit {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		for _, prefix := range users[user] {
			if err := t.addUsage(ctx, prefix, q.Days, sums); err != nil {
				return err
			}
		}
	}
	return nil
}

// addUsers adds the users behind a prefix whose rows count for the account, stepping over these.
func (t *tables) addUsers(prefix []byte, accountID string, users map[string][][]byte) error {
	cursor := t.usage.Cursor()
	key, _ := cursor.Seek(prefix)
	for key != nil && bytes.HasPrefix(key, prefix) {
		k, err := parseUsageKey(key)
		if err != nil {
			return err
		}
		account, err := t.account(k.account, k.user)
		if err != nil {
			return err
		}
		if account == accountID {
			name, err := t.name(k.user)
			if err != nil {
				return err
			}
			users[name] = append(users[name], bytes.Clone(key[:8])) // account and user
		}
		key, _ = cursor.Seek(afterUser(k))
	}
	return nil
}
