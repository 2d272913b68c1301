// Package bolt keeps sessions in a bbolt file.
//
// Each workspace has a bucket of its own, so that equal ids in two workspaces can never meet. Points are the truth and are only ever
// added; session rows, their indexes and their timers follow from them and are written in the same transaction.
package bolt

import (
	bbolt "go.etcd.io/bbolt"

	"github.com/sojournhq/sojourn/internal/domain/attribution"
	"github.com/sojournhq/sojourn/internal/domain/attribution/boltlinks"
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/dict"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// Format is the version of the file's layout.
const Format = 1

var (
	workspacesBucket = []byte("workspaces")
	timersBucket     = []byte("timers") // due time, workspace, session key

	namesTable    = []byte("names")    // dict
	linksTable    = []byte("links")    // boltlinks
	pointsTable   = []byte("points")   // anonymousId, time, messageId → PointRow
	sessionsTable = []byte("sessions") // anonymousId, start time, messageId → SessionRow
	byStartTable  = []byte("by_start") // start time, anonymousId, messageId
	byOwnerTable  = []byte("by_owner") // account, user, start time, anonymousId, messageId
)

// Kinds of names in the dictionary.
const (
	kindAnonymous = 's'
	kindUser      = 'u'
	kindAccount   = 'a'
	kindModule    = 'm'
)

// Store is a session.Store in one bbolt file.
type Store struct {
	db    *boltdb.DB
	rules session.Rules
}

var _ session.Store = (*Store)(nil)

// Open opens or makes the file that the options name; kind and format are the store's own.
func Open(o boltdb.Options, rules session.Rules) (*Store, error) {
	o.Kind, o.Format = "sessions", Format
	db, err := boltdb.Open(o)
	if err != nil {
		return nil, err
	}
	return &Store{db: db, rules: rules}, nil
}

// Close implements session.Store.
func (s *Store) Close() error { return s.db.Close() }

// tables are one workspace's tables, for the life of one transaction.
type tables struct {
	workspace string
	rules     session.Rules

	names    dict.Dict
	links    boltlinks.Links
	points   *bbolt.Bucket
	sessions *bbolt.Bucket
	byStart  *bbolt.Bucket
	byOwner  *bbolt.Bucket
	timers   *bbolt.Bucket // of all workspaces

	resolver *attribution.Resolver
}

// writable returns the workspace's tables, making them if need be.
func (s *Store) writable(tx *bbolt.Tx, workspace string) (*tables, error) {
	if _, err := boltdb.Make(tx, [][]byte{timersBucket}); err != nil {
		return nil, err
	}
	mine, err := boltdb.Make(tx, [][]byte{workspacesBucket, []byte(workspace)},
		namesTable, linksTable, pointsTable, sessionsTable, byStartTable, byOwnerTable)
	if err != nil {
		return nil, err
	}
	return s.open(tx, mine, workspace), nil
}

// readable returns the workspace's tables, or nil if nothing was ever recorded in it.
func (s *Store) readable(tx *bbolt.Tx, workspace string) *tables {
	if mine := boltdb.Find(tx, workspacesBucket, []byte(workspace)); mine != nil {
		return s.open(tx, mine, workspace)
	}
	return nil
}

func (s *Store) open(tx *bbolt.Tx, mine *bbolt.Bucket, workspace string) *tables {
	links := boltlinks.In(mine.Bucket(linksTable))
	return &tables{
		workspace: workspace,
		rules:     s.rules,
		names:     dict.In(mine.Bucket(namesTable)),
		links:     links,
		points:    mine.Bucket(pointsTable),
		sessions:  mine.Bucket(sessionsTable),
		byStart:   mine.Bucket(byStartTable),
		byOwner:   mine.Bucket(byOwnerTable),
		timers:    tx.Bucket(timersBucket),
		resolver:  attribution.NewResolver(links),
	}
}
