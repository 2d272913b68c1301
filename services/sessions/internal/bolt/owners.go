package bolt

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/sojournhq/sojourn/internal/kit/record"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// owned is one owner, with names and with the account as resolved now.
type owned struct {
	owner

	userID, accountID string
}

// owners lists the owners of sessions that match: nil matches all, empty text those without.
func (t *tables) owners(accountID, userID *string) ([]owned, error) {
	if accountID != nil && *accountID != "" {
		return t.ownersOfAccount(*accountID, userID)
	}
	var user uint32
	if userID != nil {
		var ok bool
		var err error
		if user, ok, err = t.names.Find(kindUser, *userID); err != nil || !ok {
			return nil, err
		}
	}
	var found []owned
	err := t.eachOwner(0, func(o owner) error {
		if accountID != nil && o.account != 0 {
			return errStop
		}
		if userID != nil && o.user != session.Name(user) {
			return nil
		}
		named, err := t.name(o)
		if err != nil {
			return err
		}
		if accountID == nil || named.accountID == "" {
			found = append(found, named)
		}
		return nil
	})
	return found, err
}

// ownersOfAccount lists those whose calls name the account, and the users without one who resolve to it.
func (t *tables) ownersOfAccount(accountID string, userID *string) ([]owned, error) {
	var found []owned
	add := func(o owned) {
		if userID == nil || o.userID == *userID {
			found = append(found, o)
		}
	}
	number, ok, err := t.names.Find(kindAccount, accountID)
	if err != nil {
		return nil, err
	}
	if ok {
		err := t.eachOwner(session.Name(number), func(o owner) error {
			if o.account != session.Name(number) {
				return errStop
			}
			named, err := t.name(o)
			add(named)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	_, resolved, err := t.links.UsersOf(accountID, t.resolver)
	if err != nil {
		return nil, err
	}
	for _, user := range resolved {
		number, ok, err := t.names.Find(kindUser, user)
		if err != nil {
			return nil, err
		}
		if ok {
			add(owned{owner{user: session.Name(number)}, user, accountID})
		}
	}
	return found, nil
}

// errStop ends a walk without an error.
var errStop = errors.New("stop")

// eachOwner calls do for every distinct owner from an account on, in order, stepping over their sessions.
func (t *tables) eachOwner(from session.Name, do func(owner) error) error {
	cursor := t.byOwner.Cursor()
	key, _ := cursor.Seek(owner{account: from}.prefix())
	for key != nil {
		if len(key) < 8 {
			return fmt.Errorf("%w: owner key", record.ErrCorrupt)
		}
		o := owner{session.Name(binary.BigEndian.Uint32(key)), session.Name(binary.BigEndian.Uint32(key[4:]))}
		if err := do(o); err != nil {
			if errors.Is(err, errStop) {
				return nil
			}
			return err
		}
		next := binary.BigEndian.AppendUint64(nil, binary.BigEndian.Uint64(key)+1)
		key, _ = cursor.Seek(next)
	}
	return nil
}

// name gives an owner its names and resolves its account.
func (t *tables) name(o owner) (owned, error) {
	named := owned{owner: o}
	var err error
	if named.userID, err = t.names.Name(uint32(o.user)); err != nil {
		return owned{}, err
	}
	if o.account != 0 {
		named.accountID, err = t.names.Name(uint32(o.account))
		return named, err
	}
	if named.userID == "" {
		return named, nil
	}
	r, err := t.resolver.Resolve(named.userID)
	named.accountID = r.Account
	return named, err
}
