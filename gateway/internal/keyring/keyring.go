// Package keyring finds who a secret belongs to without comparing secrets.
package keyring

import "crypto/sha256"

// Ring holds holders by the hash of their secrets. Looking up a hash tells an attacker who measures time nothing about the secrets, and
// the ring holds none that could leak. It may be read by many at once, once it is filled.
type Ring[T any] struct{ holders map[[sha256.Size]byte]T }

// Add makes secret belong to holder. A holder may have several secrets; the empty text is nobody's.
func (r *Ring[T]) Add(secret string, holder T) {
	if secret == "" {
		return
	}
	if r.holders == nil {
		r.holders = map[[sha256.Size]byte]T{}
	}
	r.holders[sha256.Sum256([]byte(secret))] = holder
}

// Find returns who secret belongs to.
func (r *Ring[T]) Find(secret string) (T, bool) {
	holder, ok := r.holders[sha256.Sum256([]byte(secret))]
	return holder, ok
}
