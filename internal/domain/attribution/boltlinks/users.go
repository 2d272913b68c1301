package boltlinks

import (
	"bytes"
	"fmt"
	"math"

	"github.com/sojournhq/sojourn/internal/domain/attribution"
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/internal/kit/record"
)

// UsersOf returns the users that belong to account: those that calls named together with it, in order, and those whose other calls resolve
// to it. Few people have several ids, so only these are resolved one by one: of all others the links are read side by side, in order.
func (l Links) UsersOf(account string, r *attribution.Resolver) (named, resolved []string, err error) {
	if named, err = l.seconds(accountUser, account, math.MaxInt); err != nil {
		return nil, nil, err
	}
	aliases, accounts := l.bucket.Walk(), l.bucket.Walk()
	seen := map[string]bool{} // of people with several ids
	var prefix []byte
	for _, user := range named {
		if seen[user] {
			continue
		}
		prefix = keys.AppendString(append(prefix[:0], sameUser), user)
		if aliases.To(prefix); bytes.HasPrefix(aliases.Key, prefix) {
			person, err := l.person(user, r, seen)
			if err != nil {
				return nil, nil, err
			}
			resolved = append(resolved, person...)
			continue
		}
		prefix = keys.AppendString(append(prefix[:0], userAccount), user)
		one, err := hasOne(accounts, prefix)
		if err != nil {
			return nil, nil, err
		}
		if one {
			resolved = append(resolved, user)
		}
	}
	return named, resolved, nil
}

// person returns all ids of a user if they resolve to an account, and notes that they were seen.
func (l Links) person(user string, r *attribution.Resolver, seen map[string]bool) ([]string, error) {
	resolution, err := r.Resolve(user)
	if err != nil {
		return nil, err
	}
	person, err := attribution.Person(l, user)
	if err != nil {
		return nil, err
	}
	for _, id := range person {
		seen[id] = true
	}
	if resolution.State != attribution.Known {
		return nil, nil
	}
	return person, nil
}

// hasOne says whether exactly one row has a prefix.
func hasOne(rows *boltdb.Walk, prefix []byte) (bool, error) {
	n := 0
	for rows.To(prefix); n < 2 && bytes.HasPrefix(rows.Key, prefix); rows.Next() {
		if _, err := record.Open(rows.Key, rows.Value); err != nil {
			return false, fmt.Errorf("link: %w", err)
		}
		n++
	}
	return n == 1, nil
}
