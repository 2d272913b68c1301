package bolt

import (
	"bytes"
	"context"
	"slices"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/internal/kit/record"
)

// UserIDs implements directory.Store.
func (s *Store) UserIDs(ctx context.Context, workspace, accountID, after string, limit int) (ids []string, err error) {
	err = s.view(ctx, workspace, func(t *tables) error {
		ids, err = t.userIDs(accountID, after, limit)
		return err
	})
	return ids, err
}

// userIDs reads the rows of the users side by side with the links, both in order.
func (t *tables) userIDs(accountID, after string, limit int) (ids []string, err error) {
	named, resolved, err := t.links.UsersOf(accountID, t.resolver)
	if err != nil {
		return nil, err
	}
	candidates := slices.Concat(named, resolved)
	slices.Sort(candidates)
	slices.Sort(resolved)
	rows := t.users.Walk()
	for _, id := range slices.Compact(candidates) {
		if id <= after {
			continue
		}
		if len(ids) == limit {
			break
		}
		_, belongs := slices.BinarySearch(resolved, id)
		listed, err := isListed(rows, id, accountID, belongs)
		if err != nil {
			return nil, err
		}
		if listed {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// isListed says whether a user id is listed under an account: there are calls of it that named the account, or it belongs to it and there
// are calls that named none. An id that only alias calls name is listed nowhere.
func isListed(rows *boltdb.Walk, id, accountID string, belongs bool) (bool, error) {
	var room [160]byte
	key := keys.AppendString(room[:0], id)
	size := len(key)
	for _, account := range []string{"", accountID} {
		if account == "" && !belongs {
			continue
		}
		key = keys.AppendString(key[:size], account)
		if rows.To(key); bytes.Equal(rows.Key, key) {
			_, err := record.Open(rows.Key, rows.Value)
			return err == nil, err
		}
	}
	return false, nil
}
