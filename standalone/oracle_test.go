package standalone_test

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	reportv1 "github.com/sojournhq/sojourn/proto/sojourn/report/v1"
	segmentv1 "github.com/sojournhq/sojourn/proto/sojourn/segment/v1"
)

// oracle works out reports slowly and plainly, from the whole set of calls at once.
type oracle []*segmentv1.Call

const (
	minuteMS = int64(60_000)
	dayMS    = 24 * 60 * minuteMS
)

// fact is one use of a feature, or a piece of a session within one day; a call of a session is a piece of no length.
type fact struct {
	account, user, module, feature string
	day                            string
	ms, uses, duration, active     int64
}

// candidates returns the accounts that calls named for a person.
func (o oracle) candidates(user string) (accounts []string) {
	person := map[string]bool{user: user != ""}
	for range o {
		for _, c := range o {
			if c.GetType() == segmentv1.CallType_CALL_TYPE_ALIAS && (person[c.GetUserId()] || person[c.GetPreviousId()]) {
				person[c.GetUserId()], person[c.GetPreviousId()] = true, true
			}
		}
	}
	for _, c := range o {
		if c.GetAccountId() != "" && person[c.GetUserId()] && !slices.Contains(accounts, c.GetAccountId()) {
			accounts = append(accounts, c.GetAccountId())
		}
	}
	slices.Sort(accounts)
	return accounts
}

func (o oracle) account(named, user string) string {
	if candidates := o.candidates(user); named == "" && len(candidates) == 1 {
		return candidates[0]
	}
	return named
}

func dayOf(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.DateOnly) }

// facts returns all there is.
func (o oracle) facts() (all []fact) {
	byDevice := map[string][]*segmentv1.Call{}
	for _, c := range o {
		if c.GetFeature() != "" {
			all = append(all, fact{
				account: o.account(c.GetAccountId(), c.GetUserId()), user: c.GetUserId(), module: c.GetModule(), feature: c.GetFeature(),
				day: dayOf(c.GetTimeMs()), ms: c.GetTimeMs(), uses: 1,
			})
		}
		if c.GetAnonymousId() != "" {
			byDevice[c.GetAnonymousId()] = append(byDevice[c.GetAnonymousId()], c)
		}
	}
	for _, points := range byDevice {
		slices.SortFunc(points, func(a, b *segmentv1.Call) int {
			return cmp.Or(cmp.Compare(a.GetTimeMs(), b.GetTimeMs()), cmp.Compare(a.GetMessageId(), b.GetMessageId()))
		})
		for len(points) > 0 {
			n, user, account := session(points)
			for _, piece := range pieces(points[:n]) {
				piece.user, piece.account = user, o.account(account, user)
				all = append(all, piece)
			}
			points = points[n:]
		}
	}
	return all
}

// session returns how many of the points are the first session, and whose it is.
func session(points []*segmentv1.Call) (n int, user, account string) {
	for i, p := range points {
		if i > 0 && (p.GetTimeMs()-points[i-1].GetTimeMs() > 30*minuteMS || p.GetTimeMs()-points[0].GetTimeMs() > dayMS ||
			user != "" && p.GetUserId() != "" && user != p.GetUserId() ||
			account != "" && p.GetAccountId() != "" && account != p.GetAccountId()) {
			return i, user, account
		}
		user, account = cmp.Or(user, p.GetUserId()), cmp.Or(account, p.GetAccountId())
	}
	return len(points), user, account
}

// pieces divides a session by module and day.
func pieces(points []*segmentv1.Call) (all []fact) {
	module := ""
	for i, p := range points {
		if i > 0 {
			for from, end := points[i-1].GetTimeMs(), p.GetTimeMs(); from < end; {
				to := min(end, (from/dayMS+1)*dayMS)
				capped := points[i-1].GetTimeMs() + 5*minuteMS
				all = append(all, fact{module: module, day: dayOf(from), duration: to - from, active: max(0, min(to, capped)-from)})
				from = to
			}
		}
		module = cmp.Or(p.GetModule(), module)
		all = append(all, fact{module: module, day: dayOf(p.GetTimeMs())})
	}
	return all
}

// those returns the facts that meet a condition.
func those(facts []fact, wanted func(fact) bool) (found []fact) {
	for _, f := range facts {
		if wanted(f) {
			found = append(found, f)
		}
	}
	return found
}

// distinct returns the different texts that facts have, in order, without the empty one.
func distinct(facts []fact, text func(fact) string) []string {
	var found []string
	for _, f := range facts {
		found = append(found, text(f))
	}
	slices.Sort(found)
	return slices.DeleteFunc(slices.Compact(found), func(s string) bool { return s == "" })
}

func user(f fact) string { return f.user }
func date(f fact) string { return f.day }
func pair(f fact) string {
	if f.user == "" {
		return ""
	}
	return f.user + "\x00" + f.day
}

func sum(facts []fact, amount func(fact) int64) (total int64) {
	for _, f := range facts {
		total += amount(f)
	}
	return total
}

func uses(f fact) int64     { return f.uses }
func duration(f fact) int64 { return f.duration }
func active(f fact) int64   { return f.active }

func ms(n int64) *durationpb.Duration { return durationpb.New(time.Duration(n) * time.Millisecond) }

// members returns the users of an account.
func (o oracle) members(account string) map[string]bool {
	users := map[string]bool{}
	for _, c := range o {
		if c.GetUserId() != "" && o.account(c.GetAccountId(), c.GetUserId()) == account {
			users[c.GetUserId()] = true
		}
	}
	return users
}

func within(account, from, to string) func(fact) bool {
	return func(f fact) bool { return f.account == account && f.day >= from && (to == "" || f.day <= to) }
}

func (o oracle) accountUsage(account, from, to string) *reportv1.GetAccountUsageResponse {
	used := those(o.facts(), func(f fact) bool { return within(account, from, to)(f) && f.uses+f.duration > 0 })
	members := o.members(account)
	for _, id := range distinct(used, user) {
		members[id] = true // of a session that names the user in one call and the account in another
	}
	report := &reportv1.GetAccountUsageResponse{Total: usage(members, used)}
	var modules []string
	for _, f := range used {
		modules = append(modules, f.module)
	}
	slices.Sort(modules)
	for _, module := range slices.Compact(modules) {
		in := those(used, func(f fact) bool { return f.module == module })
		report.Modules = append(report.Modules, &reportv1.ModuleUsage{Module: module, Usage: usage(members, in)})
		for _, feature := range distinct(in, func(f fact) string { return f.feature }) {
			of := those(in, func(f fact) bool { return f.feature == feature })
			u := usage(members, of)
			line := &reportv1.FeatureUsage{
				Module: module, Feature: feature, Uses: u.GetUses(), Users: u.GetUsers(), NonUsers: u.GetNonUsers(),
				DaysUsed: u.GetDaysUsed(), UserDays: u.GetUserDays(), LastUse: u.GetLastUse(),
			}
			if n := u.GetUserDays(); n > 0 {
				line.UsesPerUserDay = float64(sum(those(of, func(f fact) bool { return f.user != "" }), uses)) / float64(n)
			}
			report.Features = append(report.Features, line)
		}
	}
	return report
}

// nonUsers returns the users of an account who did not use what is asked for.
func (o oracle) nonUsers(r *reportv1.ListNonUsersRequest) []string {
	used := those(o.facts(), func(f fact) bool {
		return within(r.GetAccountId(), r.GetFromDay(), r.GetToDay())(f) && f.uses+f.duration > 0
	})
	members := o.members(r.GetAccountId())
	for _, id := range distinct(used, user) {
		members[id] = true
	}
	for _, f := range used {
		if (r.Module == nil || f.module == r.GetModule()) && (r.Feature == nil || f.feature == r.GetFeature()) {
			delete(members, f.user)
		}
	}
	return slices.Sorted(maps.Keys(members))
}

func usage(members map[string]bool, used []fact) *reportv1.Usage {
	users, days, pairs := distinct(used, user), distinct(used, date), distinct(used, pair)
	u := &reportv1.Usage{
		Duration: ms(sum(used, duration)), Active: ms(sum(used, active)), Uses: sum(used, uses), Users: int64(len(users)),
		NonUsers: int64(len(members) - len(users)), DaysUsed: int64(len(days)), UserDays: int64(len(pairs)),
	}
	if len(days) > 0 {
		u.LastUsedDay = days[len(days)-1]
	}
	if n := int64(len(pairs)); n > 0 {
		byUsers := those(used, func(f fact) bool { return f.user != "" })
		u.DurationPerUserDay, u.ActivePerUserDay = ms(sum(byUsers, duration)/n), ms(sum(byUsers, active)/n)
	}
	var last int64 = -1
	for _, f := range those(used, func(f fact) bool { return f.uses > 0 }) {
		last = max(last, f.ms)
	}
	if last >= 0 {
		u.LastUse = timestamppb.New(time.UnixMilli(last))
	}
	return u
}

// back returns the day n days before another.
func back(day string, n int) string {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		panic(err)
	}
	return t.AddDate(0, 0, -n).Format(time.DateOnly)
}

func (o oracle) overview(account, asOf string, days, top int) *reportv1.GetAccountOverviewResponse {
	facts := o.facts()
	count := func(n int) int64 {
		return int64(len(distinct(those(facts, within(account, back(asOf, n-1), asOf)), user)))
	}
	from := back(asOf, days-1)
	used := o.accountUsage(account, from, asOf)
	want := &reportv1.GetAccountOverviewResponse{
		AsOfDay: asOf, Total: used.GetTotal(), ActiveUsers_1D: count(1), ActiveUsers_7D: count(7), ActiveUsers_30D: count(30),
	}
	if seen := distinct(those(facts, within(account, "", asOf)), date); len(seen) > 0 {
		want.FirstSeenDay, want.LastSeenDay = seen[0], seen[len(seen)-1]
	}
	for n := days - 1; n >= 0; n-- {
		on := those(facts, within(account, back(asOf, n), back(asOf, n)))
		want.Days = append(want.Days, &reportv1.DayActivity{
			Day: back(asOf, n), Duration: ms(sum(on, duration)), Active: ms(sum(on, active)), Uses: sum(on, uses),
			Users: int64(len(distinct(on, user))),
		})
	}
	slices.SortStableFunc(used.Modules, func(a, b *reportv1.ModuleUsage) int {
		x, y := a.GetUsage(), b.GetUsage()
		return cmp.Or(cmp.Compare(y.GetActive().AsDuration(), x.GetActive().AsDuration()), cmp.Compare(y.GetUses(), x.GetUses()))
	})
	slices.SortStableFunc(used.Features, func(a, b *reportv1.FeatureUsage) int { return cmp.Compare(b.GetUses(), a.GetUses()) })
	want.TopModules = used.Modules[:min(top, len(used.Modules))]
	want.TopFeatures = used.Features[:min(top, len(used.Features))]
	return want
}

// activity returns the rows of all accounts, by id.
func (o oracle) activity(asOf string, days int) (rows []*reportv1.AccountActivity) {
	facts := o.facts()
	var accounts []string
	for _, c := range o {
		if c.GetAccountId() != "" {
			accounts = append(accounts, c.GetAccountId())
		}
	}
	slices.Sort(accounts)
	for _, account := range slices.Compact(accounts) {
		glance := o.overview(account, asOf, 1, 0)
		now := those(facts, within(account, back(asOf, days-1), asOf))
		before := those(facts, within(account, back(asOf, 2*days-1), back(asOf, days)))
		row := &reportv1.AccountActivity{
			LastSeenDay:    glance.GetLastSeenDay(),
			ActiveUsers_1D: glance.GetActiveUsers_1D(), ActiveUsers_7D: glance.GetActiveUsers_7D(), ActiveUsers_30D: glance.GetActiveUsers_30D(),
			Duration: ms(sum(now, duration)), Active: ms(sum(now, active)), Uses: sum(now, uses),
			DurationBefore: ms(sum(before, duration)), ActiveBefore: ms(sum(before, active)), UsesBefore: sum(before, uses),
			TimeChange: ratio(sum(now, duration), sum(before, duration)), UsesChange: ratio(sum(now, uses), sum(before, uses)),
			Account: &identityv1.Account{AccountId: account},
		}
		rows = append(rows, row)
	}
	return rows
}

func ratio(now, before int64) *float64 {
	if before == 0 {
		return nil
	}
	r := float64(now-before) / float64(before)
	return &r
}

func (o oracle) unattributed(from, to string) *reportv1.GetUnattributedResponse {
	none := those(o.facts(), func(f fact) bool { return within("", from, to)(f) && f.uses+f.duration > 0 })
	want := &reportv1.GetUnattributedResponse{}
	share := func(wanted func(candidates int, user string) bool) *reportv1.Unattributed {
		of := those(none, func(f fact) bool { return wanted(len(o.candidates(f.user)), f.user) })
		return &reportv1.Unattributed{
			Uses: sum(of, uses), Duration: ms(sum(of, duration)), Active: ms(sum(of, active)), Users: int64(len(distinct(of, user))),
		}
	}
	want.NoUser = share(func(_ int, user string) bool { return user == "" })
	want.Unknown = share(func(n int, user string) bool { return user != "" && n == 0 })
	want.Ambiguous = share(func(n int, _ string) bool { return n > 1 })
	for _, id := range distinct(none, user) {
		of := those(none, func(f fact) bool { return f.user == id })
		u := &reportv1.UnattributedUser{
			UserId: id, Uses: sum(of, uses), Duration: ms(sum(of, duration)), Active: ms(sum(of, active)),
			Reason: identityv1.Resolution_RESOLUTION_UNKNOWN,
		}
		if candidates := o.candidates(id); len(candidates) > 0 {
			u.Reason, u.Candidates = identityv1.Resolution_RESOLUTION_AMBIGUOUS, candidates
		}
		want.Users = append(want.Users, u)
	}
	slices.SortStableFunc(want.Users, func(a, b *reportv1.UnattributedUser) int {
		return cmp.Or(cmp.Compare(b.GetUses(), a.GetUses()), cmp.Compare(b.GetDuration().AsDuration(), a.GetDuration().AsDuration()))
	})
	return want
}
