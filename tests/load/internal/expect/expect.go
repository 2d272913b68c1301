// Package expect computes what a Sojourn must hold that was sent the first calls of a stream: slowly, plainly, and from the calls alone. What
// it computes is the part of a few accounts, so that it can be done after every measurement.
package expect

import (
	"maps"
	"slices"

	"github.com/sojournhq/sojourn/tests/load/internal/traffic"
)

// State is what a Sojourn must hold of a sample of the accounts.
type State struct {
	stream   *traffic.Stream
	accounts map[int]bool
	users    map[int]*user
	groups   map[int][]traffic.Call // group calls, by account
	seen     map[int]bool           // accounts that a call names
	outcomes map[traffic.Kind]int64 // of all calls
}

// user is a user of the sample.
type user struct {
	account int
	named   bool // a call names the account
	uses    []traffic.Call
	traits  []traffic.Call // identify calls
	devices map[string][]point
}

// After returns what the first n calls of a stream leave behind in so many of the accounts: the largest, and others from all over.
func After(stream *traffic.Stream, n uint64, accounts, sample int) *State {
	s := &State{
		stream: stream, accounts: map[int]bool{}, users: map[int]*user{}, groups: map[int][]traffic.Call{},
		seen: map[int]bool{}, outcomes: map[traffic.Kind]int64{},
	}
	for i := range sample {
		s.accounts[i*accounts/sample] = true
	}
	for i := range n {
		if c := stream.Call(i); c.Number == i { // a copy changes nothing
			s.outcomes[c.Kind]++
			if s.accounts[c.Account] {
				s.add(c)
			}
		}
	}
	return s
}

func (s *State) add(c traffic.Call) {
	u := s.users[c.User]
	if u == nil {
		u = &user{account: c.Account, devices: map[string][]point{}}
		s.users[c.User] = u
	}
	u.named = u.named || c.Named
	if c.Named {
		s.seen[c.Account] = true
	}
	p := point{ms: c.TimeMS, messageID: s.stream.MessageID(c)}
	switch c.Kind {
	case traffic.Track:
		u.uses = append(u.uses, c)
		p.module = c.Feature.Module
	case traffic.Page:
		p.module = c.Feature.Module
	case traffic.Identify:
		u.traits = append(u.traits, c)
	case traffic.Group:
		s.groups[c.Account] = append(s.groups[c.Account], c)
	}
	device := s.stream.AnonymousID(c)
	u.devices[device] = append(u.devices[device], p)
}

// accountOf is how the account of a user is written: "" while no call names it.
func (s *State) accountOf(u *user) string {
	if u.named {
		return s.stream.AccountID(u.account)
	}
	return ""
}

// Accounts are the numbers of the sample's accounts that a call names.
func (s *State) Accounts() []int { return slices.Sorted(maps.Keys(s.seen)) }

// latest is the call that was last by event time.
func (s *State) latest(calls []traffic.Call) traffic.Call {
	return slices.MaxFunc(calls, func(a, b traffic.Call) int {
		if a.TimeMS != b.TimeMS {
			return int(a.TimeMS - b.TimeMS)
		}
		if s.stream.MessageID(a) < s.stream.MessageID(b) {
			return -1
		}
		return 1
	})
}
