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
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/internal/kit/record"
)

// Kinds of rows. The value is the event time of the latest call that said so, which deletion needs to know what outlives it; that of
// accountUser is nothing, or in older files a time of no meaning: its time is that of its userAccount.
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

// Said returns the event time of the latest call that said that a user belongs to an account, as far as is known from elsewhere.
type Said func(userID, accountID string) (ms int64, err error)

// Forget removes what was said of a user up to a time, in milliseconds, and not after it, and returns how many links that were. Said, if
// not nil, is asked as well for when something was said last.
func (l Links) Forget(userID string, untilMS int64, said Said) (removed int, err error) {
	for kind, mirror := range map[byte]byte{userAccount: accountUser, sameUser: sameUser} {
		seconds, err := l.seconds(kind, userID, math.MaxInt)
		if err != nil {
			return 0, err
		}
		for _, second := range seconds {
			key := keys.AppendString(keys.AppendString([]byte{kind}, userID), second)
			latest, known, err := l.latest(key)
			if err != nil {
				return 0, err
			}
			if known && said != nil && kind == userAccount {
				var also int64
				if also, err = said(userID, second); err != nil {
					return 0, err
				}
				latest = max(latest, also)
			}
			if !known || latest > untilMS {
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

// latest returns when what a row says was said last, and whether it says so.
func (l Links) latest(key []byte) (ms int64, known bool, err error) {
	sealed := l.bucket.Get(key)
	if sealed == nil {
		return 0, false, nil
	}
	value, err := record.Open(key, sealed)
	if err != nil || len(value) != 8 {
		return 0, false, err
	}
	return int64(binary.BigEndian.Uint64(value)), true, nil
}

// Check reads every link and tells found of each that is damaged or that does not stand both ways round, two users with the same time.
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
		if !known || r.Err() != nil || len(r.Rest()) > 0 || len(value) != 8 && key[0] != accountUser {
			found(fmt.Sprintf("a row that is no link, under key %x", key))
			continue
		}
		other := keys.AppendString(keys.AppendString([]byte{kind}, b), a)
		if back, err := record.Open(other, l.bucket.Get(other)); err != nil || key[0] == sameUser && !bytes.Equal(back, value) {
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
