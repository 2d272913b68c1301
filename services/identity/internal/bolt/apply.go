package bolt

import (
	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/services/identity/internal/profile"
)

// apply lets a new call have its effects: links, the user and the account that it names.
func (r *recorder) apply(c *call.Call) error {
	if c.Type == call.Delete {
		_, err := r.deleteUser(c.UserID, c.TimeMS)
		return err
	}
	if err := r.links.Learn(c, r.gone); err != nil {
		return err
	}
	dropped, err := r.gone.Drops(c)
	if err != nil {
		return err
	}
	if c.UserID != "" && !dropped {
		if err := r.applyToUser(c); err != nil {
			return err
		}
	}
	if c.AccountID != "" {
		return r.applyToAccount(c)
	}
	return nil
}

func (r *recorder) applyToUser(c *call.Call) error {
	row, err := r.userRows.row(userKey(c.UserID, c.AccountID))
	if err != nil {
		return err
	}
	row.LastTimeMs = max(row.GetLastTimeMs(), c.TimeMS)
	if c.Type == call.Identify && len(c.Traits) > 0 {
		row.Fields = toRows(profile.MergeUser(fromRows(row.GetFields()), c))
	}
	return nil
}

func (r *recorder) applyToAccount(c *call.Call) error {
	row, err := r.accountRows.row(accountKey(c.AccountID))
	if err != nil {
		return err
	}
	if c.Type == call.Group && len(c.Traits) > 0 {
		row.Fields = toRows(profile.MergeAccount(fromRows(row.GetFields()), c))
	}
	return nil
}

// userKey begins with the user, so that all rows of one user id stand together, the one without an account first.
func userKey(user, account string) []byte {
	return keys.AppendString(keys.AppendString(nil, user), account)
}

func accountKey(account string) []byte { return keys.AppendString(nil, account) }
