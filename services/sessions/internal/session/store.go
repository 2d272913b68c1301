package session

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"

	"github.com/sojournhq/sojourn/internal/domain/activity"
	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/day"
)

// Errors that callers tell apart.
var (
	// ErrNotFound says that there is no session with the id asked for.
	ErrNotFound = errors.New("no such session")
	// ErrCursor says that the feed does not reach back to a cursor, or not up to it.
	ErrCursor = errors.New("the feed does not reach to the cursor: list the sessions anew and watch from now")
)

// Store keeps the points of activity and the sessions that follow from them. All methods may be called from many goroutines. Reads see
// every write that was acknowledged before they began. A workspace in which nothing was recorded is empty, not an error.
type Store interface {
	// Record stores, in one transaction, every call that has an anonymousId as a point, unless it is there already, and what all calls
	// say about users and accounts, and brings the sessions up to date. It returns once everything is durable, with one outcome for
	// each call. It is idempotent, and the state that it leaves does not depend on the order of calls or on their grouping.
	Record(ctx context.Context, workspace string, calls []call.Call) ([]call.Outcome, error)

	// DeleteUser removes the points that name a user and lie at a time, in milliseconds, or before, and what the links and the feed say of
	// the user up to then, and remembers to drop such calls. Sessions become those of the points that remain; of those told before that
	// are no more the feed tells so. It is idempotent and does a bounded part: more says that it is to be called again.
	DeleteUser(ctx context.Context, workspace, userID string, untilMS, nowMS int64) (removed Deleted, more bool, err error)

	// Session returns one session as it is at nowMS, or ErrNotFound.
	Session(ctx context.Context, workspace string, id ID, nowMS int64) (View, error)

	// Sessions returns at most limit sessions that match the filter, in order of First, from the first after `after` (nil: from the first).
	Sessions(ctx context.Context, workspace string, f Filter, after *First, limit int) ([]View, error)

	// Time returns the time of all groups that the query asks for, in order of Group.
	Time(ctx context.Context, workspace string, q TimeQuery) ([]TimeRow, error)

	// Activity returns a page of what an account did. It costs what the rows of the page's users cost, and what it takes to know who
	// belongs to the account.
	Activity(ctx context.Context, workspace string, q activity.Query) (*activity.Activity, error)

	// Changes returns at most limit changes of the feed behind a cursor, the zero Cursor standing before the oldest that is kept, and a
	// channel that is closed when there may be more. ErrCursor: changes behind the cursor are missing.
	Changes(ctx context.Context, workspace string, after Cursor, limit int) (changes []Change, more <-chan struct{}, err error)

	// Newest returns the cursor behind the last change of the feed.
	Newest(ctx context.Context, workspace string) (Cursor, error)

	// Rebuild walks points again from where the one before it got to (nil: from the first), under the rules of now, replaces what comes
	// out otherwise, and repairs daily sums. It does some of it: points of a bounded number, or the sums of some users, but those of one
	// user of one account at once. Next is nil when all is done.
	Rebuild(ctx context.Context, workspace string, from []byte) (done Rebuilt, next []byte, err error)

	// Close waits for writes under way and releases the store. Nothing may be called after it.
	Close() error

	Upkeep
}

// Upkeep is what a store needs to have done from time to time.
type Upkeep interface {
	// EndDue ends at most limit sessions whose timeout has passed at nowMS and tells of them in the feed, in one transaction, and returns
	// how many timers it looked at. Fewer than limit means that none was due any more when it began. A session that cannot be read costs
	// only itself: the others are ended, and the error says so. Timers are durable with the sessions they are for.
	EndDue(ctx context.Context, nowMS int64, limit int) (looked int, err error)

	// MendTimers looks at most limit sessions from where the one before it got to (nil: from the first) and sets the timers that are
	// missing, or stand for a later end than the session's. Next is nil when all were looked at.
	MendTimers(ctx context.Context, from []byte, limit int) (mended int, next []byte, err error)

	// NeedsMending says whether rules have changed since timers were last looked at from the first session on, so that some may be late.
	NeedsMending() bool

	// FirstDue returns when the first timer is due, in milliseconds, or 0 if there is none.
	FirstDue(ctx context.Context) (dueMS int64, err error)

	// CountTimers counts at most limit timers from where the one before it got to (nil: from the first). Next is nil when all were counted.
	CountTimers(ctx context.Context, from []byte, limit int) (counted int, next []byte, err error)

	// Trim removes at most limit changes from the feed that were told before a time, the oldest first, and returns how many.
	Trim(ctx context.Context, beforeMS int64, limit int) (removed int, err error)
}

// First is the first point of a session, which makes it that session.
type First struct {
	AnonymousID string
	Start       call.Position
}

// Compare orders sessions by start time, anonymousId and the first point.
func (f First) Compare(other First) int {
	return cmp.Or(
		cmp.Compare(f.Start.TimeMS, other.Start.TimeMS),
		cmp.Compare(f.AnonymousID, other.AnonymousID),
		f.Start.Compare(other.Start),
	)
}

// ID identifies a session: the time of its first point, and a digest of that point. It tells nobody's ids, so that it can be kept, and
// told to those who watch, when the session's calls are deleted.
type ID struct {
	StartMS int64
	Digest  [10]byte
}

// idBytes is the length of an id as bytes.
const idBytes = 8 + 10

// Bytes returns the id as ParseID reads it.
func (id ID) Bytes() []byte {
	return append(binary.BigEndian.AppendUint64(make([]byte, 0, idBytes), uint64(id.StartMS)), id.Digest[:]...)
}

// ParseID returns the id that Bytes wrote.
func ParseID(raw []byte) (id ID, ok bool) {
	if len(raw) != idBytes {
		return id, false
	}
	id.StartMS = int64(binary.BigEndian.Uint64(raw))
	copy(id.Digest[:], raw[8:])
	return id, true
}

// ID returns the id of the session.
func (f First) ID() ID {
	text := binary.BigEndian.AppendUint32(nil, uint32(len(f.AnonymousID)))
	text = append(append(text, f.AnonymousID...), f.Start.MessageID...)
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(text, uint64(f.Start.OriginalMS)))
	id := ID{StartMS: f.Start.TimeMS}
	copy(id.Digest[:], sum[:])
	return id
}

// View is a session with its names and with its account as resolved when it was read.
type View struct {
	First                First
	EndMS                int64
	UserID, AccountID    string
	DurationMS, ActiveMS int64
	Points               int64
	// Modules with time, by name; of more than MaxModules those with the longest durations.
	Modules []ModuleView
	// ModulesOmitted is how many more there are.
	ModulesOmitted int64
	Revision       int64
	// Ended says whether the timeout had passed when it was read.
	Ended bool
}

// MaxModules is how many modules of one session are listed at most.
const MaxModules = 1000

// ModuleView is time spent in one module, in milliseconds.
type ModuleView struct {
	Module               string
	DurationMS, ActiveMS int64
}

// Filter selects sessions; all conditions that are set must hold.
type Filter struct {
	// AccountID and UserID, when not nil, must match; empty text matches sessions that have none.
	AccountID, UserID *string
	// AnonymousID, when not empty, must match.
	AnonymousID string
	// The session starts at or after FromMS and before ToMS.
	FromMS, ToMS int64
	// Ended, when not nil, says whether the session must have ended at NowMS.
	Ended *bool
	// NowMS is the time at which View.Ended is decided.
	NowMS int64
}

// Column is something to group time by.
type Column int8

// The columns, in the order in which they sort.
const (
	ByAccount Column = iota
	ByUser
	ByModule
	ByDay
	columns
)

// TimeQuery selects and groups time.
type TimeQuery struct {
	Days day.Span
	// AccountID, UserID and Module, when not nil, must match; empty text matches what has none.
	AccountID, UserID, Module *string
	// By says which columns to group by.
	By [columns]bool
}

// Group is the values of the columns grouped by; the others are zero.
type Group struct {
	AccountID, UserID, Module string
	Day                       day.Day
}

// Compare orders groups by account, user, module and day.
func (g Group) Compare(other Group) int {
	return cmp.Or(
		cmp.Compare(g.AccountID, other.AccountID),
		cmp.Compare(g.UserID, other.UserID),
		cmp.Compare(g.Module, other.Module),
		cmp.Compare(g.Day, other.Day),
	)
}

// TimeRow is the time of one group. Sessions are counted once in every group in which they had a point or time running; users are
// distinct (account, userId) pairs with a userId.
type TimeRow struct {
	Group

	Sessions, Users      int64
	DurationMS, ActiveMS int64
}

// Cursor is a place in the feed of changes: behind the change of that number.
type Cursor struct {
	// Epoch tells one feed from another.
	Epoch, Number uint64
}

// Change is what the feed tells of one session.
type Change struct {
	// Cursor stands behind the change.
	Cursor Cursor
	// ID is that of the session.
	ID ID
	// Removed says that the session is no more, because its calls were deleted. Then of Session only Revision is set.
	Removed bool
	// Session is the session as it was told, with its account as resolved now.
	Session View
	// Replaces are sessions told before whose points belong to this one now, or did when it was told.
	Replaces []ID
}

// Deleted counts what a deletion removed. Sessions are those that are no more, or are others now.
type Deleted struct {
	Points, Sessions, Changes, Links int64
}

// Rebuilt counts what a rebuild did.
type Rebuilt struct {
	Points, SessionsChanged, SumsRepaired int64
}
