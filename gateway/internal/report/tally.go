package report

import "time"

// part is a piece of what somebody did, as one service tells of it: uses of features, or time.
type part struct {
	user, day, module, feature string

	uses              int64
	firstUse, lastUse time.Time // where there are uses

	duration, active time.Duration
}

// isUse says whether anything was used: a visit that takes no time is none.
func (p *part) isUse() bool { return p.uses > 0 || p.duration > 0 }

// set holds each text once.
type set map[string]struct{}

func (s set) add(text string) { s[text] = struct{}{} }

// amount is how much was done.
type amount struct {
	uses             int64
	duration, active time.Duration
}

func (a *amount) add(p *part) {
	a.uses += p.uses
	a.duration += p.duration
	a.active += p.active
}

// tally adds up parts, each user and each day once.
type tally struct {
	all, byUsers amount // byUsers leaves out what nobody did
	users, days  set
	userDays     map[[2]string]struct{}
	lastDay      string
	lastUse      time.Time // zero: none
}

func newTally() *tally {
	return &tally{users: set{}, days: set{}, userDays: map[[2]string]struct{}{}}
}

func (t *tally) add(p *part) {
	t.all.add(p)
	t.days.add(p.day)
	t.lastDay = max(t.lastDay, p.day)
	if p.uses > 0 && p.lastUse.After(t.lastUse) {
		t.lastUse = p.lastUse
	}
	if p.user == "" {
		return
	}
	t.byUsers.add(p)
	t.users.add(p.user)
	t.userDays[[2]string{p.user, p.day}] = struct{}{}
}

// tallies adds up parts by some key.
type tallies[Key comparable] map[Key]*tally

func (t tallies[Key]) add(key Key, p *part) {
	if t[key] == nil {
		t[key] = newTally()
	}
	t[key].add(p)
}

// perUserDay divides time by the number of pairs of a user and a day; n is not 0.
func perUserDay(d time.Duration, n int) time.Duration {
	return (d / time.Duration(n)).Truncate(time.Millisecond)
}
