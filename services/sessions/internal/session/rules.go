// Package session is the domain of the sessions service: how points of activity become sessions, and how long people stayed where.
//
// Segment does not know time, so it is estimated. All points of one workspace and one anonymousId, in order of (event time, messageId),
// are walked once; where a session starts, what belongs to it and how long it lasted follow from the points alone. The walk can be
// resumed at any session's first point, because nothing before a session's start has any influence on what comes after it.
package session

import (
	"cmp"
	"slices"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/day"
)

// Name stands for a user, an account or a module. The walk only asks whether two names are the same. 0 is no name.
type Name uint32

// Point is one call of an anonymousId: that someone was there, and what the call said of module, user and account.
type Point struct {
	call.Position

	Module, User, Account Name
}

// Rules are the settings that decide where sessions end and how pauses count. All in milliseconds.
type Rules struct {
	// TimeoutMS is the longest pause within a session.
	TimeoutMS int64
	// IdleCapMS is the most that a pause counts as active time.
	IdleCapMS int64
	// MaxMS is the longest a session may last.
	MaxMS int64
}

// DefaultRules returns a timeout of 30 minutes, an idle cap of 5 minutes and a maximum of 24 hours.
func DefaultRules() Rules {
	const minute = 60_000
	return Rules{TimeoutMS: 30 * minute, IdleCapMS: 5 * minute, MaxMS: 24 * 60 * minute}
}

// Session is a session as far as it has been walked.
type Session struct {
	// Start and End are the positions of its first and last point.
	Start, End call.Position
	// User and Account are those of the first point that has one.
	User, Account Name
	// Points is how many points it consists of.
	Points int64
	// Module is the module current at its last point.
	Module Name
	// Modules holds the time spent in each module where it is not zero, by ascending Name.
	Modules []ModuleTime
}

// ModuleTime is time spent in one module, in milliseconds.
type ModuleTime struct {
	Module               Name
	DurationMS, ActiveMS int64
}

// Begin returns the session that starts with p.
func Begin(p Point) Session {
	return Session{Start: p.Position, End: p.Position, User: p.User, Account: p.Account, Points: 1, Module: p.Module}
}

// Continues says whether p, the next point after s.End, belongs to s. It does not when the pause is longer than the timeout, when p
// names another user or account than s has, or when it lies more than the maximum after the start.
func (r Rules) Continues(s *Session, p Point) bool {
	return p.TimeMS-s.End.TimeMS <= r.TimeoutMS &&
		p.TimeMS-s.Start.TimeMS <= r.MaxMS &&
		!differ(p.User, s.User) &&
		!differ(p.Account, s.Account)
}

// Fits says whether a late point within s, between its first and its last, leaves s as it is but for its times: a point can only shorten
// pauses, so it moves no end of any session unless it names another user or account.
func (s *Session) Fits(p Point) bool { return !differ(p.User, s.User) && !differ(p.Account, s.Account) }

// differ says whether two names are both known and not the same.
func differ(a, b Name) bool { return a != 0 && b != 0 && a != b }

// Extend adds p, which continues s, to s. The stretch up to p belongs to the module that was current before it.
func (r Rules) Extend(s *Session, p Point) {
	r.spend(s, s.Module, s.End.TimeMS, p.TimeMS, 1)
	s.End = p.Position
	s.count(p)
	if p.Module != 0 {
		s.Module = p.Module
	}
}

// Insert adds to s a late point p that fits into it. Before is the point in front of it, current the module current there, and after the
// points behind it: one, or if p names another module than the current, all up to the first that names one or to the end of s.
func (r Rules) Insert(s *Session, before Point, current Name, p Point, after []Point) {
	r.spend(s, current, before.TimeMS, after[0].TimeMS, -1)
	r.spend(s, current, before.TimeMS, p.TimeMS, 1)
	s.count(p)
	module := current
	if p.Module != 0 {
		module = p.Module
	}
	r.spend(s, module, p.TimeMS, after[0].TimeMS, 1)
	if module == current {
		return
	}
	for i := range len(after) - 1 {
		r.spend(s, current, after[i].TimeMS, after[i+1].TimeMS, -1)
		r.spend(s, module, after[i].TimeMS, after[i+1].TimeMS, 1)
	}
	if after[len(after)-1].Module == 0 {
		s.Module = module
	}
}

// count adds what p is, apart from time.
func (s *Session) count(p Point) {
	s.Points++
	if s.User == 0 {
		s.User = p.User
	}
	if s.Account == 0 {
		s.Account = p.Account
	}
}

// spend adds a stretch to a module's time, or with sign -1 takes it away. A module without time is not listed.
func (r Rules) spend(s *Session, module Name, fromMS, toMS, sign int64) {
	if fromMS == toMS {
		return
	}
	i, found := slices.BinarySearchFunc(s.Modules, module, func(m ModuleTime, n Name) int { return cmp.Compare(m.Module, n) })
	if !found {
		s.Modules = slices.Insert(s.Modules, i, ModuleTime{Module: module})
	}
	s.Modules[i].DurationMS += sign * (toMS - fromMS)
	s.Modules[i].ActiveMS += sign * min(toMS-fromMS, r.IdleCapMS)
	if s.Modules[i].DurationMS == 0 {
		s.Modules = slices.Delete(s.Modules, i, i+1)
	}
}

// DurationMS is the time from the first point to the last. It is the sum of the modules' durations.
func (s *Session) DurationMS() int64 { return s.End.TimeMS - s.Start.TimeMS }

// ActiveMS is the duration with every stretch capped: the sum of the modules' active times.
func (s *Session) ActiveMS() (sum int64) {
	for _, m := range s.Modules {
		sum += m.ActiveMS
	}
	return sum
}

// EndedBy says whether the session has ended at a time: once it is past the last point plus the timeout.
func (r Rules) EndedBy(s *Session, nowMS int64) bool { return nowMS > s.End.TimeMS+r.TimeoutMS }

// Piece is the part of a stretch that lies in one UTC day.
type Piece struct {
	Day                  day.Day
	DurationMS, ActiveMS int64
}

// Divide cuts the stretch from one time to a later one at every midnight UTC. The active part of a stretch is its beginning: someone who
// pauses was active until the idle cap, then away. A stretch without length is one piece without length.
func (r Rules) Divide(fromMS, toMS int64) []Piece {
	activeUntil := min(toMS, fromMS+r.IdleCapMS)
	var pieces []Piece
	for at := fromMS; ; {
		today := day.Of(at)
		end := min(toMS, (today + 1).StartMS())
		pieces = append(pieces, Piece{Day: today, DurationMS: end - at, ActiveMS: max(0, min(end, activeUntil)-at)})
		if end >= toMS {
			return pieces
		}
		at = end
	}
}
