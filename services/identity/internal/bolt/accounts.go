package bolt

import (
	"context"
	"fmt"

	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/internal/kit/record"
	"github.com/sojournhq/sojourn/services/identity/internal/directory"
)

// Account implements directory.Store.
func (s *Store) Account(ctx context.Context, workspace, accountID string) (account directory.Account, err error) {
	found := false
	err = s.view(ctx, workspace, func(t *tables) error {
		key := accountKey(accountID)
		sealed := t.accounts.Get(key)
		if sealed == nil {
			return nil
		}
		found = true
		account, err = readAccount(key, sealed)
		return err
	})
	if err == nil && !found {
		err = directory.ErrNotFound
	}
	return account, err
}

// Accounts implements directory.Store.
func (s *Store) Accounts(ctx context.Context, workspace, after string, limit int) (page []directory.Account, err error) {
	err = s.view(ctx, workspace, func(t *tables) error {
		cursor := t.accounts.Cursor()
		for key, sealed := cursor.Seek(pastString(after)); key != nil && len(page) < limit; key, sealed = cursor.Next() {
			account, err := readAccount(key, sealed)
			if err != nil {
				return err
			}
			page = append(page, account)
		}
		return nil
	})
	return page, err
}

func readAccount(key, sealed []byte) (directory.Account, error) {
	value, err := record.Open(key, sealed)
	if err != nil {
		return directory.Account{}, err
	}
	fields, err := readFields(value, accountFields)
	if err != nil {
		return directory.Account{}, err
	}
	r := keys.Read(key)
	account := directory.Account{AccountID: r.String(), Fields: fields}
	if r.Err() != nil {
		return directory.Account{}, fmt.Errorf("%w: key of an account", record.ErrCorrupt)
	}
	return account, nil
}
