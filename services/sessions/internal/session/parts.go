package session

import (
	"cmp"
	"iter"
	"math"

	"github.com/sojournhq/sojourn/internal/domain/day"
)

// AllModules is, in place of a module, all modules together.
const AllModules Name = math.MaxUint32

// Part names a part of a session: one module, or AllModules, on one UTC day.
type Part struct {
	Module Name
	Day    day.Day
}

// Compare orders parts by module and day.
func (p Part) Compare(q Part) int {
	return cmp.Or(cmp.Compare(p.Module, q.Module), cmp.Compare(p.Day, q.Day))
}

// Amount is how much of a session is in a part.
type Amount struct {
	DurationMS, ActiveMS int64
	// Points is how many points found the module current.
	Points int64
}

// Plus returns the sum of two amounts.
func (a Amount) Plus(b Amount) Amount {
	return Amount{a.DurationMS + b.DurationMS, a.ActiveMS + b.ActiveMS, a.Points + b.Points}
}

// Minus returns the difference of two amounts.
func (a Amount) Minus(b Amount) Amount {
	return Amount{a.DurationMS - b.DurationMS, a.ActiveMS - b.ActiveMS, a.Points - b.Points}
}

// Present says whether the session was there: had a point, or time running.
func (a Amount) Present() bool { return a.Points > 0 || a.DurationMS > 0 }

// Parts holds a session's parts, or by how much they change. What is zero is left out. The parts of AllModules are the sums of the others.
type Parts map[Part]Amount

func (ps Parts) add(module Name, d day.Day, a Amount) {
	ps.Add(Part{module, d}, a)
	ps.Add(Part{AllModules, d}, a)
}

func (ps Parts) addPoints(module Name, ms, points int64) {
	ps.add(module, day.Of(ms), Amount{Points: points})
}

// Add adds to one part alone.
func (ps Parts) Add(p Part, a Amount) {
	sum := ps[p].Plus(a)
	if sum == (Amount{}) {
		delete(ps, p)
		return
	}
	ps[p] = sum
}

// piece is the part of a stretch that lies in one UTC day.
type piece struct {
	day                  day.Day
	durationMS, activeMS int64
}

// divide cuts the stretch from one time to a later one at every midnight UTC (rule 7). The active part of a stretch is its beginning
// (rule 4): someone who pauses was active until the idle cap, then away. A stretch without length has no pieces.
func (r Rules) divide(fromMS, toMS int64) iter.Seq[piece] {
	return func(yield func(piece) bool) {
		activeUntil := min(toMS, fromMS+r.IdleCapMS)
		for at := fromMS; at < toMS; {
			today := day.Of(at)
			end := min(toMS, (today + 1).StartMS())
			if !yield(piece{today, end - at, max(0, min(end, activeUntil)-at)}) {
				return
			}
			at = end
		}
	}
}
