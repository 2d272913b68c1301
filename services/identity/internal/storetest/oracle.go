package storetest

import (
	"maps"
	"slices"

	"github.com/sojournhq/sojourn/internal/domain/attribution"
	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/services/identity/internal/directory"
	"github.com/sojournhq/sojourn/services/identity/internal/profile"
)

// oracle computes what a store must answer, slowly and plainly: from the whole set of calls and rejections at once. The calls are all
// different.
type oracle struct {
	calls      []call.Call
	rejections []directory.Rejection
}

// resolve says which account a user belongs to.
func (o oracle) resolve(user string) attribution.Resolution {
	person := map[string]bool{user: true}
	for grown := true; grown; {
		grown = false
		for _, c := range o.calls {
			if c.Type == call.Alias && person[c.UserID] != person[c.PreviousID] {
				person[c.UserID], person[c.PreviousID] = true, true
				grown = true
			}
		}
	}
	named := map[string]bool{}
	for _, c := range o.calls {
		if c.AccountID != "" && c.UserID != "" && person[c.UserID] {
			named[c.AccountID] = true
		}
	}
	accounts := slices.Sorted(maps.Keys(named))
	switch len(accounts) {
	case 0:
		return attribution.Resolution{State: attribution.Unknown}
	case 1:
		return attribution.Resolution{State: attribution.Known, Account: accounts[0]}
	}
	return attribution.Resolution{State: attribution.Ambiguous, Candidates: accounts}
}

// account is the account that a call counts for.
func (o oracle) account(c *call.Call) string {
	if c.AccountID != "" || c.UserID == "" {
		return c.AccountID
	}
	return o.resolve(c.UserID).Account
}

// users returns everybody whom a call named, in order.
func (o oracle) users() (all []directory.User) {
	calls := map[directory.UserKey][]call.Call{}
	for _, c := range o.calls {
		if c.UserID != "" {
			key := directory.UserKey{UserID: c.UserID, AccountID: o.account(&c)}
			calls[key] = append(calls[key], c)
		}
	}
	for key, own := range calls {
		u := directory.User{UserKey: key}
		for _, c := range own {
			u.LastSeenMS = max(u.LastSeenMS, c.TimeMS)
		}
		u.Fields = latest(own, call.Identify)
		all = append(all, u)
	}
	slices.SortFunc(all, func(a, b directory.User) int { return a.Compare(b.UserKey) })
	return all
}

// accounts returns every account that a call named, in order.
func (o oracle) accounts() (all []directory.Account) {
	calls := map[string][]call.Call{}
	for _, c := range o.calls {
		if c.AccountID != "" {
			calls[c.AccountID] = append(calls[c.AccountID], c)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(calls)) {
		all = append(all, directory.Account{AccountID: id, Fields: latest(calls[id], call.Group)})
	}
	return all
}

// latest returns, of the traits that calls of a type sent, those of the latest call for each path.
func latest(calls []call.Call, of call.Type) []profile.Field {
	byPath := map[string]profile.Field{}
	slices.SortFunc(calls, func(a, b call.Call) int {
		return call.Position{TimeMS: a.TimeMS, MessageID: a.MessageID}.Compare(call.Position{TimeMS: b.TimeMS, MessageID: b.MessageID})
	})
	for _, c := range calls {
		if c.Type != of {
			continue
		}
		for _, t := range c.Traits {
			byPath[t.Path] = profile.Field{Path: t.Path, Value: t.Value, At: call.Position{TimeMS: c.TimeMS, MessageID: c.MessageID}}
		}
	}
	fields := []profile.Field{}
	for _, path := range slices.Sorted(maps.Keys(byPath)) {
		fields = append(fields, byPath[path])
	}
	return fields
}

// books returns the books, without what depends on how often a call was sent.
func (o oracle) books() (all []directory.Book) {
	for _, kind := range []string{"alias", "group", "identify", "page", "track"} {
		for _, source := range []string{"app", "web"} {
			book := directory.Book{Source: source, Type: kind, Rejected: map[string]int64{}}
			for _, c := range o.calls {
				if c.Source == source && c.Type.String() == kind {
					book.Accepted++
				}
			}
			for _, r := range o.rejections {
				if r.Source == source && r.Type == kind {
					book.Rejected[r.Code]++
				}
			}
			if book.Accepted > 0 || len(book.Rejected) > 0 {
				all = append(all, book)
			}
		}
	}
	slices.SortFunc(all, func(a, b directory.Book) int {
		return slices.Compare([]string{a.Source, a.Type}, []string{b.Source, b.Type})
	})
	return all
}
