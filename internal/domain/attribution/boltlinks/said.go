package boltlinks

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/sojournhq/sojourn/internal/kit/keys"
)

// SaidInRows is until when rows that name a user and an account say, at least, that the one belongs to the other. Calls that left no row
// may have said so later. It holds a time for each such pair in memory.
type SaidInRows struct{ latest map[numbers]int64 }

// numbers are those of a user and an account in the dictionary of the rows.
type numbers struct{ user, account uint32 }

// NewSaidInRows returns one that has seen no row.
func NewSaidInRows() *SaidInRows { return &SaidInRows{latest: map[numbers]int64{}} }

// Add takes in a row of a time in milliseconds. A number of 0 is no name.
func (s *SaidInRows) Add(user, account uint32, ms int64) {
	if user == 0 || account == 0 {
		return
	}
	pair := numbers{user, account}
	if latest, known := s.latest[pair]; !known || ms > latest {
		s.latest[pair] = ms
	}
}

// CheckSaid tells found of each link that is missing or older than rows say. Names that cannot be read are left to who checks names, and
// rows of who is deleted to the deletion, which is not done with them.
func (l Links) CheckSaid(s *SaidInRows, name func(number uint32) (string, error), deleted Deleted, found func(message string)) error {
	pairs := slices.SortedFunc(maps.Keys(s.latest), func(a, b numbers) int {
		return cmp.Or(cmp.Compare(a.user, b.user), cmp.Compare(a.account, b.account))
	})
	for _, pair := range pairs {
		ms := s.latest[pair]
		user, err := name(pair.user)
		if err != nil {
			continue
		}
		account, err := name(pair.account)
		if err != nil {
			continue
		}
		gone, err := deleted.Covers(user, ms)
		if err != nil {
			return err
		}
		if gone {
			continue
		}
		latest, known, err := l.latest(keys.AppendString(keys.AppendString([]byte{userAccount}, user), account))
		switch {
		case err != nil: // told by Check
		case !known:
			found(fmt.Sprintf("user %d has calls of account %d and no link to it", pair.user, pair.account))
		case latest < ms:
			found(fmt.Sprintf("user %d has a call of account %d at %d, and the link to it is of %d", pair.user, pair.account, ms, latest))
		}
	}
	return nil
}
