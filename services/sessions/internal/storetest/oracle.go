package storetest

import (
	"cmp"
	"slices"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/day"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// oracle computes what a store must answer, slowly and plainly: from the whole set of calls at once, sorted.
type oracle struct{ calls []call.Call }

const (
	timeoutMS = 30 * 60 * 1000
	idleCapMS = 5 * 60 * 1000
	maximumMS = 24 * 60 * 60 * 1000
	dayMS     = 24 * 60 * 60 * 1000
)

// history is the points of one session.
type history []call.Call

// sessions returns the sessions of all anonymousIds.
func (o oracle) sessions() (all []history) {
	type identity struct {
		anonymousID string
		position    call.Position
	}
	points := map[string][]call.Call{}
	seen := map[identity]bool{}
	for _, c := range o.calls {
		id := identity{c.AnonymousID, c.Position()}
		if c.AnonymousID == "" || seen[id] {
			continue
		}
		seen[id] = true
		points[c.AnonymousID] = append(points[c.AnonymousID], c)
	}
	for _, sorted := range points {
		slices.SortFunc(sorted, func(a, b call.Call) int {
			return cmp.Or(cmp.Compare(a.TimeMS, b.TimeMS), cmp.Compare(a.MessageID, b.MessageID), cmp.Compare(a.OriginalMS, b.OriginalMS))
		})
		var h history
		for _, p := range sorted {
			if len(h) > 0 && h.cutBy(p) {
				all = append(all, h)
				h = nil
			}
			h = append(h, p)
		}
		all = append(all, h)
	}
	return all
}

func (h history) cutBy(p call.Call) bool {
	user, account := h.user(), h.account()
	return p.TimeMS-h[len(h)-1].TimeMS > timeoutMS ||
		p.TimeMS-h[0].TimeMS > maximumMS ||
		user != "" && p.UserID != "" && user != p.UserID ||
		account != "" && p.AccountID != "" && account != p.AccountID
}

func (h history) user() string {
	for _, p := range h {
		if p.UserID != "" {
			return p.UserID
		}
	}
	return ""
}

func (h history) account() string {
	for _, p := range h {
		if p.AccountID != "" {
			return p.AccountID
		}
	}
	return ""
}

// resolved returns the account of a session: its own, or the one that its user is known to belong to.
func (o oracle) resolved(h history) string {
	if h.account() != "" || h.user() == "" {
		return h.account()
	}
	person := map[string]bool{h.user(): true}
	for grown := true; grown; {
		grown = false
		for _, c := range o.calls {
			if c.Type == call.Alias && person[c.UserID] != person[c.PreviousID] {
				person[c.UserID], person[c.PreviousID] = true, true
				grown = true
			}
		}
	}
	accounts := map[string]bool{}
	for _, c := range o.calls {
		if c.AccountID != "" && c.UserID != "" && person[c.UserID] {
			accounts[c.AccountID] = true
		}
	}
	if len(accounts) != 1 {
		return ""
	}
	for account := range accounts {
		return account
	}
	return ""
}

// views returns all sessions in order, without revisions.
func (o oracle) views(nowMS int64) (views []session.View) {
	for _, h := range o.sessions() {
		last := h[len(h)-1]
		v := session.View{
			ID:        session.ID{AnonymousID: h[0].AnonymousID, Start: h[0].Position()},
			EndMS:     last.TimeMS,
			UserID:    h.user(),
			AccountID: o.resolved(h),
			Points:    int64(len(h)),
			Ended:     nowMS > last.TimeMS+timeoutMS,
		}
		v.DurationMS = v.EndMS - h[0].TimeMS
		byModule := map[string]*session.ModuleView{}
		h.eachStretch(func(module string, from, to int64) {
			if from == to {
				return
			}
			if byModule[module] == nil {
				byModule[module] = &session.ModuleView{Module: module}
			}
			byModule[module].DurationMS += to - from
			byModule[module].ActiveMS += min(to-from, idleCapMS)
		})
		for _, m := range byModule {
			v.Modules = append(v.Modules, *m)
			v.ActiveMS += m.ActiveMS
		}
		slices.SortFunc(v.Modules, func(a, b session.ModuleView) int { return cmp.Compare(a.Module, b.Module) })
		views = append(views, v)
	}
	slices.SortFunc(views, func(a, b session.View) int { return a.ID.Compare(b.ID) })
	return views
}

// eachStretch calls do for every stretch between two points, and for the moment of every point, with the module current there.
func (h history) eachStretch(do func(module string, from, to int64)) {
	module := ""
	for i, p := range h {
		if i > 0 {
			do(module, h[i-1].TimeMS, p.TimeMS)
		}
		if p.Module != "" {
			module = p.Module
		}
		do(module, p.TimeMS, p.TimeMS)
	}
}

// time answers a time query.
func (o oracle) time(q session.TimeQuery) []session.TimeRow {
	rows := map[session.Group]*session.TimeRow{}
	users := map[session.Group]map[string]bool{}
	for _, h := range o.sessions() {
		account, user := o.resolved(h), h.user()
		if q.AccountID != nil && *q.AccountID != account || q.UserID != nil && *q.UserID != user {
			continue
		}
		counted := map[session.Group]bool{}
		h.eachStretch(func(module string, from, to int64) {
			for d := from / dayMS; d <= to/dayMS; d++ {
				start, end := max(from, d*dayMS), min(to, (d+1)*dayMS)
				empty := start == end && from != to
				if empty || q.Module != nil && *q.Module != module || !q.Days.Contains(day.Day(d)) {
					continue
				}
				g := group(q, account, user, module, day.Day(d))
				if rows[g] == nil {
					rows[g], users[g] = &session.TimeRow{Group: g}, map[string]bool{}
				}
				rows[g].DurationMS += end - start
				rows[g].ActiveMS += max(0, min(end, from+idleCapMS)-start)
				if !counted[g] {
					counted[g] = true
					rows[g].Sessions++
				}
				if user != "" {
					users[g][account+"\x00"+user] = true
				}
			}
		})
	}
	out := []session.TimeRow{}
	for g, row := range rows {
		row.Users = int64(len(users[g]))
		out = append(out, *row)
	}
	slices.SortFunc(out, func(a, b session.TimeRow) int { return a.Compare(b.Group) })
	return out
}

func group(q session.TimeQuery, account, user, module string, d day.Day) (g session.Group) {
	if q.By[session.ByAccount] {
		g.AccountID = account
	}
	if q.By[session.ByUser] {
		g.UserID = user
	}
	if q.By[session.ByModule] {
		g.Module = module
	}
	if q.By[session.ByDay] {
		g.Day = d
	}
	return g
}
