package directory

import (
	"cmp"
	"slices"

	"github.com/sojournhq/sojourn/internal/domain/attribution"
	"github.com/sojournhq/sojourn/services/identity/internal/profile"
)

// UserKey tells users apart: the same user id in two accounts is two users.
type UserKey struct{ UserID, AccountID string }

// Compare orders keys by user id, then account.
func (k UserKey) Compare(other UserKey) int {
	return cmp.Or(cmp.Compare(k.UserID, other.UserID), cmp.Compare(k.AccountID, other.AccountID))
}

// NeverSeen is in place of the event time of an activity where there was none. It is before every time that a call can have.
const NeverSeen = -1

// User is a user with the raw fields.
type User struct {
	UserKey

	// LastSeenMS is the event time of the latest activity; NeverSeen if there was none.
	LastSeenMS int64
	Fields     []profile.Field
}

// Unattributed is a user whose calls that name no account belong to none.
type Unattributed struct {
	UserID string
	// Why says it: Unknown, or Ambiguous with the candidates.
	Why attribution.Resolution
	// LastSeenMS is the event time of the latest activity that belongs to no account; NeverSeen if there was none.
	LastSeenMS int64
}

// Listings returns the users that one user id is listed as, in order of account. Rows are what is known from the calls that named the
// same account, or none, each with the account in its key. What came without an account belongs to the account that the user id resolves
// to, and stays on its own, under no account, while it resolves to none.
func Listings(rows []User, r attribution.Resolution) []User {
	var listed []User
	for _, row := range rows {
		if row.AccountID == "" && r.State == attribution.Known {
			row.AccountID = r.Account
		}
		i, found := slices.BinarySearchFunc(listed, row, func(u, v User) int { return u.Compare(v.UserKey) })
		if !found {
			listed = slices.Insert(listed, i, row)
			continue
		}
		same := &listed[i]
		same.LastSeenMS = max(same.LastSeenMS, row.LastSeenMS)
		same.Fields = profile.Join(same.Fields, row.Fields)
	}
	return listed
}
