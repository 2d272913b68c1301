package storetest

import (
	"cmp"
	"slices"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/day"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// Oracle computes what a store must answer, slowly and plainly: from the whole set of calls at once, sorted. It shares nothing with the
// code that it is held against but the shape of the answers.
type Oracle struct {
	Calls []call.Call
	Rules session.Rules
}

const dayMS = 24 * 60 * 60 * 1000

// history is the points of one session.
type history []call.Call

// sessions returns the sessions of all anonymousIds.
func (o Oracle) sessions() (all []history) {
	type identity struct {
		anonymousID string
		position    call.Position
	}
	points := map[string][]call.Call{}
	seen := map[identity]bool{}
	for _, c := range o.Calls {
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
			if len(h) > 0 && h.cutBy(p, o.Rules) {
				all = append(all, h)
				h = nil
			}
			h = append(h, p)
		}
		all = append(all, h)
	}
	return all
}

func (h history) cutBy(p call.Call, r session.Rules) bool {
	user, account := h.user(), h.account()
	return p.TimeMS-h[len(h)-1].TimeMS > r.TimeoutMS ||
		p.TimeMS-h[0].TimeMS > r.MaxMS ||
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

// resolver returns the account of a session: its own, or the one that its user is known to belong to.
func (o Oracle) resolver() func(history) string {
	known := map[string]string{}
	return func(h history) string {
		if h.account() != "" || h.user() == "" {
			return h.account()
		}
		account, ok := known[h.user()]
		if !ok {
			account = o.accountOf(h.user())
			known[h.user()] = account
		}
		return account
	}
}

func (o Oracle) accountOf(user string) string {
	person := map[string]bool{user: true}
	for grown := true; grown; {
		grown = false
		for _, c := range o.Calls {
			if c.Type == call.Alias && person[c.UserID] != person[c.PreviousID] {
				person[c.UserID], person[c.PreviousID] = true, true
				grown = true
			}
		}
	}
	accounts := map[string]bool{}
	for _, c := range o.Calls {
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

// Views returns all sessions in order, without revisions.
func (o Oracle) Views(nowMS int64) (views []session.View) {
	resolved := o.resolver()
	for _, h := range o.sessions() {
		last := h[len(h)-1]
		v := session.View{
			First:     session.First{AnonymousID: h[0].AnonymousID, Start: h[0].Position()},
			EndMS:     last.TimeMS,
			UserID:    h.user(),
			AccountID: resolved(h),
			Points:    int64(len(h)),
			Ended:     nowMS > last.TimeMS+o.Rules.TimeoutMS,
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
			byModule[module].ActiveMS += min(to-from, o.Rules.IdleCapMS)
		})
		for _, m := range byModule {
			v.Modules = append(v.Modules, *m)
			v.ActiveMS += m.ActiveMS
		}
		slices.SortFunc(v.Modules, func(a, b session.ModuleView) int { return cmp.Compare(a.Module, b.Module) })
		views = append(views, v)
	}
	slices.SortFunc(views, func(a, b session.View) int { return a.First.Compare(b.First) })
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

// Time answers a time query.
func (o Oracle) Time(q session.TimeQuery) []session.TimeRow {
	resolved := o.resolver()
	rows := map[session.Group]*session.TimeRow{}
	users := map[session.Group]map[string]bool{}
	for _, h := range o.sessions() {
		account, user := resolved(h), h.user()
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
				rows[g].ActiveMS += max(0, min(end, from+o.Rules.IdleCapMS)-start)
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
