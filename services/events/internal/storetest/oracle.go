package storetest

import (
	"cmp"
	"slices"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/day"
	"github.com/sojournhq/sojourn/services/events/internal/usage"
)

// oracle computes what a store must answer, slowly and plainly: from the whole set of calls at once.
type oracle struct{ calls []call.Call }

// newOracle returns the oracle of a history, without what was said by and of users who are deleted at the time.
func newOracle(history []call.Call) (o oracle) {
	until := map[string]int64{}
	for _, c := range history {
		if c.Type == call.Delete {
			until[c.UserID] = max(until[c.UserID], c.TimeMS)
		}
	}
	for _, c := range history {
		if c.Type == call.Delete || c.UserID != "" && c.TimeMS <= until[c.UserID] {
			continue
		}
		if c.Type == call.Alias && c.TimeMS <= until[c.PreviousID] {
			c.PreviousID = c.UserID // it joins nobody any more
		}
		o.calls = append(o.calls, c)
	}
	return o
}

const dayMS = 24 * 60 * 60 * 1000

// events returns all uses in order.
func (o oracle) events() (all []usage.Event) {
	seen := map[call.Position]bool{}
	for _, c := range o.calls {
		at := c.Position()
		if c.Feature == "" || seen[at] {
			continue
		}
		seen[at] = true
		all = append(all, usage.Event{Position: at, Feature: c.Feature, Module: c.Module, UserID: c.UserID, AccountID: o.account(c)})
	}
	slices.SortFunc(all, func(a, b usage.Event) int {
		return cmp.Or(cmp.Compare(a.TimeMS, b.TimeMS), cmp.Compare(a.MessageID, b.MessageID), cmp.Compare(a.OriginalMS, b.OriginalMS))
	})
	return all
}

// account returns the account that a call counts for: its own, or the one that its user is known to belong to.
func (o oracle) account(c call.Call) string {
	if c.AccountID != "" || c.UserID == "" {
		return c.AccountID
	}
	person := map[string]bool{c.UserID: true}
	for grown := true; grown; {
		grown = false
		for _, a := range o.calls {
			if a.Type == call.Alias && person[a.UserID] != person[a.PreviousID] {
				person[a.UserID], person[a.PreviousID] = true, true
				grown = true
			}
		}
	}
	accounts := map[string]bool{}
	for _, other := range o.calls {
		if other.AccountID != "" && person[other.UserID] {
			accounts[other.AccountID] = true
		}
	}
	for account := range accounts {
		if len(accounts) == 1 {
			return account
		}
	}
	return ""
}

// list answers a listing.
func (o oracle) list(f usage.Filter) (found []usage.Event) {
	for _, e := range o.events() {
		if e.TimeMS >= f.FromMS && e.TimeMS < f.ToMS && wanted(f.AccountID, e.AccountID) && wanted(f.UserID, e.UserID) &&
			wanted(f.Module, e.Module) && wanted(f.Feature, e.Feature) {
			found = append(found, e)
		}
	}
	return found
}

// usage answers a query.
func (o oracle) usage(q usage.Query) []usage.Row {
	members := map[usage.Group][]usage.Event{}
	for _, e := range o.list(usage.Filter{AccountID: q.AccountID, UserID: q.UserID, Module: q.Module, Feature: q.Feature, ToMS: 1 << 60}) {
		d := day.Day(e.TimeMS / dayMS)
		if d < q.Days.From || d > q.Days.To {
			continue
		}
		var g usage.Group
		for column, by := range q.By {
			if !by {
				continue
			}
			switch usage.Column(column) {
			case usage.ByAccount:
				g.AccountID = e.AccountID
			case usage.ByUser:
				g.UserID = e.UserID
			case usage.ByModule:
				g.Module = e.Module
			case usage.ByFeature:
				g.Feature = e.Feature
			case usage.ByDay:
				g.Day = d
			}
		}
		members[g] = append(members[g], e)
	}
	rows := []usage.Row{}
	for g, events := range members {
		users, days := map[string]bool{}, map[int64]bool{}
		for _, e := range events {
			days[e.TimeMS/dayMS] = true
			if e.UserID != "" {
				users[e.AccountID+"\x00"+e.UserID] = true
			}
		}
		rows = append(rows, usage.Row{
			Group: g, Uses: int64(len(events)), Users: int64(len(users)), DaysUsed: int64(len(days)),
			FirstMS: events[0].TimeMS, LastMS: events[len(events)-1].TimeMS,
		})
	}
	slices.SortFunc(rows, func(a, b usage.Row) int { return a.Compare(b.Group) })
	return rows
}

func wanted(want *string, got string) bool { return want == nil || *want == got }
