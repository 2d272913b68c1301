// Package activity holds what an account did in the form that reports are made of: amounts, which can be added, and marks of who was there
// on which day, from which distinct users and days can be counted, whatever else tells of them too.
package activity

import (
	"github.com/sojournhq/sojourn/internal/domain/day"
)

// Query asks what an account did over a span of days, from a user on.
type Query struct {
	AccountID string
	Days      day.Span
	// ByModule says whether to tell modules and features apart.
	ByModule bool
	// From is the Next of the page before; 0 for the first.
	From uint32
	// MaxMarks is how many marks the page ends with; 0: 200,000.
	MaxMarks int
}

// Activity is what some users did. Modules, features and places are named by their place in the lists.
type Activity struct {
	Modules  []Module
	Features []Feature
	Days     []Amount // in order
	Places   []Place
	// UserIDs are those who did something, empty text nobody that is known, and UserMarks how many marks each has; those of the first come
	// first.
	UserIDs   []string
	UserMarks []uint32
	// MarkPlaces and MarkDays are the place of each mark, and its days.
	MarkPlaces []uint32
	MarkDays   []uint64
	// Next is where the next page begins, 0 if there is none. Each user is on one page alone.
	Next uint32
}

// Module is time spent in one module, and what of it users spent.
type Module struct {
	Module                       string
	DurationMS, ActiveMS         int64
	UserDurationMS, UserActiveMS int64
}

// Feature is what was used of one feature.
type Feature struct {
	Module                          uint32
	Feature                         string
	Uses, UserUses, Users, UserDays int64
	Days                            []Days // in order
	LastMS                          int64
}

// Days is a set of 64 days that begin with day 64·Block: bit n is day n of them.
type Days struct {
	Block uint32
	Bits  uint64
}

// Amount is what was done on one day.
type Amount struct {
	Day                        day.Day
	Uses, DurationMS, ActiveMS int64
}

// Place is 64 days in a module, as in Days. Where Visit is set, nothing was used on the days that are marked, and no time spent.
type Place struct {
	Module, Block uint32
	Visit         bool
}

// blockDays is how many days a mark holds.
const blockDays = 64

// split returns the block that a day lies in, and its bit there.
func split(d day.Day) (block uint32, bit uint64) { return uint32(d) / blockDays, 1 << (d % blockDays) }
