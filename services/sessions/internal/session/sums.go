package session

import (
	"maps"
	"slices"

	"github.com/sojournhq/sojourn/internal/domain/day"
)

// Sum sums the same part of many sessions of one owner.
type Sum struct {
	// Sessions is how many sessions were there, Carried how many of these were there on the day before too. A session touches at most two
	// days, so over any span of days the distinct sessions are those of all days less those carried over within the span.
	Sessions, Carried    int64
	DurationMS, ActiveMS int64
}

// Plus returns the sum of two sums.
func (s Sum) Plus(t Sum) Sum {
	return Sum{s.Sessions + t.Sessions, s.Carried + t.Carried, s.DurationMS + t.DurationMS, s.ActiveMS + t.ActiveMS}
}

// Minus returns the difference of two sums.
func (s Sum) Minus(t Sum) Sum {
	return Sum{s.Sessions - t.Sessions, s.Carried - t.Carried, s.DurationMS - t.DurationMS, s.ActiveMS - t.ActiveMS}
}

// SumsOf returns what a session adds to the sums of one module on the day that it starts and on the day after.
func SumsOf(first, second Amount) (sums [2]Sum) {
	for i, a := range [2]Amount{first, second} {
		sums[i] = Sum{DurationMS: a.DurationMS, ActiveMS: a.ActiveMS}
		if a.Present() {
			sums[i].Sessions = 1
		}
	}
	if first.Present() && second.Present() {
		sums[1].Carried = 1
	}
	return sums
}

// TimeSums adds daily sums up into the groups of a query.
type TimeSums struct {
	query  TimeQuery
	groups map[Group]*groupSum
}

type groupSum struct {
	Sum

	users map[user]struct{}
}

// user is a user of an account, as resolved.
type user struct{ accountID, userID string }

// NewTimeSums returns empty sums for a query.
func NewTimeSums(q TimeQuery) *TimeSums { return &TimeSums{query: q, groups: map[Group]*groupSum{}} }

// Add adds the sum of one user of one account in one module, which is not looked at if the query does not group by module, on one day.
func (t *TimeSums) Add(accountID, userID, module string, d day.Day, s Sum) {
	q := &t.query
	var g Group
	if q.By[ByAccount] {
		g.AccountID = accountID
	}
	if q.By[ByUser] {
		g.UserID = userID
	}
	if q.By[ByModule] {
		g.Module = module
	}
	if q.By[ByDay] {
		g.Day = d
	} else if d > q.Days.From {
		s.Sessions -= s.Carried
	}
	into := t.groups[g]
	if into == nil {
		into = &groupSum{users: map[user]struct{}{}}
		t.groups[g] = into
	}
	into.Sum = into.Plus(s)
	if userID != "" {
		into.users[user{accountID, userID}] = struct{}{}
	}
}

// Rows returns the groups in their order.
func (t *TimeSums) Rows() []TimeRow {
	rows := make([]TimeRow, 0, len(t.groups))
	for g, s := range maps.All(t.groups) {
		rows = append(rows, TimeRow{
			Group: g, Sessions: s.Sessions, Users: int64(len(s.users)), DurationMS: s.DurationMS, ActiveMS: s.ActiveMS,
		})
	}
	slices.SortFunc(rows, func(a, b TimeRow) int { return a.Compare(b.Group) })
	return rows
}
