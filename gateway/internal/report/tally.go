package report

import (
	"time"
)

// amount is how much was done.
type amount struct {
	uses             int64
	duration, active time.Duration
}

func (a *amount) add(b amount) {
	a.uses += b.uses
	a.duration += b.duration
	a.active += b.active
}

// tally is how much of something was used, by how many users on which days.
type tally struct {
	all, byUsers    amount // byUsers leaves out what nobody did who is known
	users, userDays int64  // userDays are pairs of a user and a day
	days            days
	lastUse         time.Time // zero: none
}

func (t *tally) usedAt(at time.Time) {
	if at.After(t.lastUse) {
		t.lastUse = at
	}
}

// perUserDay divides time by the number of pairs of a user and a day; n is not 0.
func perUserDay(d time.Duration, n int64) time.Duration {
	return (d / time.Duration(n)).Truncate(time.Millisecond)
}
