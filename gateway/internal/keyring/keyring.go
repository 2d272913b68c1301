// Package keyring finds who a secret belongs to without comparing secrets.
package keyring

import (
	"crypto/sha256"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
)

// Ring holds holders by the hash of their secrets. Looking up a hash tells an attacker who measures time nothing about the secrets, and
// the ring holds none that could leak. It may be read by many at once, once it is filled.
type Ring[T any] struct{ holders map[[sha256.Size]byte]T }

// Add makes secret belong to holder. A holder may have several secrets.
func (r *Ring[T]) Add(secret workspace.Secret, holder T) {
	if r.holders == nil {
		r.holders = map[[sha256.Size]byte]T{}
	}
	r.holders[secret.Hash()] = holder
}

// Find returns who the secret with a plain text belongs to. The empty text is nobody's.
func (r *Ring[T]) Find(text string) (T, bool) {
	if text == "" {
		var nobody T
		return nobody, false
	}
	holder, ok := r.holders[sha256.Sum256([]byte(text))]
	return holder, ok
}
