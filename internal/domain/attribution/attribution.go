// Package attribution decides which account a user's calls belong to when they do not name one.
//
// It is learned from every call that carries both a userId and an account, as a join-semilattice: unknown < exactly one account <
// ambiguous. Ids joined by alias calls are one person and share what is known of any of them. Because joining is commutative,
// associative and idempotent, the answer depends on the set of calls alone, never on their order.
package attribution

import "slices"

// State says how sure it is which account a user belongs to.
type State int8

// The states, in the order of the lattice.
const (
	Unknown State = iota
	Known
	Ambiguous
)

// Resolution is what is known of a user's account.
type Resolution struct {
	State State
	// Account is the one account, if the state is Known; empty otherwise. We never guess a customer.
	Account string
	// Candidates are accounts that calls have named, in order, if the state is Ambiguous: MaxCandidates of them at most.
	Candidates []string
}

// MaxCandidates is how many accounts of an ambiguous user are looked at. Two would do to know; more help whoever cleans up.
const MaxCandidates = 20

// Links is what the calls have said.
type Links interface {
	// Accounts returns, in order, the first accounts that calls named together with a user, at most limit.
	Accounts(user string, limit int) ([]string, error)
	// Aliases returns the user ids that alias calls joined directly with a user.
	Aliases(user string) ([]string, error)
}

// Resolver resolves users and remembers, so that a person with many ids is looked at once. It is for one goroutine, and good as long as
// the links do not change.
type Resolver struct {
	links Links
	known map[string]Resolution
}

// NewResolver returns a resolver that has looked at nothing yet.
func NewResolver(links Links) *Resolver {
	return &Resolver{links: links, known: map[string]Resolution{}}
}

// Resolve returns what is known of the account of a user.
func (r *Resolver) Resolve(user string) (Resolution, error) {
	if resolution, ok := r.known[user]; ok {
		return resolution, nil
	}
	person, err := Person(r.links, user)
	if err != nil {
		return Resolution{}, err
	}
	var candidates []string
	for _, id := range person {
		if len(candidates) >= MaxCandidates {
			break
		}
		named, err := r.links.Accounts(id, MaxCandidates)
		if err != nil {
			return Resolution{}, err
		}
		candidates = append(candidates, named...)
		slices.Sort(candidates)
		candidates = slices.Compact(candidates)
	}
	resolution := Resolution{State: Unknown}
	switch {
	case len(candidates) == 1:
		resolution = Resolution{State: Known, Account: candidates[0]}
	case len(candidates) > 1:
		resolution = Resolution{State: Ambiguous, Candidates: candidates[:min(len(candidates), MaxCandidates)]}
	}
	for _, id := range person {
		r.known[id] = resolution
	}
	return resolution, nil
}

// Person returns all ids that alias calls joined with user, directly or through others, user itself first. No user has no ids.
func Person(links Links, user string) ([]string, error) {
	if user == "" {
		return nil, nil
	}
	seen := map[string]bool{user: true}
	person := []string{user}
	for i := 0; i < len(person); i++ {
		others, err := links.Aliases(person[i])
		if err != nil {
			return nil, err
		}
		for _, other := range others {
			if !seen[other] {
				seen[other] = true
				person = append(person, other)
			}
		}
	}
	return person, nil
}
