// Package bolt keeps usage in a bbolt file.
//
// Each workspace has a bucket of its own, so that equal ids in two workspaces can never meet. Events are under their own time and
// messageId, so writing one twice is writing it once; daily sums are kept in the same transaction as the events they count.
package bolt

import (
	"github.com/sojournhq/sojourn/internal/domain/attribution"
	"github.com/sojournhq/sojourn/internal/domain/attribution/boltlinks"
	"github.com/sojournhq/sojourn/internal/domain/deletion"
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/dict"
	"github.com/sojournhq/sojourn/internal/kit/memory"
	"github.com/sojournhq/sojourn/services/events/internal/usage"
)

// Kind and Format are what the file says of itself.
const (
	Kind   = "events"
	Format = 3
)

var (
	workspacesBucket = []byte("workspaces")

	namesTable  = []byte("names")  // dict
	linksTable  = []byte("links")  // boltlinks
	eventsTable = []byte("events") // time, messageId → EventRow
	usageTable  = []byte("usage")  // account, user, day, module, feature → UsageRow

	tombstonesTable = []byte("tombstones") // deletion
)

var allTables = [][]byte{namesTable, linksTable, eventsTable, usageTable, tombstonesTable}

// Kinds of names in the dictionary.
const (
	kindUser    = 'u'
	kindAccount = 'a'
	kindModule  = 'm'
	kindFeature = 'f'
)

// Store is a usage.Store in one bbolt file.
type Store struct {
	db *boltdb.DB
	// known has what transactions that write remember of a workspace. They alone use it, one after the other.
	known *memory.Table[string, *dict.Known]
}

var _ usage.Store = (*Store)(nil)

// Of so many workspaces so many names are remembered at most.
const (
	maxKnown = 64
	maxNames = 100_000
)

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
	return &Store{db: db, known: memory.New[string, *dict.Known](maxKnown)}, nil
}

// File returns the file that the store keeps everything in, for copies of it.
func (s *Store) File() *boltdb.DB { return s.db }

// Workspaces returns the names of the workspaces that a store's file has anything of.
func Workspaces(file *boltdb.DB) ([]string, error) { return file.Buckets(workspacesBucket) }

// Close implements usage.Store.
func (s *Store) Close() error { return s.db.Close() }

// tables are one workspace's tables, for the life of one transaction.
type tables struct {
	names  dict.Dict
	links  boltlinks.Links
	events *boltdb.Bucket
	usage  *boltdb.Bucket
	gone   deletion.Tombstones

	known    map[uint32]string // names already looked up
	resolver *attribution.Resolver
}

// writable returns the workspace's tables, making them if need be.
func (s *Store) writable(tx *boltdb.Tx, workspace string) (*tables, error) {
	mine, err := boltdb.Make(tx, [][]byte{workspacesBucket, []byte(workspace)}, allTables...)
	if err != nil {
		return nil, err
	}
	known, ok := s.known.Get(workspace)
	if !ok {
		known = dict.NewKnown(maxNames)
		s.known.Set(workspace, known)
	}
	t := open(mine)
	t.names = dict.Knowing(mine.Bucket(namesTable), known)
	return t, nil
}

// readable returns the workspace's tables, or nil if nothing was ever recorded in it.
func readable(tx *boltdb.Tx, workspace string) *tables {
	if mine := boltdb.Find(tx, workspacesBucket, []byte(workspace)); mine != nil {
		return open(mine)
	}
	return nil
}

func open(mine *boltdb.Bucket) *tables {
	links := boltlinks.In(mine.Bucket(linksTable))
	return &tables{
		names:    dict.In(mine.Bucket(namesTable)),
		links:    links,
		events:   mine.Bucket(eventsTable),
		usage:    mine.Bucket(usageTable),
		gone:     deletion.In(mine.Bucket(tombstonesTable)),
		known:    map[uint32]string{},
		resolver: attribution.NewResolver(links),
	}
}

// name returns the name that has a number.
func (t *tables) name(number uint32) (string, error) {
	name, ok := t.known[number]
	if ok {
		return name, nil
	}
	name, err := t.names.Name(number)
	t.known[number] = name
	return name, err
}

// account returns the account that a use counts for: the one that its call named, or the one that its user is known to belong to.
func (t *tables) account(account, user uint32) (string, error) {
	if account != 0 || user == 0 {
		return t.name(account)
	}
	name, err := t.name(user)
	if err != nil {
		return "", err
	}
	r, err := t.resolver.Resolve(name)
	return r.Account, err
}
