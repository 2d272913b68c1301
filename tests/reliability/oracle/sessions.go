package oracle

import (
	"cmp"
	"maps"
	"slices"
)

// What settings are when nobody sets them.
const (
	timeoutMS = 30 * 60 * 1000
	idleMS    = 5 * 60 * 1000
	longestMS = 24 * 60 * 60 * 1000
)

type session struct {
	Kind        string `json:"kind"`
	Workspace   string `json:"workspace"`
	AnonymousID string `json:"anonymousId"`
	Start       string `json:"start"`
	End         string `json:"end"`
	UserID      string `json:"userId"`
	AccountID   string `json:"accountId"`
	DurationMS  int64  `json:"durationMs"`
	ActiveMS    int64  `json:"activeMs"`
	Events      int    `json:"events"`
	Modules     []part `json:"modules"`
}

type part struct {
	Module     string `json:"module"`
	DurationMS int64  `json:"durationMs"`
	ActiveMS   int64  `json:"activeMs"`
}

// sessions are all sessions, by start, anonymousId and the messageId of the first call.
func (w *workspace) sessions() (lines []string) {
	points := map[string][]Call{}
	for _, c := range w.good {
		if c.AnonymousID != "" {
			points[c.AnonymousID] = append(points[c.AnonymousID], c)
		}
	}
	var all [][]Call
	for _, device := range slices.Sorted(maps.Keys(points)) {
		all = append(all, divide(points[device])...)
	}
	slices.SortFunc(all, func(a, b []Call) int {
		return cmp.Or(cmp.Compare(a[0].TimeMS, b[0].TimeMS), cmp.Compare(a[0].AnonymousID, b[0].AnonymousID), cmp.Compare(a[0].MessageID, b[0].MessageID))
	})
	for _, s := range all {
		lines = append(lines, line(w.session(s)))
	}
	return lines
}

// divide cuts the points of one device, which are sorted, into sessions.
func divide(points []Call) (sessions [][]Call) {
	for _, p := range points {
		last := len(sessions) - 1
		if last < 0 || starts(p, sessions[last]) {
			sessions = append(sessions, []Call{p})
			continue
		}
		sessions[last] = append(sessions[last], p)
	}
	return sessions
}

// starts says whether a point cannot belong to the session before it.
func starts(p Call, before []Call) bool {
	user, account := owner(before)
	return p.TimeMS-before[len(before)-1].TimeMS > timeoutMS ||
		p.TimeMS-before[0].TimeMS > longestMS ||
		user != "" && p.UserID != "" && p.UserID != user ||
		account != "" && p.AccountID != "" && p.AccountID != account
}

// owner is the first user and the first account that points name.
func owner(points []Call) (user, account string) {
	for _, p := range points {
		user, account = cmp.Or(user, p.UserID), cmp.Or(account, p.AccountID)
		if user != "" && account != "" {
			break
		}
	}
	return user, account
}

func (w *workspace) session(points []Call) session {
	user, account := owner(points)
	first, last := points[0], points[len(points)-1]
	s := session{
		Kind: "session", Workspace: w.name, AnonymousID: first.AnonymousID, Start: clock(first.TimeMS), End: clock(last.TimeMS),
		UserID: user, AccountID: w.account(account, user), DurationMS: last.TimeMS - first.TimeMS, Events: len(points), Modules: []part{},
	}
	module, times := "", map[string]part{}
	for i, p := range points[1:] {
		module = cmp.Or(points[i].Module, module)
		stretch := p.TimeMS - points[i].TimeMS
		spent := times[module]
		spent.Module, spent.DurationMS, spent.ActiveMS = module, spent.DurationMS+stretch, spent.ActiveMS+min(stretch, idleMS)
		s.ActiveMS += min(stretch, idleMS)
		times[module] = spent
	}
	for _, module := range slices.Sorted(maps.Keys(times)) {
		if times[module].DurationMS > 0 {
			s.Modules = append(s.Modules, times[module])
		}
	}
	return s
}
