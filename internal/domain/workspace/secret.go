package workspace

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// Secret is a key or token of the configuration: its hash, whether the file has that or the plain text. So the plain text is nowhere to be
// found, and cannot be shown by mistake. Not even the hash is shown, but to Encode, and its beginning by Name.
//
// Secrets are random texts of 16 characters and more, so a plain SHA-256 cannot be turned back; what people make up should not be one.
type Secret struct {
	hash [sha256.Size]byte
	flaw flaw
	// bare is the hash of the plain text without the colon at its end; nil: it has none, or the file has the hash alone.
	bare *[sha256.Size]byte
}

// NewSecret returns the secret whose plain text is text.
func NewSecret(text string) Secret { return Secret{hash: sha256.Sum256([]byte(text))} }

// NewSecrets returns secrets with these plain texts.
func NewSecrets(texts ...string) []Secret {
	secrets := make([]Secret, len(texts))
	for i, text := range texts {
		secrets[i] = NewSecret(text)
	}
	return secrets
}

// Hash is the SHA-256 of the plain text.
func (s Secret) Hash() [sha256.Size]byte { return s.hash }

// Equal says whether two secrets are the same. How long it takes says nothing about them.
func (s Secret) Equal(other Secret) bool {
	return subtle.ConstantTimeCompare(s.hash[:], other.hash[:]) == 1
}

// nameDigits is how much of a hash tells secrets apart in a log. Of a random secret, it is too little to find it by.
const nameDigits = 8

// Name returns what a log calls the secret: the beginning of its hash, as that may stand in the file.
func (s Secret) Name() string { return s.Hashed()[:len(hashPrefix)+nameDigits] }

// hashPrefix begins a secret that is written as its hash.
const hashPrefix = "sha256:"

// Hashed returns the secret as it may stand in the file in place of its plain text.
func (s Secret) Hashed() string { return hashPrefix + hex.EncodeToString(s.hash[:]) }

// MarshalYAML writes the secret as its hash.
func (s Secret) MarshalYAML() (any, error) { return s.Hashed(), nil }

// SetText implements strictyaml.Text. What is wrong with the secret is remembered for the check, which names it with all other problems.
func (s *Secret) SetText(text string) { *s = readSecret(text) }

func readSecret(text string) Secret {
	digits, hashed := strings.CutPrefix(text, hashPrefix)
	if !hashed {
		return readPlain(text)
	}
	var s Secret
	hash, err := hex.DecodeString(digits)
	switch {
	case err != nil || len(hash) != len(s.hash):
		s.flaw = malformed
	case [sha256.Size]byte(hash) == sha256.Sum256(nil):
		s.flaw = ofNothing
	}
	copy(s.hash[:], hash)
	return s
}

func readPlain(text string) Secret {
	s := NewSecret(text)
	switch {
	case !fitsHeader(text):
		s.flaw = unsendable
	case len(text) < minKeyBytes:
		s.flaw = tooShort
	}
	if bare, ok := strings.CutSuffix(text, ":"); ok {
		hash := sha256.Sum256([]byte(bare))
		s.bare = &hash
	}
	return s
}

// fitsHeader says whether an HTTP header can carry a text as it is. Space and tabs around a value are no part of it.
func fitsHeader(text string) bool {
	return strings.Trim(text, " \t") == text &&
		!strings.ContainsFunc(text, func(r rune) bool { return r != '\t' && (r < ' ' || r > '~') })
}

// flaw is what is wrong with how a secret is written.
type flaw int8

const (
	sound flaw = iota
	tooShort
	unsendable
	malformed
	ofNothing
)

func (f flaw) String() string {
	switch f {
	case tooShort:
		return fmt.Sprintf("shorter than %d characters: take a longer one, as sojourn new-key prints", minKeyBytes)
	case unsendable:
		return "no header can carry it: take out line ends, control characters, letters beyond ASCII, and space around it"
	case malformed:
		return "begins with " + hashPrefix + ", but 64 hexadecimal digits do not follow"
	case ofNothing:
		return "the hash of an empty text: put the hash of a key there"
	default:
		return ""
	}
}

// hidden is all that is shown of a secret.
const hidden = "[secret]"

// Format implements fmt.Formatter.
func (Secret) Format(to fmt.State, _ rune) { _, _ = io.WriteString(to, hidden) }

// String implements fmt.Stringer.
func (Secret) String() string { return hidden }

// LogValue implements slog.LogValuer.
func (Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText implements encoding.TextMarshaler, and so hides the secret from JSON and from logs that write it.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }
