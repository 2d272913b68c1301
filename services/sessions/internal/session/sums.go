package session

import (
	"maps"
	"slices"
)

// TimeSums adds up the pieces of sessions into the groups of a query.
type TimeSums struct {
	query  TimeQuery
	groups map[Group]*sum

	// The session being added.
	accountID, userID string
	serial            int64
}

type sum struct {
	row TimeRow
	// The last session counted, so that each counts once.
	session int64
	users   map[[2]string]struct{}
}

// NewTimeSums returns empty sums for a query.
func NewTimeSums(q TimeQuery) *TimeSums { return &TimeSums{query: q, groups: map[Group]*sum{}} }

// Begin starts the next session; the pieces added from now on are its.
func (t *TimeSums) Begin(accountID, userID string) {
	t.accountID, t.userID = accountID, userID
	t.serial++
}

// Add adds a piece that the session spent in a module, if the query asks for that module and day.
func (t *TimeSums) Add(module string, p Piece) {
	q := t.query
	if !q.Days.Contains(p.Day) || (q.Module != nil && *q.Module != module) {
		return
	}
	var g Group
	if q.By[ByAccount] {
		g.AccountID = t.accountID
	}
	if q.By[ByUser] {
		g.UserID = t.userID
	}
	if q.By[ByModule] {
		g.Module = module
	}
	if q.By[ByDay] {
		g.Day = p.Day
	}
	into := t.groups[g]
	if into == nil {
		into = &sum{row: TimeRow{Group: g}, users: map[[2]string]struct{}{}}
		t.groups[g] = into
	}
	into.row.DurationMS += p.DurationMS
	into.row.ActiveMS += p.ActiveMS
	if into.session != t.serial {
		into.session = t.serial
		into.row.Sessions++
		if t.userID != "" {
			into.users[[2]string{t.accountID, t.userID}] = struct{}{}
		}
	}
}

// Rows returns the groups in their order.
func (t *TimeSums) Rows() []TimeRow {
	rows := make([]TimeRow, 0, len(t.groups))
	for into := range maps.Values(t.groups) {
		into.row.Users = int64(len(into.users))
		rows = append(rows, into.row)
	}
	slices.SortFunc(rows, func(a, b TimeRow) int { return a.Compare(b.Group) })
	return rows
}
