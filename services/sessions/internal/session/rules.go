// Package session is the domain of the sessions service: how points of activity become sessions, and how long people stayed where.
//
// Segment does not know time, so it is estimated. All points of one workspace and one anonymousId, in order of (event time, messageId),
// are walked once; where a session starts, what belongs to it and how long it lasted follow from the points alone. The walk can be
// resumed at any session's first point, because nothing before a session's start has any influence on what comes after it.
//
// The rules are numbered as in docs/semantics.md under "Sessions and time". Each stands in one place.
package session

import (
	"github.com/sojournhq/sojourn/internal/domain/call"
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
	// MaxMS is the longest a session may last: at most a day, so that a session touches at most two days.
	MaxMS int64
}

// DefaultRules returns a timeout of 30 minutes, an idle cap of 5 minutes and a maximum of 24 hours.
func DefaultRules() Rules {
	const minute = 60_000
	return Rules{TimeoutMS: 30 * minute, IdleCapMS: 5 * minute, MaxMS: 24 * 60 * minute}
}

// Session is a session as far as it has been walked. How long it stayed where is in its Parts.
type Session struct {
	// Start and End are the positions of its first and last point.
	Start, End call.Position
	// User and Account are those of the first point that has one.
	User, Account Name
	// Points is how many points it consists of.
	Points int64
	// Module is the module current at its last point.
	Module Name
}

// Begin returns the session that starts with p, and adds to parts what p is.
func Begin(p Point, parts Parts) Session {
	parts.addPoints(p.Module, p.TimeMS, 1)
	return Session{Start: p.Position, End: p.Position, User: p.User, Account: p.Account, Points: 1, Module: p.Module}
}

// Continues says whether p, the next point after s.End, belongs to s (rule 1). It does not when the pause is longer than the timeout,
// when p names another user or account than s has, or when it lies more than the maximum after the start.
func (r Rules) Continues(s *Session, p Point) bool {
	return p.TimeMS-s.End.TimeMS <= r.TimeoutMS &&
		p.TimeMS-s.Start.TimeMS <= r.MaxMS &&
		s.Admits(p)
}

// Admits says whether p names no other user and no other account than s has. A late point within s, between its first and its last, that
// s admits leaves s as it is but for its times: it only divides a pause, so it moves no end of any session.
func (s *Session) Admits(p Point) bool {
	return !differ(p.User, s.User) && !differ(p.Account, s.Account)
}

// differ says whether two names are both known and not the same.
func differ(a, b Name) bool { return a != 0 && b != 0 && a != b }

// Extend adds p, which continues s, to s and to parts. The stretch up to p belongs to the module that was current before it (rule 3).
func (r Rules) Extend(s *Session, parts Parts, p Point) {
	r.spend(parts, s.Module, s.End.TimeMS, p.TimeMS, 1)
	s.End = p.Position
	s.count(p)
	if p.Module != 0 {
		s.Module = p.Module
	}
	parts.addPoints(s.Module, p.TimeMS, 1)
}

// Insert adds to s a late point p within it, which s admits, and to parts by how much they change. Before is the point in front of it,
// current the module current there, and after the points behind it: one, or if p names another module than the current, all up to the
// first that names one or to the end of s.
func (r Rules) Insert(s *Session, parts Parts, before Point, current Name, p Point, after []Point) {
	module := current
	if p.Module != 0 {
		module = p.Module
	}
	r.spend(parts, current, before.TimeMS, after[0].TimeMS, -1)
	r.spend(parts, current, before.TimeMS, p.TimeMS, 1)
	s.count(p)
	parts.addPoints(module, p.TimeMS, 1)
	r.spend(parts, module, p.TimeMS, after[0].TimeMS, 1)
	if module == current {
		return
	}
	// The points behind it, up to the next that names a module, find another one current than before.
	for i, a := range after {
		if a.Module != 0 {
			return
		}
		parts.addPoints(current, a.TimeMS, -1)
		parts.addPoints(module, a.TimeMS, 1)
		if i+1 < len(after) {
			r.spend(parts, current, a.TimeMS, after[i+1].TimeMS, -1)
			r.spend(parts, module, a.TimeMS, after[i+1].TimeMS, 1)
		}
	}
	s.Module = module // none of them names one, so they reach to the end
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

// spend adds a stretch to a module's time, or with sign -1 takes it away.
func (r Rules) spend(parts Parts, module Name, fromMS, toMS, sign int64) {
	for piece := range r.divide(fromMS, toMS) {
		parts.add(module, piece.day, Amount{DurationMS: sign * piece.durationMS, ActiveMS: sign * piece.activeMS})
	}
}

// DurationMS is the time from the first point to the last (rule 2). It is the sum of its parts' durations.
func (s *Session) DurationMS() int64 { return s.End.TimeMS - s.Start.TimeMS }

// EndedBy says whether the session has ended at a time: once it is past the last point plus the timeout (rule 5).
func (r Rules) EndedBy(s *Session, nowMS int64) bool { return nowMS > s.End.TimeMS+r.TimeoutMS }
