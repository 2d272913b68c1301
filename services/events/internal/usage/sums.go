package usage

import (
	"maps"
	"slices"

	"github.com/sojournhq/sojourn/internal/domain/day"
)

// Sums adds up daily usage into the groups of a query.
type Sums struct {
	query  Query
	groups map[Group]*sum
}

type sum struct {
	row   Row
	users distinct[[2]string]
	days  distinct[day.Day]
}

// NewSums returns empty sums for a query.
func NewSums(q Query) *Sums { return &Sums{query: q, groups: map[Group]*sum{}} }

// Add adds what one user of one account did on one day with one feature: uses of it, the first and the last.
func (s *Sums) Add(g Group, uses, firstMS, lastMS int64) {
	if !s.query.selects(g) {
		return
	}
	key := s.query.group(g)
	into := s.groups[key]
	if into == nil {
		into = &sum{row: Row{Group: key, FirstMS: firstMS, LastMS: lastMS}}
		s.groups[key] = into
	}
	into.row.Uses += uses
	into.row.FirstMS = min(into.row.FirstMS, firstMS)
	into.row.LastMS = max(into.row.LastMS, lastMS)
	into.days.add(g.Day)
	if g.UserID != "" {
		into.users.add([2]string{g.AccountID, g.UserID})
	}
}

// Rows returns the groups in their order.
func (s *Sums) Rows() []Row {
	rows := make([]Row, 0, len(s.groups))
	for into := range maps.Values(s.groups) {
		into.row.Users, into.row.DaysUsed = into.users.count(), into.days.count()
		rows = append(rows, into.row)
	}
	slices.SortFunc(rows, func(a, b Row) int { return a.Compare(b.Group) })
	return rows
}

func (q *Query) selects(g Group) bool {
	return q.Days.Contains(g.Day) && is(q.AccountID, g.AccountID) && is(q.UserID, g.UserID) &&
		is(q.Module, g.Module) && is(q.Feature, g.Feature)
}

// Matches says whether the filter selects an event, whose time it does not look at.
func (f *Filter) Matches(e *Event) bool {
	return is(f.AccountID, e.AccountID) && is(f.UserID, e.UserID) && is(f.Module, e.Module) && is(f.Feature, e.Feature)
}

// is says whether a condition holds: that a text is the wanted one, if one is wanted.
func is(wanted *string, text string) bool { return wanted == nil || *wanted == text }

// group keeps of g the columns that are grouped by.
func (q *Query) group(g Group) (key Group) {
	if q.By[ByAccount] {
		key.AccountID = g.AccountID
	}
	if q.By[ByUser] {
		key.UserID = g.UserID
	}
	if q.By[ByModule] {
		key.Module = g.Module
	}
	if q.By[ByFeature] {
		key.Feature = g.Feature
	}
	if q.By[ByDay] {
		key.Day = g.Day
	}
	return key
}
