package bolt

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/sojournhq/sojourn/internal/domain/attribution"
	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/internal/kit/record"
	"github.com/sojournhq/sojourn/services/identity/internal/directory"
)

// User implements directory.Store.
func (s *Store) User(ctx context.Context, workspace, userID string) (listed []directory.User, err error) {
	err = s.view(ctx, workspace, func(t *tables) error {
		listed, err = t.listings(userID)
		return err
	})
	return listed, err
}

// Resolve implements directory.Store.
func (s *Store) Resolve(ctx context.Context, workspace, userID string) (r attribution.Resolution, err error) {
	err = s.view(ctx, workspace, func(t *tables) error {
		r, err = t.resolver.Resolve(userID)
		return err
	})
	return r, err
}

// Users implements directory.Store.
func (s *Store) Users(
	ctx context.Context, workspace string, account *string, after directory.UserKey, limit int,
) (page []directory.User, err error) {
	if account != nil && *account != "" {
		err = s.view(ctx, workspace, func(t *tables) error {
			page, err = t.usersOf(*account, after, limit)
			return err
		})
		return page, err
	}
	homeless := account != nil
	err = s.scan(ctx, workspace, after.UserID, func(t *tables, id string) (more bool, err error) {
		listed, err := t.listings(id)
		for _, u := range listed {
			if u.Compare(after) > 0 && len(page) < limit && (!homeless || u.AccountID == "") {
				page = append(page, u)
			}
		}
		return len(page) < limit, err
	})
	return page, err
}

// EachUser implements directory.Store.
func (s *Store) EachUser(ctx context.Context, workspace, account string, do func(*directory.User)) error {
	var ids []string
	err := s.view(ctx, workspace, func(t *tables) (err error) {
		ids, err = t.idsOf(account)
		return err
	})
	for len(ids) > 0 && err == nil {
		some := ids[:min(idsPerView, len(ids))]
		ids = ids[len(some):]
		err = s.view(ctx, workspace, func(t *tables) error {
			for _, id := range some {
				user, err := t.listing(id, account)
				if err != nil {
					return err
				}
				if user != nil {
					do(user)
				}
			}
			return nil
		})
	}
	return err
}

// usersOf returns the users listed under an account.
func (t *tables) usersOf(account string, after directory.UserKey, limit int) ([]directory.User, error) {
	ids, err := t.idsOf(account)
	if err != nil {
		return nil, err
	}
	var page []directory.User
	for _, id := range ids {
		if len(page) == limit {
			break
		}
		if (directory.UserKey{UserID: id, AccountID: account}).Compare(after) <= 0 {
			continue
		}
		user, err := t.listing(id, account)
		if err != nil {
			return nil, err
		}
		if user != nil {
			page = append(page, *user)
		}
	}
	return page, nil
}

// idsOf returns the user ids that may be listed under an account, in order.
func (t *tables) idsOf(account string) ([]string, error) {
	named, resolved, err := t.links.UsersOf(account, t.resolver)
	if err != nil {
		return nil, err
	}
	ids := slices.Concat(named, resolved)
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// listing returns what a user id is listed as under an account, or nil: an id that only alias calls name is listed nowhere.
func (t *tables) listing(userID, account string) (*directory.User, error) {
	listed, err := t.listings(userID)
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(listed, func(u directory.User) bool { return u.AccountID == account }); i >= 0 {
		return &listed[i], nil
	}
	return nil, nil
}

// listings returns what one user id is listed as.
func (t *tables) listings(userID string) ([]directory.User, error) {
	prefix := keys.AppendString(nil, userID)
	var rows []directory.User
	cursor := t.users.Cursor()
	for key, sealed := cursor.Seek(prefix); bytes.HasPrefix(key, prefix); key, sealed = cursor.Next() {
		row, err := readUser(key, sealed)
		if err != nil {
			return nil, err
		}
		r := keys.Read(key[len(prefix):])
		rows = append(rows, directory.User{
			UserKey:    directory.UserKey{UserID: userID, AccountID: r.String()},
			LastSeenMS: row.seenMS,
			Fields:     row.fields,
		})
		if r.Err() != nil {
			return nil, fmt.Errorf("%w: key of a user", record.ErrCorrupt)
		}
	}
	if len(rows) == 0 {
		return nil, nil
	}
	resolution, err := t.resolver.Resolve(userID)
	if err != nil {
		return nil, err
	}
	return directory.Listings(rows, resolution), nil
}
