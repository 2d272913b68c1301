package bolt

import (
	"fmt"

	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/internal/kit/record"
	"github.com/sojournhq/sojourn/services/identity/internal/directory"
)

// usersPerView is how many user ids one read transaction looks at: a long search for few users must not hold one open for long.
const usersPerView = 1000

// userScan goes through the table of users, over as many read transactions as it takes.
type userScan struct {
	from  []byte            // where in the table to go on; the start of a user id
	after directory.UserKey // users up to this one are passed over
	limit int
	// homeless passes over users listed under an account.
	homeless bool

	page []directory.User
}

// some goes on with the scan, and says whether it is to be called again.
func (s *userScan) some(t *tables) (more bool, err error) {
	cursor := t.users.Cursor()
	for range usersPerView {
		key, _ := cursor.Seek(s.from)
		if key == nil || len(s.page) >= s.limit {
			return false, nil
		}
		r := keys.Read(key)
		id := r.String()
		if r.Err() != nil {
			return false, fmt.Errorf("%w: key of a user", record.ErrCorrupt)
		}
		listed, err := t.listings(id)
		if err != nil {
			return false, err
		}
		s.take(listed)
		s.from = pastString(id)
	}
	return true, nil
}

func (s *userScan) take(listed []directory.User) {
	for _, u := range listed {
		if u.Compare(s.after) > 0 && len(s.page) < s.limit && (!s.homeless || u.AccountID == "") {
			s.page = append(s.page, u)
		}
	}
}

// pastString returns a key that sorts after all that begin with the string s, and before those of every greater string.
func pastString(s string) []byte {
	key := keys.AppendString(nil, s)
	key[len(key)-1]++ // the end mark is followed by nothing smaller than an escaped zero
	return key
}
