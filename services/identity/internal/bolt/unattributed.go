package bolt

import (
	"context"

	"github.com/sojournhq/sojourn/internal/domain/attribution"
	"github.com/sojournhq/sojourn/services/identity/internal/directory"
)

// Unattributed implements directory.Store.
func (s *Store) Unattributed(
	ctx context.Context, workspace string, reason *attribution.State, after string, limit int,
) (page []directory.Unattributed, err error) {
	err = s.scan(ctx, workspace, after, func(t *tables, id string) (more bool, err error) {
		user, err := t.unattributed(id)
		if user != nil && id > after && (reason == nil || *reason == user.Why.State) {
			page = append(page, *user)
		}
		return len(page) < limit, err
	})
	return page, err
}

// unattributed returns a user id if it has calls that belong to no account, or nil.
func (t *tables) unattributed(id string) (*directory.Unattributed, error) {
	key := userKey(id, "")
	sealed := t.users.Get(key)
	if sealed == nil {
		return nil, nil
	}
	why, err := t.resolver.Resolve(id)
	if err != nil || why.State == attribution.Known {
		return nil, err
	}
	row, err := readUser(key, sealed)
	if err != nil {
		return nil, err
	}
	return &directory.Unattributed{UserID: id, Why: why, LastSeenMS: row.seenMS}, nil
}
