package bolt

import (
	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/services/identity/internal/directory"
	"github.com/sojournhq/sojourn/services/identity/internal/profile"
)

// apply lets a new call have its effects: links, the user and the account that it names.
func (r *recorder) apply(c *call.Call) error {
	if c.Type == call.Delete {
		return r.deleteUser(c.UserID, c.TimeMS)
	}
	dropped, err := r.deleted.Drops(c)
	if err != nil {
		return err
	}
	if !dropped && c.UserID != "" {
		if err := r.applyToUser(c); err != nil {
			return err
		}
	}
	return r.applyToAccount(c)
}

// applyToUser sees to the user's row. Where there was one the link to the account is there too, and the row knows when that was said last.
func (r *recorder) applyToUser(c *call.Call) error {
	row, err := r.userRows.row(directory.UserKey{UserID: c.UserID, AccountID: c.AccountID})
	if err != nil {
		return err
	}
	if row.isNew || c.Type == call.Alias {
		if err := r.learner.Learn(c); err != nil {
			return err
		}
	}
	row.call(c.TimeMS, c.IsActivity())
	if c.Type == call.Identify && len(c.Traits) > 0 {
		return row.merge(userFields, func(fields []profile.Field) []profile.Field { return profile.MergeUser(fields, c) })
	}
	return nil
}

func (r *recorder) applyToAccount(c *call.Call) error {
	if c.AccountID == "" {
		return nil
	}
	row, err := r.accountRows.row(c.AccountID)
	if err != nil {
		return err
	}
	if c.Type == call.Group && len(c.Traits) > 0 {
		return row.merge(accountFields, func(fields []profile.Field) []profile.Field { return profile.MergeAccount(fields, c) })
	}
	return nil
}

// userKey begins with the user, so that all rows of one user id stand together, the one without an account first.
func userKey(user, account string) []byte { return appendUserKey(nil, user, account) }

func appendUserKey(dst []byte, user, account string) []byte {
	return keys.AppendString(keys.AppendString(dst, user), account)
}

func accountKey(account string) []byte { return appendAccountKey(nil, account) }

func appendAccountKey(dst []byte, account string) []byte { return keys.AppendString(dst, account) }
