package storetest

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/sojournhq/sojourn/internal/domain/attribution"
	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/services/identity/internal/directory"
	"github.com/sojournhq/sojourn/services/identity/internal/profile"
)

// oracle computes every answer from the whole set of calls at once. It is slow and keeps nothing.
type oracle struct {
	deliveries []delivery
	calls      []call.Call      // each once
	until      map[string]int64 // up to when users are deleted
}

func newOracle(deliveries []delivery) *oracle {
	o := &oracle{deliveries: deliveries}
	seen := map[string]bool{}
	for _, d := range deliveries {
		if d.call != nil && !seen[d.call.MessageID] {
			seen[d.call.MessageID] = true
			o.calls = append(o.calls, *d.call)
		}
	}
	o.forget()
	return o
}

// forget takes away what calls said of users who are deleted at their time. What they said of accounts stays.
func (o *oracle) forget() {
	until := map[string]int64{}
	for _, c := range o.calls {
		if c.Type == call.Delete {
			until[c.UserID] = max(until[c.UserID], c.TimeMS)
		}
	}
	o.until = until
	var left []call.Call
	for _, c := range o.calls {
		if c.Type == call.Alias && c.TimeMS <= until[c.PreviousID] {
			c.PreviousID = c.UserID // it joins nobody any more
		}
		switch deleted := c.UserID != "" && c.TimeMS <= until[c.UserID]; {
		case c.Type == call.Delete, deleted && c.AccountID == "":
			continue
		case deleted && c.Type == call.Group:
			c.UserID = ""
		case deleted:
			c = call.Call{Type: call.Track, AccountID: c.AccountID, TimeMS: c.TimeMS}
		}
		left = append(left, c)
	}
	o.calls = left
}

// resolve gathers a person's ids until there are no more, then the accounts that any of them was named with.
func (o *oracle) resolve(user string) attribution.Resolution {
	person := map[string]bool{user: true}
	for range o.calls {
		for _, c := range o.calls {
			if c.Type == call.Alias && (person[c.UserID] || person[c.PreviousID]) {
				person[c.UserID], person[c.PreviousID] = true, true
			}
		}
	}
	accounts := map[string]bool{}
	for _, c := range o.calls {
		if person[c.UserID] && c.AccountID != "" {
			accounts[c.AccountID] = true
		}
	}
	switch candidates := slices.Sorted(maps.Keys(accounts)); len(candidates) {
	case 0:
		return attribution.Resolution{State: attribution.Unknown}
	case 1:
		return attribution.Resolution{State: attribution.Known, Account: candidates[0]}
	default:
		return attribution.Resolution{State: attribution.Ambiguous, Candidates: candidates}
	}
}

func (o *oracle) accountOf(c *call.Call) string {
	if c.AccountID != "" || c.UserID == "" {
		return c.AccountID
	}
	return o.resolve(c.UserID).Account
}

// userView is a user as a client sees it: traits in text, the codes of problems.
type userView struct {
	directory.UserKey

	LastSeenMS int64
	Traits     map[string]string
	Problems   []string
}

type accountView struct {
	AccountID          string
	Traits, Dimensions map[string]string
	Problems, Missing  []string
}

// usersWhere returns the users that want says, in order.
func (o *oracle) usersWhere(want func(userView) bool) (users []userView) {
	calls := map[directory.UserKey][]call.Call{}
	for _, c := range o.calls {
		if c.UserID != "" {
			key := directory.UserKey{UserID: c.UserID, AccountID: o.accountOf(&c)}
			calls[key] = append(calls[key], c)
		}
	}
	for _, key := range slices.SortedFunc(maps.Keys(calls), directory.UserKey.Compare) {
		u := userView{UserKey: key, LastSeenMS: directory.NeverSeen}
		for _, c := range calls[key] {
			if !c.Inactive && slices.Contains([]call.Type{call.Track, call.Page, call.Screen}, c.Type) {
				u.LastSeenMS = max(u.LastSeenMS, c.TimeMS)
			}
		}
		u.Traits, u.Problems = o.traits(calls[key], call.Identify, userTable, profile.Settings{})
		if want(u) {
			users = append(users, u)
		}
	}
	return users
}

// unattributed returns the users who have calls that belong to no account, in order.
func (o *oracle) unattributed(reason *attribution.State) (users []directory.Unattributed) {
	for _, u := range o.usersWhere(func(u userView) bool { return u.AccountID == "" }) {
		if why := o.resolve(u.UserID); reason == nil || why.State == *reason {
			users = append(users, directory.Unattributed{UserID: u.UserID, Why: why, LastSeenMS: u.LastSeenMS})
		}
	}
	return users
}

func (o *oracle) accounts(settings profile.Settings) (accounts []accountView) {
	calls := map[string][]call.Call{}
	for _, c := range o.calls {
		if c.AccountID != "" {
			calls[c.AccountID] = append(calls[c.AccountID], c)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(calls)) {
		a := accountView{AccountID: id}
		a.Traits, a.Problems = o.traits(calls[id], call.Group, accountTable, settings)
		a.Dimensions = map[string]string{}
		for _, d := range settings.Dimensions.All() {
			value, problems := o.dimension(id, &d)
			if value != "" {
				a.Dimensions[d.Name] = value
			}
			for _, code := range problems {
				a.Problems = append(a.Problems, d.Name+" "+code)
			}
		}
		slices.Sort(a.Problems)
		for _, needed := range []string{"name", "createdAt"} {
			if _, ok := a.Traits[needed]; !ok {
				a.Missing = append(a.Missing, needed)
			}
		}
		accounts = append(accounts, a)
	}
	return accounts
}

// traits reads every trait of a table from the calls of one type.
func (o *oracle) traits(calls []call.Call, from call.Type, table []meaning, settings profile.Settings) (map[string]string, []string) {
	traits, problems := map[string]string{}, []string{}
	var whole *spoken
	best := map[string]*spoken{}
	for _, m := range table {
		if m.as == custom {
			continue
		}
		best[m.trait] = latest(calls, from, m, settings)
		if m.as == wholeName {
			whole = best[m.trait]
			continue
		}
		if s := best[m.trait]; s != nil && !s.clears() {
			text, problem := m.read(s, settings)
			if problem != "" {
				problems = append(problems, problem)
			} else {
				traits[m.trait] = text
			}
		}
	}
	if whole != nil && whole.value.Kind == call.String && !whole.misplaced && !whole.clears() {
		first, last, _ := strings.Cut(whole.value.Text, " ")
		for trait, part := range map[string]string{"first_name": first, "last_name": last} {
			own := best[trait]
			if part != "" && (own == nil || own.clears() && (own.empty() || own.at.Compare(whole.at) < 0)) {
				traits[trait] = part
			}
		}
	}
	slices.Sort(problems)
	return traits, problems
}

// spoken is something that a call said of a trait.
type spoken struct {
	path  string
	value call.Value
	at    call.Position
	rank  int
	// inside: it is in an object in the trait's place; misplaced: it is, or it stands where the object should that had the trait's value.
	inside, misplaced bool
}

func (s *spoken) above() bool { return s.path == above || s.path == aboveCustom }

func (s *spoken) empty() bool { return s.value.Kind == call.String && s.value.Text == "" }

func (s *spoken) clears() bool {
	return !s.misplaced && (s.above() || s.value.Kind == call.Null || s.empty())
}

// raw is what tells two wrong values apart.
func (s *spoken) raw() call.Value {
	if s.inside {
		return call.Value{}
	}
	return s.value
}

// latest collects everything that calls said of a trait, under whatever spelling, and returns the last of it; nil if there is nothing.
func latest(calls []call.Call, from call.Type, m meaning, settings profile.Settings) *spoken {
	var all []spoken
	for _, c := range calls {
		if c.Type != from {
			continue
		}
		for _, t := range c.Traits {
			rank, inside, ok := m.rank(t.Path)
			s := spoken{path: t.Path, value: t.Value, at: call.Position{TimeMS: c.TimeMS, MessageID: c.MessageID}, rank: rank, inside: inside, misplaced: inside}
			if ok && (t.Value != nothing || m.as != custom && !s.above() && t.Path != hint) {
				all = append(all, s)
			}
		}
	}
	order := func(yes bool) int { return map[bool]int{true: 1}[yes] }
	slices.SortFunc(all, func(a, b spoken) int {
		return cmp.Or(b.at.Compare(a.at), cmp.Compare(order(a.above()), order(b.above())), cmp.Compare(order(a.empty()), order(b.empty())),
			cmp.Compare(a.rank, b.rank), cmp.Compare(a.path, b.path))
	})
	asked := false
	for _, s := range all {
		if s.path != hint {
			s.misplaced = s.inside || s.above() && s.value.Kind != call.Null && !s.empty() && valued(all)
			return &s
		}
		// Of all hints only the last one says anything, and only if it names a tier.
		if !asked && s.value.Kind == call.String && slices.Contains(settings.Tiers, s.value.Text) {
			return &s
		}
		asked = true
	}
	return nil
}

// valued says whether, of what was said last under each path, anything is a value, or an object in its place. The last comes first.
func valued(all []spoken) bool {
	seen := map[string]bool{}
	for _, s := range all {
		if !seen[s.path] && !s.clears() {
			return true
		}
		seen[s.path] = true
	}
	return false
}

// kept returns which rejections are kept: each once, but for those that name a user who is deleted at their time.
func (o *oracle) kept() (ids []string) {
	for _, d := range o.deliveries {
		r := d.rejection
		if r == nil || slices.Contains(ids, keptID(r)) {
			continue
		}
		gone := false
		for id, until := range o.until {
			gone = gone || r.TimeMS <= until && (r.UserID == id || strings.Contains(string(r.Body), `"`+id+`"`))
		}
		if !gone {
			ids = append(ids, keptID(r))
		}
	}
	slices.Sort(ids)
	return ids
}

// books counts deliveries: the first of each content is accepted or rejected, the others are duplicates. What is filtered counts each time.
func (o *oracle) books() []directory.Book {
	type page struct{ source, kind string }
	books := map[page]*directory.Book{}
	at := func(source, kind string) *directory.Book {
		p := page{source, kind}
		if books[p] == nil {
			books[p] = &directory.Book{Source: source, Type: kind, Rejected: map[string]int64{}}
		}
		return books[p]
	}
	calls, rejections := map[string]bool{}, map[[16]byte]bool{}
	for _, d := range o.deliveries {
		switch {
		case d.call != nil && calls[d.call.MessageID]:
			at(d.call.Source, d.call.Type.String()).Duplicate++
		case d.call != nil:
			calls[d.call.MessageID] = true
			at(d.call.Source, d.call.Type.String()).Accepted++
		case d.filtered != nil:
			at(d.filtered.Source, d.filtered.Type).Filtered++
		case rejections[d.rejection.Fingerprint]:
			at(d.rejection.Source, d.rejection.Type).Duplicate++
		default:
			rejections[d.rejection.Fingerprint] = true
			at(d.rejection.Source, d.rejection.Type).Rejected[d.rejection.Code]++
		}
	}
	out := make([]directory.Book, 0, len(books))
	for _, b := range books {
		out = append(out, *b)
	}
	slices.SortFunc(out, func(a, b directory.Book) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Type, b.Type))
	})
	return out
}
