package report

import (
	"math/bits"

	"github.com/sojournhq/sojourn/internal/domain/day"
)

// presence is on which days of one block a user was seen, whether anything was used or not.
type presence struct {
	user  int // number; of nobody that is known: nobody
	block uint32
	days  uint64
}

// nobody is in place of a user's number.
const nobody = -1

// presences are those of one user after those of another.
type presences []presence

// users counts the users who were seen on a day or later.
func (ps presences) users(from day.Day) (n int64) {
	last := nobody
	for _, p := range ps {
		if p.user != nobody && p.user != last && since(p.block, p.days, from) != 0 {
			last = p.user
			n++
		}
	}
	return n
}

// byDay counts the users who were seen on each day.
func (ps presences) byDay() map[day.Day]int64 {
	counts := map[day.Day]int64{}
	for _, p := range ps {
		if p.user == nobody {
			continue
		}
		for set := p.days; set != 0; set &= set - 1 {
			counts[day.Day(p.block*blockDays)+day.Day(bits.TrailingZeros64(set))]++
		}
	}
	return counts
}

// last returns the last day on which anybody was seen; there is one.
func (ps presences) last() (last day.Day) {
	for _, p := range ps {
		last = max(last, lastOf(p.block, p.days))
	}
	return last
}

// seen is when somebody of an account was there, whether anything was used or not.
type seen struct {
	firstDay, lastDay string // empty: never
}

// whenSeen returns the first and last day of parts that tell days apart.
func whenSeen(parts []part) (s seen) {
	for i := range parts {
		p := &parts[i]
		if s.firstDay == "" || p.day < s.firstDay {
			s.firstDay = p.day
		}
		s.lastDay = max(s.lastDay, p.day)
	}
	return s
}
