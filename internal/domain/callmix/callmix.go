// Package callmix makes calls like those of a product with many users, to measure with: 80 % track, 10 % identify, 3 % group, 7 % page,
// users by Zipf's law, every call later than the one before.
package callmix

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"

	"github.com/sojournhq/sojourn/internal/domain/call"
)

const (
	users, accounts   = 20_000, 2000
	modules, features = 8, 60
	// visit is how many calls an anonymousId makes before its user comes back with another one.
	visit = 40
	// meanGapMS is how long it takes on average until the next call of whomever: people on the site send one every half minute.
	meanGapMS = 10
)

// Mix makes calls, the same ones for the same seed. It is for one goroutine.
type Mix struct {
	random *rand.Rand
	zipf   *rand.Zipf
	ms     int64
	people []person
}

type person struct {
	calls             int
	anonymous         string
	user, account     string
	name, email, city string
}

// New returns a mix.
func New(seed uint64) *Mix {
	random := rand.New(rand.NewPCG(seed, seed)) //nolint:gosec // reproducible on purpose
	return &Mix{
		random: random, zipf: rand.NewZipf(random, 1.1, 20, users-1), ms: 1_750_000_000_000, people: make([]person, users),
	}
}

// Calls returns the next n calls.
func (m *Mix) Calls(n int) []call.Call {
	calls := make([]call.Call, n)
	for i := range calls {
		calls[i] = m.next()
	}
	return calls
}

func (m *Mix) next() call.Call {
	m.ms += m.random.Int64N(2*meanGapMS + 1)
	p := m.person()
	c := call.Call{
		Type: call.Track, MessageID: m.uuid(), OriginalMS: m.ms, TimeMS: m.ms, Source: "web",
		AnonymousID: p.anonymous, UserID: p.user, AccountID: p.account,
	}
	switch kind := m.random.IntN(100); {
	case kind < 80:
		c.Feature = fmt.Sprint("Feature Used ", m.random.IntN(features))
		c.Module = fmt.Sprint("Module ", m.random.IntN(modules))
	case kind < 87:
		c.Type, c.Module = call.Page, fmt.Sprint("Module ", m.random.IntN(modules))
	case kind < 97:
		c.Type, c.Traits = call.Identify, []call.Trait{
			text("first_name", p.name), text("last_name", "Lovelace"), text("email", p.email), text("title", "Analyst"),
			text("department", "Engines"), text("mailing_city", p.city), text("phone", "+44 20 7946 0000"), text("role", "admin"),
		}
	default:
		c.Type, c.Traits = call.Group, []call.Trait{
			text("name", p.account+" Ltd"), text("createdAt", "2024-02-29T12:00:00Z"), text("industry", "Instruments"),
			text("tier", "gold"), text("website", "https://example.com"),
			{Path: "employees", Value: call.Value{Kind: call.Number, Text: "250"}},
		}
	}
	return c
}

func (m *Mix) person() *person {
	n := m.zipf.Uint64()
	p := &m.people[n]
	if p.calls%visit == 0 {
		p.anonymous = m.uuid()
	}
	if p.calls == 0 {
		p.user, p.account = fmt.Sprintf("user-%06d", n), fmt.Sprintf("account-%04d", n%accounts)
		p.name, p.email, p.city = fmt.Sprint("Ada ", n), fmt.Sprintf("ada.%d@example.com", n), fmt.Sprint("City ", n%100)
	}
	p.calls++
	return p
}

func (m *Mix) uuid() string {
	var raw [16]byte
	for i := range raw {
		raw[i] = byte(m.random.Uint32())
	}
	x := hex.EncodeToString(raw[:])
	return x[:8] + "-" + x[8:12] + "-4" + x[13:16] + "-8" + x[17:20] + "-" + x[20:]
}

func text(path, value string) call.Trait {
	return call.Trait{Path: path, Value: call.Value{Kind: call.String, Text: value}}
}
