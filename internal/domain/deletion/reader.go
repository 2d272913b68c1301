package deletion

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"hash"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/kit/record"
)

// maxRemembered is how many ids a Reader remembers.
const maxRemembered = 10_000

// Reader asks about many ids within one transaction, in which there are no further tombstones. It is for one goroutine.
type Reader struct {
	from Tombstones
	hash hash.Hash // nil: there are no tombstones
	key  []byte
	// until has what is known of ids: up to when they are deleted, or -1.
	until map[string]int64
}

// Reader returns a reader of the tombstones.
func (t Tombstones) Reader() (*Reader, error) {
	r := &Reader{from: t}
	sealed := t.bucket.Get(secretKey)
	if sealed == nil {
		return r, nil
	}
	secret, err := record.Open(secretKey, sealed)
	if err != nil {
		return nil, fmt.Errorf("secret of the tombstones: %w", err)
	}
	r.hash, r.until = hmac.New(sha256.New, secret), map[string]int64{}
	return r, nil
}

// None says whether nobody was deleted.
func (r *Reader) None() bool { return r.hash == nil }

// Drops is Tombstones.Drops.
func (r *Reader) Drops(c *call.Call) (bool, error) { return r.Covers(c.UserID, c.TimeMS) }

// Covers is Tombstones.Covers.
func (r *Reader) Covers(userID string, ms int64) (bool, error) {
	if userID == "" || r.None() {
		return false, nil
	}
	until, ok := r.until[userID]
	if !ok {
		r.hash.Reset()
		_, _ = r.hash.Write([]byte(userID)) // never fails
		r.key = r.hash.Sum(append(r.key[:0], tombstone))
		found, known, err := r.from.read(r.key)
		if err != nil {
			return false, err
		}
		if until = -1; known {
			until = found
		}
		if len(r.until) < maxRemembered {
			r.until[userID] = until
		}
	}
	return ms <= until && until >= 0, nil
}
