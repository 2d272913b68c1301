// Package bolt keeps sessions in a bbolt file.
//
// Each workspace has a bucket of its own, so that equal ids in two workspaces can never meet. Points are the truth, and go only when
// their user is deleted; session rows, parts, daily sums, indexes and timers follow from them and are written in the same transaction.
package bolt

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"iter"
	"sync"

	"github.com/sojournhq/sojourn/internal/domain/attribution"
	"github.com/sojournhq/sojourn/internal/domain/attribution/boltlinks"
	"github.com/sojournhq/sojourn/internal/domain/deletion"
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/dict"
	"github.com/sojournhq/sojourn/internal/kit/memory"
	"github.com/sojournhq/sojourn/internal/kit/record"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// Kind and Format are what the file says of itself.
const (
	Kind   = "sessions"
	Format = 3
)

var (
	workspacesBucket = []byte("workspaces")
	timersBucket     = []byte("timers") // due time, workspace, session key

	namesTable    = []byte("names")    // dict
	linksTable    = []byte("links")    // boltlinks
	pointsTable   = []byte("points")   // anonymousId, time, messageId → PointRow
	sessionsTable = []byte("sessions") // anonymousId, start time, messageId → SessionRow
	partsTable    = []byte("parts")    // SessionRow.more_parts, module, day → PartRow
	daysTable     = []byte("days")     // account, user, day → DayRow; and behind it a module that has no room there → SumRow
	byStartTable  = []byte("by_start") // start time, anonymousId, messageId
	byOwnerTable  = []byte("by_owner") // account, user, start time, anonymousId, messageId
	feedTable     = []byte("feed")     // number → ChangeRow; "" → FeedRow
	goneTable     = []byte("gone")     // key of a session that was told and is no more, until that is told too

	tombstonesTable = []byte("tombstones") // deletion
)

var allTables = [][]byte{
	namesTable, linksTable, tombstonesTable, pointsTable, sessionsTable, partsTable, daysTable, byStartTable, byOwnerTable,
	feedTable, goneTable,
}

// Kinds of names in the dictionary.
const (
	kindAnonymous = 's'
	kindUser      = 'u'
	kindAccount   = 'a'
	kindModule    = 'm'
	kindRules     = 'r'
)

// Store is a session.Store in one bbolt file.
type Store struct {
	db    *boltdb.DB
	rules func(workspace string) session.Rules
	// epoch tells the changes that this opening of the file tells from those of others.
	epoch uint64
	// rebuildStep is after how many points, or sessions and sums, a transaction of a rebuild ends.
	rebuildStep int64

	// known has what transactions that write remember of a workspace. They alone use it, one after the other.
	known *memory.Table[string, *known]

	mutex sync.Mutex
	told  chan struct{} // closed and replaced whenever a feed has grown
	// mendedUnder are the rules of each workspace when its timers were last looked over.
	mendedUnder map[string]session.Rules
}

var _ session.Store = (*Store)(nil)

// Of so many workspaces so many names, and newest sessions of anonymousIds, are remembered at most: up to some 20 MiB each.
const (
	maxKnown  = 32
	maxNames  = 100_000
	maxNewest = 20_000
)

type known struct {
	names  *dict.Known
	newest *newest
}

// Mark adds to options what kind of file the store's is, and which formats it reads. Files of format 1 are what those of format 2 are when
// they are closed; in between format 2 has a log beside them. Format 3 has rows in blocks, and one
// for all sums of a day.
func Mark(o boltdb.Options) boltdb.Options {
	o.Kind, o.Format, o.Upgrades = Kind, Format, map[uint32]boltdb.Upgrade{1: nil, 2: upgradeRows}
	return o
}

// Open opens or makes the file that the options name; kind and format are the store's own. Rules returns those of a workspace, which may
// change at any time, from many goroutines.
func Open(o boltdb.Options, rules func(workspace string) session.Rules) (*Store, error) {
	o = Mark(o)
	o.Derived = [][]byte{timersBucket} // MendTimers makes them anew
	db, err := boltdb.Open(o)
	if err != nil {
		return nil, err
	}
	return &Store{
		db: db, rules: rules, epoch: newEpoch(), rebuildStep: defaultRebuildStep, told: make(chan struct{}),
		known: memory.New[string, *known](maxKnown),
	}, nil
}

func newEpoch() uint64 {
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails
	return binary.BigEndian.Uint64(random[:]) | 1
}

// File returns the file that the store keeps everything in, for copies of it.
func (s *Store) File() *boltdb.DB { return s.db }

// Workspaces returns the names of the workspaces that a store's file has anything of.
func Workspaces(file *boltdb.DB) ([]string, error) { return file.Buckets(workspacesBucket) }

// Close implements session.Store.
func (s *Store) Close() error { return s.db.Close() }

// tables are one workspace's tables, for the life of one transaction.
type tables struct {
	workspace string
	rules     session.Rules
	// rulesName is the number of the rules in the dictionary; 0 if nothing was written under them yet.
	rulesName uint32
	epoch     uint64

	bucket   *boltdb.Bucket // holds the tables
	names    dict.Dict
	links    boltlinks.Links
	points   *boltdb.Bucket
	sessions *boltdb.Bucket
	parts    *boltdb.Bucket
	days     *boltdb.Bucket
	byStart  *boltdb.Bucket
	byOwner  *boltdb.Bucket
	feed     *boltdb.Bucket
	gone     *boltdb.Bucket
	deleted  deletion.Tombstones
	timers   *boltdb.Bucket // of all workspaces

	newest  *newest // nil: none
	raised  bool    // whether the sequence of the sessions has been raised
	pending pendingSums
	gathers bool // whether sums are pending to the end of the transaction
	dayRows dayWriter

	// Room for one row each, and for the values of many; and for the parts of one session.
	key, value []byte
	delta      session.Parts

	resolver *attribution.Resolver
}

// writable returns the workspace's tables, making them if need be.
func (s *Store) writable(tx *boltdb.Tx, workspace string) (*tables, error) {
	if _, err := boltdb.Make(tx, [][]byte{timersBucket}); err != nil {
		return nil, err
	}
	mine, err := boltdb.Make(tx, [][]byte{workspacesBucket, []byte(workspace)}, allTables...)
	if err != nil {
		return nil, err
	}
	t := s.open(tx, mine, workspace)
	if s.known != nil {
		s.remember(t)
	}
	t.rulesName, err = t.names.Number(kindRules, nameOfRules(t.rules))
	return t, err
}

// remember lets a transaction that writes use what those before it found.
func (s *Store) remember(t *tables) {
	k, ok := s.known.Get(t.workspace)
	if !ok {
		k = &known{dict.NewKnown(maxNames), memory.New[uint32, *stored](maxNewest)}
		s.known.Set(t.workspace, k)
	}
	t.names = dict.Knowing(t.bucket.Bucket(namesTable), k.names)
	t.newest = k.newest
	t.newest.At(t.sessions.Sequence())
}

// readable returns the workspace's tables, or nil if nothing was ever recorded in it.
func (s *Store) readable(tx *boltdb.Tx, workspace string) *tables {
	if mine := boltdb.Find(tx, workspacesBucket, []byte(workspace)); mine != nil {
		return s.open(tx, mine, workspace)
	}
	return nil
}

func (s *Store) open(tx *boltdb.Tx, mine *boltdb.Bucket, workspace string) *tables {
	links, days := boltlinks.In(mine.Bucket(linksTable)), mine.Bucket(daysTable)
	return &tables{
		workspace: workspace,
		rules:     s.rules(workspace),
		epoch:     s.epoch,
		bucket:    mine,
		names:     dict.In(mine.Bucket(namesTable)),
		links:     links,
		points:    mine.Bucket(pointsTable),
		sessions:  mine.Bucket(sessionsTable),
		parts:     mine.Bucket(partsTable),
		days:      days,
		byStart:   mine.Bucket(byStartTable),
		byOwner:   mine.Bucket(byOwnerTable),
		feed:      mine.Bucket(feedTable),
		gone:      mine.Bucket(goneTable),
		deleted:   deletion.In(mine.Bucket(tombstonesTable)),
		timers:    tx.Bucket(timersBucket),
		pending:   pendingSums{known: map[dayID]int{}},
		dayRows:   dayWriter{into: days},
		resolver:  attribution.NewResolver(links),
	}
}

// workspaces yields the names of all workspaces in which something was recorded.
func (s *Store) workspaces(tx *boltdb.Tx) iter.Seq[string] {
	return func(yield func(string) bool) {
		all := tx.Bucket(workspacesBucket)
		if all == nil {
			return
		}
		_ = all.ForEachBucket(func(name []byte) error { // fails only to end it
			if !yield(string(name)) {
				return errStop
			}
			return nil
		})
	}
}

// nameOfRules is the text by which rules stand in the dictionary.
func nameOfRules(r session.Rules) string {
	return fmt.Sprintf("%d/%d/%d", r.TimeoutMS, r.IdleCapMS, r.MaxMS)
}

func parseRules(name string) (r session.Rules, err error) {
	if _, err = fmt.Sscanf(name, "%d/%d/%d", &r.TimeoutMS, &r.IdleCapMS, &r.MaxMS); err != nil {
		return r, fmt.Errorf("%w: rules: %w", record.ErrCorrupt, err)
	}
	return r, nil
}
