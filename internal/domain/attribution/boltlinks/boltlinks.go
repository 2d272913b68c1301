// Package boltlinks keeps attribution links in a bbolt bucket. Every service that stores usage keeps its own, fed by the calls that
// pass, so that it can resolve accounts at read without asking another service, and learning an account moves no rows.
package boltlinks

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/sojournhq/sojourn/internal/domain/attribution"
	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/deletion"
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/internal/kit/record"
)

// Kinds of rows; each value is the event time of the latest call that said so, which deletion needs to know what outlives it.
const (
	userAccount = 'u' // user, account
	accountUser = 'a' // account, user
	sameUser    = 's' // user, user: both ways round
)

// Links is the set of links in one bucket, for the life of that bucket's transaction.
type Links struct{ bucket *boltdb.Bucket }

var _ attribution.Links = Links{}

// In returns the links that live in bucket, which holds nothing else.
func In(bucket *boltdb.Bucket) Links { return Links{bucket} }

// Learn stores what a call says: which account its user belongs to, and which two ids are one person, unless it says so of somebody who
// was deleted. It needs a writable transaction and is idempotent and independent of order.
func (l Links) Learn(c *call.Call, deleted deletion.Tombstones) error {
	if c.Type == call.Delete {
		return nil // a call to forget somebody makes nobody known
	}
	if gone, err := deleted.Drops(c); gone || err != nil {
		return err
	}
	if c.UserID != "" && c.AccountID != "" {
		if err := l.put(userAccount, c.UserID, c.AccountID, c.TimeMS); err != nil {
			return err
		}
		if err := l.put(accountUser, c.AccountID, c.UserID, c.TimeMS); err != nil {
			return err
		}
	}
	if c.Type == call.Alias && c.UserID != c.PreviousID {
		if gone, err := deleted.Covers(c.PreviousID, c.TimeMS); gone || err != nil {
			return err
		}
		if err := l.put(sameUser, c.UserID, c.PreviousID, c.TimeMS); err != nil {
			return err
		}
		return l.put(sameUser, c.PreviousID, c.UserID, c.TimeMS)
	}
	return nil
}

func (l Links) put(kind byte, a, b string, ms int64) error {
	key := keys.AppendString(keys.AppendString([]byte{kind}, a), b)
	if sealed := l.bucket.Get(key); sealed != nil {
		value, err := record.Open(key, sealed)
		if err != nil {
			return err
		}
		if len(value) == 8 && int64(binary.BigEndian.Uint64(value)) >= ms {
			return nil
		}
	}
	if err := l.bucket.Put(key, record.Seal(key, binary.BigEndian.AppendUint64(nil, uint64(ms)))); err != nil {
		return fmt.Errorf("store a link: %w", err)
	}
	return nil
}

// Forget removes what was said of a user up to a time, in milliseconds, and not after it, and returns how many links that were.
func (l Links) Forget(userID string, untilMS int64) (removed int, err error) {
	for kind, mirror := range map[byte]byte{userAccount: accountUser, sameUser: sameUser} {
		seconds, err := l.seconds(kind, userID, math.MaxInt)
		if err != nil {
			return 0, err
		}
		for _, second := range seconds {
			key := keys.AppendString(keys.AppendString([]byte{kind}, userID), second)
			value, err := record.Open(key, l.bucket.Get(key))
			if err != nil {
				return 0, err
			}
			if len(value) != 8 || int64(binary.BigEndian.Uint64(value)) > untilMS {
				continue
			}
			other := keys.AppendString(keys.AppendString([]byte{mirror}, second), userID)
			if err := cmp.Or(l.bucket.Delete(key), l.bucket.Delete(other)); err != nil {
				return 0, fmt.Errorf("delete a link: %w", err)
			}
			removed++
		}
	}
	return removed, nil
}

// Check reads every link and tells found of each that is damaged or that does not stand both ways round with the same time.
func (l Links) Check(found func(message string)) {
	mirror := map[byte]byte{userAccount: accountUser, accountUser: userAccount, sameUser: sameUser}
	cursor := l.bucket.Cursor()
	for key, sealed := cursor.First(); key != nil; key, sealed = cursor.Next() {
		value, err := record.Open(key, sealed)
		if err != nil {
			found(err.Error())
			continue
		}
		r := keys.Read(key[1:])
		a, b := r.String(), r.String()
		kind, known := mirror[key[0]]
		if !known || r.Err() != nil || len(r.Rest()) > 0 || len(value) != 8 {
			found(fmt.Sprintf("a row that is no link, under key %x", key))
			continue
		}
		other := keys.AppendString(keys.AppendString([]byte{kind}, b), a)
		if back, err := record.Open(other, l.bucket.Get(other)); err != nil || !bytes.Equal(back, value) {
			found(fmt.Sprintf("the link under key %x does not stand the other way round", key))
		}
	}
}

// Accounts implements attribution.Links.
func (l Links) Accounts(user string, limit int) ([]string, error) {
	return l.seconds(userAccount, user, limit)
}

// Aliases implements attribution.Links.
func (l Links) Aliases(user string) ([]string, error) { return l.seconds(sameUser, user, math.MaxInt) }

// UsersOf returns the users that belong to account: those that calls named together with it, and those whose other calls resolve to it.
func (l Links) UsersOf(account string, r *attribution.Resolver) (named, resolved []string, err error) {
	if named, err = l.seconds(accountUser, account, math.MaxInt); err != nil {
		return nil, nil, err
	}
	seen := map[string]bool{}
	for _, user := range named {
		if seen[user] {
			continue
		}
		resolution, err := r.Resolve(user)
		if err != nil {
			return nil, nil, err
		}
		person, err := attribution.Person(l, user)
		if err != nil {
			return nil, nil, err
		}
		for _, id := range person {
			seen[id] = true
			if resolution.State == attribution.Known {
				resolved = append(resolved, id)
			}
		}
	}
	return named, resolved, nil
}

// seconds lists the second strings of the rows whose first is a, in order, at most limit.
func (l Links) seconds(kind byte, a string, limit int) ([]string, error) {
	prefix := keys.AppendString([]byte{kind}, a)
	var out []string
	cursor := l.bucket.Cursor()
	for key, sealed := cursor.Seek(prefix); bytes.HasPrefix(key, prefix) && len(out) < limit; key, sealed = cursor.Next() {
		if _, err := record.Open(key, sealed); err != nil {
			return nil, err
		}
		r := keys.Read(key[len(prefix):])
		out = append(out, r.String())
		if r.Err() != nil {
			return nil, fmt.Errorf("%w: link", record.ErrCorrupt)
		}
	}
	return out, nil
}
