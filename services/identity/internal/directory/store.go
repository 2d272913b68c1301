// Package directory is the domain of the identity service: the ledger that knows every call, the users and accounts that calls told of,
// and the books of what became of each call.
package directory

import (
	"context"
	"errors"

	"github.com/sojournhq/sojourn/internal/domain/attribution"
	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/services/identity/internal/profile"
)

// ErrNotFound says that no call named what was asked for.
var ErrNotFound = errors.New("not found")

// Store keeps the ledger, the users, the accounts and the books. All methods may be called from many goroutines. Reads see every write
// that was acknowledged before they began. A workspace for which nothing was recorded is empty, not an error.
type Store interface {
	// Record enters a batch of one workspace in one transaction, all or nothing, and returns once it is durable, with one result for
	// each call. A call is new if the ledger has none with its own timestamp and messageId; only a new one has effects on users,
	// accounts and what is known of which user belongs to which account. Every call, rejection and filtered call counts once in the
	// books. Recording is idempotent but for the counts of duplicates and filtered calls, and what it leaves depends neither on the order
	// of calls nor on their grouping.
	//
	// Rejections are kept to be looked at as well, the last MaxKept of those received at b.KeepFromMS or after it: older ones are removed.
	// One that comes again moves to the front. Not kept are those that name a user who is deleted at their time, nor, from a deletion on,
	// those kept before.
	Record(ctx context.Context, workspace string, b Batch) (Recorded, error)

	// DeleteUser removes what calls of a user at a time, in milliseconds, or before told of it, in every account, and of its links, and
	// remembers that such calls tell nothing of it any more. What they told of accounts stays. Of the rejections that are kept it removes
	// those that name the user, unless it is readable that they are of a later time. It is idempotent.
	DeleteUser(ctx context.Context, workspace, userID string, untilMS int64) (Deleted, error)

	// User returns all listings of one user id, in order of account.
	User(ctx context.Context, workspace, userID string) ([]User, error)

	// Users returns at most limit users, in order of UserKey, from the first after `after`; the zero key is before all. With an account,
	// only those listed under it; empty text asks for those whose account is unknown or ambiguous.
	Users(ctx context.Context, workspace string, account *string, after UserKey, limit int) ([]User, error)

	// UserIDs returns the ids of at most limit users listed under an account, in order, from the first after `after`.
	UserIDs(ctx context.Context, workspace, accountID, after string, limit int) ([]string, error)

	// EachUser calls do with every user listed under an account, in order of user id, each once. It reads in several short transactions:
	// who comes to belong to the account or leaves it meanwhile may be missed or not. Do must be quick and must not use the store.
	EachUser(ctx context.Context, workspace, accountID string, do func(*User)) error

	// Account returns one account, or ErrNotFound.
	Account(ctx context.Context, workspace, accountID string) (Account, error)

	// Accounts returns at most limit accounts, complete or not, in order of id, from the first after `after`.
	Accounts(ctx context.Context, workspace, after string, limit int) ([]Account, error)

	// Resolve says which account the calls of a user belong to that name none.
	Resolve(ctx context.Context, workspace, userID string) (attribution.Resolution, error)

	// Unattributed returns at most limit users some of whose calls belong to no account, in order of user id, from the first after
	// `after`. With a reason, Unknown or Ambiguous, only those who have it.
	Unattributed(ctx context.Context, workspace string, reason *attribution.State, after string, limit int) ([]Unattributed, error)

	// Books returns the books of a workspace, by source, then type.
	Books(ctx context.Context, workspace string) ([]Book, error)

	// Kept calls do with the rejections that are kept, the latest first, from the first with a number below `before`, 0: from the latest,
	// until do says that it wants no more. Do must be quick and must not use the store.
	Kept(ctx context.Context, workspace string, before uint64, do func(*Kept) (more bool)) error

	// TrimKept removes at most limit kept rejections that were received before a time, the oldest first, and returns how many.
	TrimKept(ctx context.Context, workspace string, beforeMS int64, limit int) (int, error)

	// Workspaces returns the workspaces that anything was ever recorded for, by name.
	Workspaces(ctx context.Context) ([]string, error)

	// Close waits for writes under way and releases the store. Nothing may be called after it.
	Close() error
}

// Deleted counts what a deletion removed: listings of the user by account that calls named, links, and rejections that were kept.
type Deleted struct{ Users, Links, Kept int64 }

// Result is what became of a call.
type Result struct {
	// Outcome is Accepted, Duplicate or Conflict.
	Outcome call.Outcome
	// TimeMS is the event time to go on with: that of the copy that came first.
	TimeMS int64
}

// Account is an account with its raw fields.
type Account struct {
	AccountID string
	Fields    []profile.Field
}

// Book counts what became of the calls of one source and type.
type Book struct {
	Source, Type        string
	Accepted, Duplicate int64
	// Filtered calls are not remembered: each copy of one is counted.
	Filtered int64
	// Rejected by the code of the reason.
	Rejected map[string]int64
}
