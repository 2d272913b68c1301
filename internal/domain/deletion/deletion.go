// Package deletion remembers which users were deleted, and up to when, inside a bbolt bucket.
//
// It keeps no id: a tombstone is a keyed hash of one, under a secret that the bucket holds itself. So the rows show nobody, while a late
// call of a deleted user is still recognised.
package deletion

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/record"
)

// Kinds of rows: one secret, and a tombstone a user.
var secretKey = []byte{'s'}

const tombstone = 't' // hash of the userId → time up to which its calls are deleted

// Tombstones is the set of deleted users of one workspace, for the life of its bucket's transaction.
type Tombstones struct{ bucket *boltdb.Bucket }

// In returns the tombstones that live in bucket, which holds nothing else.
func In(bucket *boltdb.Bucket) Tombstones { return Tombstones{bucket} }

// Put remembers that the calls of a user up to a time, in milliseconds, are deleted. Of several times the latest counts. It needs a
// writable transaction.
func (t Tombstones) Put(userID string, untilMS int64) error {
	key, err := t.key(userID)
	if err != nil {
		return err
	}
	if key == nil {
		if err := t.makeSecret(); err != nil {
			return err
		}
		return t.Put(userID, untilMS)
	}
	until, known, err := t.read(key)
	if err != nil || known && until >= untilMS {
		return err
	}
	if err := t.bucket.Put(key, record.Seal(key, binary.BigEndian.AppendUint64(nil, uint64(untilMS)))); err != nil {
		return fmt.Errorf("store a tombstone: %w", err)
	}
	if _, err := t.bucket.NextSequence(); err != nil {
		return fmt.Errorf("number a tombstone: %w", err)
	}
	return nil
}

// Generation returns a number that is another one once a tombstone has been added or changed.
func (t Tombstones) Generation() uint64 { return t.bucket.Sequence() }

// Covers says whether a user's calls of a time, in milliseconds, are deleted.
func (t Tombstones) Covers(userID string, ms int64) (bool, error) {
	if userID == "" {
		return false, nil
	}
	key, err := t.key(userID)
	if err != nil || key == nil {
		return false, err
	}
	until, known, err := t.read(key)
	return known && ms <= until, err
}

// Drops says whether a call is deleted because its user is.
func (t Tombstones) Drops(c *call.Call) (bool, error) { return t.Covers(c.UserID, c.TimeMS) }

// key returns the key of a user's tombstone, nil if there is no secret yet and so no tombstone.
func (t Tombstones) key(userID string) ([]byte, error) {
	sealed := t.bucket.Get(secretKey)
	if sealed == nil {
		return nil, nil
	}
	secret, err := record.Open(secretKey, sealed)
	if err != nil {
		return nil, fmt.Errorf("secret of the tombstones: %w", err)
	}
	hash := hmac.New(sha256.New, secret)
	_, _ = hash.Write([]byte(userID)) // never fails
	return hash.Sum([]byte{tombstone}), nil
}

func (t Tombstones) makeSecret() error {
	secret := make([]byte, sha256.Size)
	_, _ = rand.Read(secret) // never fails
	if err := t.bucket.Put(secretKey, record.Seal(secretKey, secret)); err != nil {
		return fmt.Errorf("store the secret of the tombstones: %w", err)
	}
	return nil
}

func (t Tombstones) read(key []byte) (untilMS int64, known bool, err error) {
	sealed := t.bucket.Get(key)
	if sealed == nil {
		return 0, false, nil
	}
	value, err := record.Open(key, sealed)
	if err == nil && len(value) != 8 {
		err = record.ErrCorrupt
	}
	if err != nil {
		return 0, false, fmt.Errorf("tombstone: %w", err)
	}
	return int64(binary.BigEndian.Uint64(value)), true, nil
}
