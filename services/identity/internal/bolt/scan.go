package bolt

import (
	"context"
	"fmt"

	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/internal/kit/record"
)

// idsPerView is how many user ids one read transaction looks at: a long search for few users must not hold one open for long.
const idsPerView = 1000

// visit is called with a user id, and says whether it wants to be called with the next.
type visit func(t *tables, id string) (more bool, err error)

// scan visits the user ids of a workspace in order, beginning with first, over as many read transactions as it takes.
func (s *Store) scan(ctx context.Context, workspace, first string, do visit) error {
	at := keys.AppendString(nil, first)
	for more := true; more; {
		more = false
		err := s.view(ctx, workspace, func(t *tables) (err error) {
			at, more, err = t.scanSome(at, do)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// scanSome goes on with a scan at a key that a user id begins with, and returns where to go on next.
func (t *tables) scanSome(at []byte, do visit) (next []byte, more bool, err error) {
	cursor := t.users.Cursor()
	for range idsPerView {
		key, _ := cursor.Seek(at)
		if key == nil {
			return at, false, nil
		}
		r := keys.Read(key)
		id := r.String()
		if r.Err() != nil {
			return at, false, fmt.Errorf("%w: key of a user", record.ErrCorrupt)
		}
		if more, err = do(t, id); err != nil || !more {
			return at, false, err
		}
		at = pastString(id)
	}
	return at, true, nil
}

// pastString returns a key that sorts after all that begin with the string s, and before those of every greater string.
func pastString(s string) []byte {
	key := keys.AppendString(nil, s)
	key[len(key)-1]++ // the end mark is followed by nothing smaller than an escaped zero
	return key
}
