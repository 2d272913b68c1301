package directory

import (
	"context"

	"github.com/sojournhq/sojourn/services/identity/internal/profile"
)

// Dimensions returns what the dimensions of a workspace are for an account, and what is wrong with any. They are read from the account's
// own fields, and from those of its users only where these decide.
func Dimensions(
	ctx context.Context, s Store, workspace string, a *Account, d *profile.Dimensions,
) ([]profile.DimensionValue, []profile.Problem, error) {
	reading := d.Read(a.Fields)
	if reading.NeedsUsers() {
		if err := s.EachUser(ctx, workspace, a.AccountID, func(u *User) { reading.AddUser(u.Fields) }); err != nil {
			return nil, nil, err
		}
	}
	values, problems := reading.Values()
	return values, problems, nil
}
