package directory

import (
	"cmp"
	"context"
	"maps"
	"math/bits"
	"slices"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/services/identity/internal/profile"
)

// UnmappedTrait is a trait that accounts or users have and that means nothing.
type UnmappedTrait struct {
	// Name is the same for all spellings of the place; traits are ordered by it.
	Name string
	// Place is where the trait stands, in the spelling in use that sorts first.
	Place call.Place
	Looks profile.Looks
	// Accounts is how many accounts have it, or have a user who has it.
	Accounts int
	// LastSeenMS is the event time of the latest value.
	LastSeenMS int64
}

// How many accounts and users are read at once.
const perRead = 500

// UnmappedTraits returns the first limit traits after the name `after` that mean nothing under the settings, in order of name. It reads all
// accounts and users.
func UnmappedTraits(
	ctx context.Context, s Store, workspace string, settings profile.Settings, after string, limit int,
) ([]UnmappedTrait, error) {
	c := census{settings: settings, after: after, limit: limit, traits: map[string]*counted{}, accounts: map[string]int{}}
	if err := c.readAccounts(ctx, s, workspace); err != nil {
		return nil, err
	}
	if err := c.readUsers(ctx, s, workspace); err != nil {
		return nil, err
	}
	return c.result(), nil
}

// census counts traits. However many there are, it remembers only about those that it will return.
type census struct {
	settings profile.Settings
	after    string
	limit    int

	traits   map[string]*counted
	accounts map[string]int // a number for each
	full     bool           // there are limit traits up to last, so that greater ones do not count
	last     string
}

type counted struct {
	trait    UnmappedTrait
	accounts []uint64 // a bit for each by its number
}

func (c *census) readAccounts(ctx context.Context, s Store, workspace string) error {
	for after := ""; ; {
		page, err := s.Accounts(ctx, workspace, after, perRead)
		if err != nil {
			return err
		}
		for i := range page {
			c.count(page[i].AccountID, c.settings.Unmapped(call.Group, page[i].Fields))
		}
		if len(page) < perRead {
			return nil
		}
		after = page[len(page)-1].AccountID
	}
}

func (c *census) readUsers(ctx context.Context, s Store, workspace string) error {
	for after := (UserKey{}); ; {
		page, err := s.Users(ctx, workspace, nil, after, perRead)
		if err != nil {
			return err
		}
		for i := range page {
			c.count(page[i].AccountID, c.settings.Unmapped(call.Identify, page[i].Fields))
		}
		if len(page) < perRead {
			return nil
		}
		after = page[len(page)-1].UserKey
	}
}

// count counts what was seen of an account or of one of its users; of no account if it is empty.
func (c *census) count(account string, seen []profile.Sighting) {
	for _, s := range seen {
		if s.Name <= c.after || c.full && s.Name > c.last {
			continue
		}
		t := c.traits[s.Name]
		if t == nil {
			t = &counted{trait: UnmappedTrait{Name: s.Name, Place: s.Place}}
			c.traits[s.Name] = t
		}
		t.trait.Looks |= s.Looks
		t.trait.LastSeenMS = max(t.trait.LastSeenMS, s.TimeMS)
		if s.Place.Path < t.trait.Place.Path {
			t.trait.Place = s.Place
		}
		if account != "" {
			t.mark(c.number(account))
		}
	}
	if len(c.traits) > 2*c.limit {
		c.prune()
	}
}

func (c *census) number(account string) int {
	n, ok := c.accounts[account]
	if !ok {
		n = len(c.accounts)
		c.accounts[account] = n
	}
	return n
}

func (t *counted) mark(n int) {
	for len(t.accounts) <= n/64 {
		t.accounts = append(t.accounts, 0)
	}
	t.accounts[n/64] |= 1 << (n % 64)
}

// prune forgets the traits beyond the limit.
func (c *census) prune() {
	names := slices.Sorted(maps.Keys(c.traits))
	for _, name := range names[c.limit:] {
		delete(c.traits, name)
	}
	c.full, c.last = true, names[c.limit-1]
}

func (c *census) result() []UnmappedTrait {
	traits := make([]UnmappedTrait, 0, len(c.traits))
	for _, t := range c.traits {
		for _, word := range t.accounts {
			t.trait.Accounts += bits.OnesCount64(word)
		}
		traits = append(traits, t.trait)
	}
	slices.SortFunc(traits, func(a, b UnmappedTrait) int { return cmp.Compare(a.Name, b.Name) })
	return traits[:min(len(traits), c.limit)]
}
