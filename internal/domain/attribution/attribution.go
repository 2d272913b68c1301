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
	// Candidates are the accounts that calls have named, in order, if the state is Ambiguous.
	Candidates []string
}

// Links is what the calls have said: which accounts were named together with a user, and which user ids alias calls joined.
type Links interface {
	Accounts(user string) ([]string, error)
	Aliases(user string) ([]string, error)
}

// Resolve returns what is known of the account of a user.
func Resolve(links Links, user string) (Resolution, error) {
	accounts := map[string]bool{}
	person, err := Person(links, user)
	if err != nil {
		return Resolution{}, err
	}
	for _, id := range person {
		named, err := links.Accounts(id)
		if err != nil {
			return Resolution{}, err
		}
		for _, account := range named {
			accounts[account] = true
		}
	}
	candidates := make([]string, 0, len(accounts))
	for account := range accounts {
		candidates = append(candidates, account)
	}
	slices.Sort(candidates)
	switch len(candidates) {
	case 0:
		return Resolution{State: Unknown}, nil
	case 1:
		return Resolution{State: Known, Account: candidates[0]}, nil
	default:
		return Resolution{State: Ambiguous, Candidates: candidates}, nil
	}
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
