package boltlinks

import (
	"encoding/binary"
	"fmt"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/internal/kit/record"
)

// Deleted says which calls are deleted because their user is.
type Deleted interface {
	Covers(userID string, ms int64) (bool, error)
}

// Learner learns from the calls of one transaction, each link once, however many of the calls say so. Nothing of it is stored before Store.
type Learner struct {
	into    Links
	deleted Deleted

	links []link // in order of the first call that says so, so that the same calls always write the same file
	known map[pair]int
}

type pair struct {
	kind byte
	a, b string
}

type link struct {
	pair

	latestMS int64
}

// Learner returns one that has learned nothing yet. Nobody must be deleted before it has stored what it learned.
func (l Links) Learner(deleted Deleted) *Learner {
	return &Learner{into: l, deleted: deleted, known: map[pair]int{}}
}

// Learn takes in what a call says that is not deleted: which account its user belongs to, and which two ids are one person, unless the
// other one is somebody who was deleted. It is idempotent and independent of order.
func (l *Learner) Learn(c *call.Call) error {
	if c.Type == call.Delete {
		return nil // a call to forget somebody makes nobody known
	}
	if c.UserID != "" && c.AccountID != "" {
		l.learn(pair{userAccount, c.UserID, c.AccountID}, c.TimeMS)
	}
	if c.Type == call.Alias && c.UserID != c.PreviousID {
		if gone, err := l.deleted.Covers(c.PreviousID, c.TimeMS); gone || err != nil {
			return err
		}
		l.learn(pair{sameUser, c.UserID, c.PreviousID}, c.TimeMS)
		l.learn(pair{sameUser, c.PreviousID, c.UserID}, c.TimeMS)
	}
	return nil
}

func (l *Learner) learn(p pair, ms int64) {
	i, ok := l.known[p]
	if !ok {
		l.known[p] = len(l.links)
		l.links = append(l.links, link{p, ms})
		return
	}
	l.links[i].latestMS = max(l.links[i].latestMS, ms)
}

// Store stores what was learned since it was called last. It needs a writable transaction.
func (l *Learner) Store() error {
	var key []byte
	for _, link := range l.links {
		key = keys.AppendString(keys.AppendString(append(key[:0], link.kind), link.a), link.b)
		latest, known, err := l.into.latest(key)
		if err != nil {
			return err
		}
		if known && latest >= link.latestMS {
			continue
		}
		if err := l.into.put(key, binary.BigEndian.AppendUint64(make([]byte, 0, sealedTime), uint64(link.latestMS))); err != nil {
			return err
		}
		if known || link.kind != userAccount {
			continue
		}
		key = keys.AppendString(keys.AppendString(append(key[:0], accountUser), link.b), link.a)
		if err := l.into.put(key, nil); err != nil {
			return err
		}
	}
	l.links = l.links[:0]
	clear(l.known)
	return nil
}

const sealedTime = 8 + 4

func (l Links) put(key, value []byte) error {
	if err := l.bucket.Put(key, record.Seal(key, value)); err != nil {
		return fmt.Errorf("store a link: %w", err)
	}
	return nil
}
