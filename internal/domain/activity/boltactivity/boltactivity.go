// Package boltactivity reads what an account did from a table of sums whose keys begin with the numbers of an account and a user, four
// bytes each, as events and sessions keep them.
package boltactivity

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/sojournhq/sojourn/internal/domain/activity"
	"github.com/sojournhq/sojourn/internal/domain/attribution"
	"github.com/sojournhq/sojourn/internal/domain/attribution/boltlinks"
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/dict"
	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/internal/kit/record"
)

// Source is where to read, for the life of one transaction.
type Source struct {
	Sums     *boltdb.Bucket
	Names    dict.Dict
	Links    boltlinks.Links
	Resolver *attribution.Resolver
	// KindUser and KindAccount are the kinds of their names.
	KindUser, KindAccount byte
}

// Owner is the account that calls named, 0 for none, and the user.
type Owner struct{ Account, User uint32 }

// Prefix returns what the keys of the owner's sums begin with.
func (o Owner) Prefix() []byte {
	return keys.AppendUint32(keys.AppendUint32(make([]byte, 0, 2*4), o.Account), o.User)
}

// ReadOwner adds the sums of one owner to a page. The walk stands at the first of them, and goes no further than to the first of the next.
type ReadOwner func(sums *boltdb.Walk, o Owner, into *activity.Page) error

// Read reads a page of what an account did: of each user both what calls did that named the account, and what those did that named none, if
// it resolves to the account.
func (s *Source) Read(ctx context.Context, q activity.Query, read ReadOwner) (*activity.Activity, error) {
	into := activity.NewPage(q)
	account, _, err := s.Names.Find(s.KindAccount, q.AccountID) // 0 if no sum is of calls that named it
	if err != nil {
		return nil, err
	}
	resolved, err := s.resolved(q)
	if err != nil {
		return nil, err
	}
	named := owners{walk: s.Sums.Walk(), account: account}
	nameless := owners{walk: s.Sums.Walk(), only: resolved}
	names := s.Names.Walk()
	for user := q.From; ; user++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		isNamed, err := named.to(user)
		if err != nil {
			return nil, err
		}
		isNameless, err := nameless.to(user)
		if err != nil {
			return nil, err
		}
		if !isNamed && !isNameless {
			return into.Activity(0), nil
		}
		user = first(named, nameless)
		if into.Full() {
			return into.Activity(user), nil
		}
		into.Begin(user != 0)
		for _, o := range []owners{named, nameless} {
			if o.here && o.user == user {
				if err := read(o.walk, Owner{o.account, user}, into); err != nil {
					return nil, err
				}
			}
		}
		if err := into.End(func() (string, error) { return names.Name(user) }); err != nil {
			return nil, err
		}
	}
}

// first returns the lower of the users that two walks stand at, one of them at least.
func first(a, b owners) uint32 {
	if a.here && (!b.here || a.user <= b.user) {
		return a.user
	}
	return b.user
}

// resolved returns the numbers of the users from q.From on whose calls that name no account count for the account, in order.
func (s *Source) resolved(q activity.Query) ([]uint32, error) {
	// Where every call names an account there is no use in looking who would belong to it.
	w := s.Sums.Walk()
	w.To(Owner{User: max(q.From, 1)}.Prefix())
	if o, ok, err := ownerAt(w); err != nil || !ok || o.Account != 0 {
		return nil, err
	}
	_, ids, err := s.Links.UsersOf(q.AccountID, s.Resolver)
	if err != nil {
		return nil, err
	}
	numbers := make([]uint32, 0, len(ids))
	slices.Sort(ids) // so that their numbers are looked up in order
	names := s.Names.Walk()
	for _, id := range ids {
		number, ok, err := names.Find(s.KindUser, id)
		if err != nil {
			return nil, err
		}
		if ok && number >= q.From {
			numbers = append(numbers, number)
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}

// owners walks along the users of one account that calls named, or, for account 0, of some users.
type owners struct {
	walk    *boltdb.Walk
	account uint32
	only    []uint32 // in order, for account 0

	here bool
	user uint32
}

// to moves to the first user that is not lower, and says whether there is one.
func (o *owners) to(user uint32) (bool, error) {
	for {
		if o.account == 0 {
			at, _ := slices.BinarySearch(o.only, user)
			if o.only = o.only[at:]; len(o.only) == 0 {
				o.here = false
				return false, nil
			}
			user = o.only[0]
		}
		if o.here && o.user >= user {
			return true, nil
		}
		o.walk.To(Owner{o.account, user}.Prefix())
		at, ok, err := ownerAt(o.walk)
		if o.here = ok && at.Account == o.account; err != nil || !o.here {
			return false, err
		}
		if o.user = at.User; o.account != 0 || o.user == user {
			return true, nil
		}
		user = o.user // which may be none of those who are wanted
		o.here = false
	}
}

// ownerAt returns whose row a walk stands at, if it does.
func ownerAt(w *boltdb.Walk) (o Owner, ok bool, err error) {
	switch {
	case w.Key == nil:
		return o, false, nil
	case len(w.Key) < 2*4:
		return o, false, fmt.Errorf("%w: key of a sum", record.ErrCorrupt)
	}
	return Owner{binary.BigEndian.Uint32(w.Key), binary.BigEndian.Uint32(w.Key[4:])}, true, nil
}
