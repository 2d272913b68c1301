// Package bolt keeps the directory in a bbolt file.
//
// Each workspace has a bucket of its own with all its tables, so that equal ids in two workspaces can never meet.
package bolt

import (
	"context"

	"github.com/sojournhq/sojourn/internal/domain/attribution"
	"github.com/sojournhq/sojourn/internal/domain/attribution/boltlinks"
	"github.com/sojournhq/sojourn/internal/domain/deletion"
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/services/identity/internal/directory"
)

// Kind and Format are what the file says of itself.
const (
	Kind   = "identity"
	Format = 3
)

var (
	workspacesBucket = []byte("workspaces")

	ledgerTable     = []byte("ledger")     // own time, messageId → LedgerRow
	rejectionsTable = []byte("rejections") // fingerprint, source → RejectionRow
	keptTable       = []byte("kept")       // number → KeptRow
	booksTable      = []byte("books")      // source, type → BookRow
	linksTable      = []byte("links")      // boltlinks
	usersTable      = []byte("users")      // user, account that calls named → UserRow
	accountsTable   = []byte("accounts")   // account → AccountRow
	tombstonesTable = []byte("tombstones") // deletion
)

var allTables = [][]byte{
	ledgerTable, rejectionsTable, keptTable, booksTable, linksTable, usersTable, accountsTable, tombstonesTable,
}

// Store is a directory.Store in one bbolt file.
type Store struct{ db *boltdb.DB }

var _ directory.Store = (*Store)(nil)

// Mark adds to options what kind of file the store's is, and which formats it reads. Files of format 1 are what those of format 2 are when
// they are closed; in between format 2 has a log beside them.
func Mark(o boltdb.Options) boltdb.Options {
	o.Kind, o.Format, o.Upgrades = Kind, Format, map[uint32]boltdb.Upgrade{1: nil, 2: nil}
	return o
}

// Open opens or makes the file that the options name; kind and format are the store's own.
func Open(o boltdb.Options) (*Store, error) {
	o = Mark(o)
	db, err := boltdb.Open(o)
	if err != nil {
		return nil, err
	}
	return &Store{db: db}, nil
}

// File returns the file that the store keeps everything in, for copies of it.
func (s *Store) File() *boltdb.DB { return s.db }

// Workspaces returns the names of the workspaces that a store's file has anything of.
func Workspaces(file *boltdb.DB) ([]string, error) { return file.Buckets(workspacesBucket) }

// Close implements directory.Store.
func (s *Store) Close() error { return s.db.Close() }

// tables are one workspace's tables, for the life of one transaction.
type tables struct {
	ledger, rejections, books, users, accounts *boltdb.Bucket
	kept                                       kept
	links                                      boltlinks.Links
	gone                                       deletion.Tombstones
	// resolver remembers what it found, so it is for transactions that learn nothing.
	resolver *attribution.Resolver
}

// writable returns the workspace's tables, making them if need be.
func writable(tx *boltdb.Tx, workspace string) (*tables, error) {
	mine, err := boltdb.Make(tx, [][]byte{workspacesBucket, []byte(workspace)}, allTables...)
	if err != nil {
		return nil, err
	}
	return open(mine), nil
}

func open(mine *boltdb.Bucket) *tables {
	links := boltlinks.In(mine.Bucket(linksTable))
	return &tables{
		ledger:     mine.Bucket(ledgerTable),
		rejections: mine.Bucket(rejectionsTable),
		kept:       kept{mine.Bucket(keptTable)},
		books:      mine.Bucket(booksTable),
		users:      mine.Bucket(usersTable),
		accounts:   mine.Bucket(accountsTable),
		links:      links,
		gone:       deletion.In(mine.Bucket(tombstonesTable)),
		resolver:   attribution.NewResolver(links),
	}
}

// view runs fn in a short read transaction on the workspace's tables. It does not run if nothing was ever recorded in the workspace.
func (s *Store) view(ctx context.Context, workspace string, fn func(*tables) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.db.View(func(tx *boltdb.Tx) error {
		if mine := boltdb.Find(tx, workspacesBucket, []byte(workspace)); mine != nil {
			return fn(open(mine))
		}
		return nil
	})
}

// Workspaces implements directory.Store.
func (s *Store) Workspaces(ctx context.Context) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return Workspaces(s.db)
}
