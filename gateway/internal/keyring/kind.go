package keyring

import "github.com/sojournhq/sojourn/internal/domain/workspace"

// Kind is what a secret is for. No secret is of two kinds: the configuration is checked for that.
type Kind int8

// The kinds of secrets.
const (
	WriteKey   Kind = iota + 1 // sends calls
	QueryToken                 // reads a workspace
	AdminToken                 // reads all, and does what only an admin may
)

// String names the kind as messages do.
func (k Kind) String() string {
	switch k {
	case WriteKey:
		return "write key"
	case QueryToken:
		return "query token"
	case AdminToken:
		return "admin token"
	default:
		return "unknown"
	}
}

// KindsOf returns every secret of a configuration with its kind. Doors ask it about those that are not theirs: who has the wrong kind is to
// be told so, and to be told apart from who has none.
func KindsOf(c *workspace.Config) *Ring[Kind] {
	ring := &Ring[Kind]{}
	add := func(secrets []workspace.Secret, kind Kind) {
		for _, secret := range secrets {
			ring.Add(secret, kind)
		}
	}
	add(c.AdminTokens, AdminToken)
	for i := range c.Workspaces {
		add(c.Workspaces[i].QueryTokens, QueryToken)
		for j := range c.Workspaces[i].Sources {
			add(c.Workspaces[i].Sources[j].WriteKeys, WriteKey)
		}
	}
	return ring
}
