// Package usage is the domain of the events service: uses of features, and what they add up to.
package usage

import (
	"cmp"
	"context"

	"github.com/sojournhq/sojourn/internal/domain/activity"
	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/day"
)

// Store keeps uses of features and what they add up to. All methods may be called from many goroutines. Reads see every write that was
// acknowledged before they began. A workspace in which nothing was recorded is empty, not an error.
type Store interface {
	// Record stores, in one transaction, every call that names a feature as one use of it, unless it is there already, and what all calls
	// say about users and accounts. It returns once everything is durable, with one outcome for each call. It is idempotent, and the
	// state that it leaves does not depend on the order of calls or on their grouping.
	Record(ctx context.Context, workspace string, calls []call.Call) ([]call.Outcome, error)

	// Events returns at most limit uses that match the filter, in order of position, from the first after `after` (nil: from the first).
	Events(ctx context.Context, workspace string, f Filter, after *call.Position, limit int) ([]Event, error)

	// Usage returns the sums of at most limit groups that the query asks for, in order of Group, from the first after `after` (nil: from
	// the first). Of one account by user, a page costs what its own users' rows cost; any other query is added up whole for each page.
	Usage(ctx context.Context, workspace string, q Query, after *Group, limit int) ([]Row, error)

	// Activity returns a page of what an account did. It costs what the rows of the page's users cost, and what it takes to know who
	// belongs to the account.
	Activity(ctx context.Context, workspace string, q activity.Query) (*activity.Activity, error)

	// DeleteUser removes the uses by a user at a time, in milliseconds, or before, and what the links say of the user up to then, and
	// remembers to drop such calls. It is idempotent and does a bounded part: more says that it is to be called again.
	DeleteUser(ctx context.Context, workspace, userID string, untilMS int64) (removed Deleted, more bool, err error)

	// Close waits for writes under way and releases the store. Nothing may be called after it.
	Close() error
}

// Deleted counts what a deletion removed.
type Deleted struct{ Events, Links int64 }

// Event is one use of a feature, with its account as resolved when it was read.
type Event struct {
	call.Position

	Feature, Module, UserID, AccountID string
}

// Filter selects uses; all conditions that are not nil must hold, and empty text matches uses that have none.
type Filter struct {
	AccountID, UserID, Module, Feature *string
	// The use happened at or after FromMS and before ToMS.
	FromMS, ToMS int64
}

// Column is something to group usage by.
type Column int8

// The columns, in the order in which they sort.
const (
	ByAccount Column = iota
	ByUser
	ByModule
	ByFeature
	ByDay
	columns
)

// Query selects and groups usage; all conditions that are not nil must hold, and empty text matches uses that have none.
type Query struct {
	Days                               day.Span
	AccountID, UserID, Module, Feature *string
	// By says which columns to group by.
	By [columns]bool
}

// Group is the values of the columns grouped by; the others are zero.
type Group struct {
	AccountID, UserID, Module, Feature string
	Day                                day.Day
}

// Compare orders groups by account, user, module, feature and day.
func (g Group) Compare(other Group) int {
	return cmp.Or(
		cmp.Compare(g.AccountID, other.AccountID),
		cmp.Compare(g.UserID, other.UserID),
		cmp.Compare(g.Module, other.Module),
		cmp.Compare(g.Feature, other.Feature),
		cmp.Compare(g.Day, other.Day),
	)
}

// Row is the usage of one group. Users are distinct (account, userId) pairs with a userId.
type Row struct {
	Group

	Uses, Users, DaysUsed int64
	FirstMS, LastMS       int64
}
