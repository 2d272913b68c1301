package usage

import (
	"maps"
	"slices"

	"github.com/sojournhq/sojourn/internal/domain/day"
)

// Sums adds up daily usage into the groups of a query that come after one.
type Sums struct {
	query  Query
	after  *Group // nil: all
	groups map[Group]*sum
}

type sum struct {
	row   Row
	users distinct[[2]string]
	days  distinct[day.Day]
}

// NewSums returns empty sums for the groups of a query after one; nil: for all.
func NewSums(q Query, after *Group) *Sums {
	return &Sums{query: q, after: after, groups: map[Group]*sum{}}
}

// Add adds what one user of one account did on one day with one feature: uses of it, the first and the last.
func (s *Sums) Add(g Group, uses, firstMS, lastMS int64) {
	if !s.query.selects(g) {
		return
	}
	key := s.query.group(g)
	into := s.groups[key]
	if into == nil {
		if s.after != nil && key.Compare(*s.after) <= 0 {
			return
		}
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

// Len returns how many groups there are so far.
func (s *Sums) Len() int { return len(s.groups) }

// Rows returns the first groups in their order, at most limit.
func (s *Sums) Rows(limit int) []Row {
	rows := make([]Row, 0, len(s.groups))
	for into := range maps.Values(s.groups) {
		into.row.Users, into.row.DaysUsed = into.users.count(), into.days.count()
		rows = append(rows, into.row)
	}
	slices.SortFunc(rows, func(a, b Row) int { return a.Compare(b.Group) })
	return rows[:min(limit, len(rows))]
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
