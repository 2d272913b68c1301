package demo

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// Call is a Segment call as a client would send it.
type Call struct {
	Type        string         `json:"type"`
	MessageID   string         `json:"messageId"`
	Timestamp   time.Time      `json:"timestamp"`
	AnonymousID string         `json:"anonymousId,omitempty"`
	UserID      string         `json:"userId,omitempty"`
	GroupID     string         `json:"groupId,omitempty"`
	Event       string         `json:"event,omitempty"`
	Name        string         `json:"name,omitempty"`
	Properties  map[string]any `json:"properties,omitempty"`
	Traits      map[string]any `json:"traits,omitempty"`
	Context     map[string]any `json:"context,omitempty"`
}

// Days is how far back the demo goes.
const Days = 28

// Traffic invents the calls of the last four weeks up to now, in the order in which they arrive: mostly as they happen, some late, some
// twice, and a few that are wrong. Calls made on the same UTC day of the same seed are the same, so sending them again adds nothing.
func Traffic(seed uint64, now time.Time) []Call {
	rng := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // an invented company needs no secrets
	t := &traffic{rng: rng, first: now.UTC().Truncate(24*time.Hour).AddDate(0, 0, -Days)}
	accounts := newCompany(rng)
	for i := range accounts {
		t.introduce(&accounts[i])
	}
	for d := 0; d <= Days; d++ {
		for i := range accounts {
			for j := range accounts[i].users {
				t.spendDay(&accounts[i], &accounts[i].users[j], t.first.AddDate(0, 0, d))
			}
		}
	}
	return t.arrive(now)
}

type traffic struct {
	rng   *rand.Rand
	first time.Time
	calls []Call
}

func (t *traffic) add(c Call) {
	c.MessageID = "demo-" + uuid(t.rng)
	t.calls = append(t.calls, c)
}

// introduce sends what a customer's product sends when it is set up: the account, then its people.
func (t *traffic) introduce(a *account) {
	traits := map[string]any{
		"name": a.name, "industry": a.industry, "employees": a.employees, "plan": a.tier, "tier": a.tier, "lifecycle_stage": a.stage,
		"createdAt": t.first.AddDate(0, -1-t.rng.IntN(30), 0).Format(time.RFC3339),
	}
	if !a.complete {
		delete(traits, "createdAt")
	}
	at := t.first.Add(time.Duration(t.rng.IntN(3600)) * time.Second)
	for i, u := range a.users {
		if i == 0 {
			t.add(Call{Type: "group", Timestamp: at, AnonymousID: u.device, UserID: u.id, GroupID: a.id, Traits: traits})
		}
		t.add(Call{
			Type: "identify", Timestamp: at.Add(time.Duration(i+1) * time.Second), AnonymousID: u.device, UserID: u.id,
			Context: map[string]any{"groupId": a.id},
			Traits: map[string]any{
				"firstName": u.first, "lastName": u.last, "title": u.title,
				"email": fmt.Sprintf("%s.%s@%s.example", u.first, u.last, a.id[len("acct-"):]),
			},
		})
	}
}

// spendDay is one user's day at the product: no session, one or two.
func (t *traffic) spendDay(a *account, u *user, day time.Time) {
	weekend := day.Weekday() == time.Saturday || day.Weekday() == time.Sunday
	for range 2 {
		// The dice are thrown the same number of times whatever they show, so that each day looks the same whenever it is invented.
		came, second, calls := t.rng.Float64(), t.rng.IntN(9*3600), 2+t.rng.IntN(14)
		if came < a.eagerness*0.6 && !weekend {
			t.session(a, u, day.Add(8*time.Hour+time.Duration(second)*time.Second), calls)
		}
	}
}

// session is a user at work: a module is opened, features of it are used, then another module.
func (t *traffic) session(a *account, u *user, at time.Time, calls int) {
	module := -1
	for range calls {
		c := Call{Timestamp: at, AnonymousID: u.device, UserID: u.id}
		// Many products name the account on every call; some calls leave it to be known from the others.
		if t.rng.IntN(10) < 7 {
			c.Context = map[string]any{"groupId": a.id}
			if u.also != "" && t.rng.IntN(2) == 0 {
				c.Context = map[string]any{"groupId": u.also}
			}
		}
		if module < 0 || t.rng.IntN(5) == 0 {
			module = pick(t.rng, a.modules)
			c.Type, c.Name = "page", product[module].module
			c.Properties = map[string]any{"module": product[module].module, "path": fmt.Sprintf("/%d", module)}
		} else {
			features := product[module].features
			c.Type, c.Event = "track", features[min(t.rng.IntN(len(features)), t.rng.IntN(len(features)))]
			c.Properties = map[string]any{"module": product[module].module}
		}
		t.add(c)
		at = at.Add(time.Duration(5+t.rng.ExpFloat64()*100) * time.Second)
	}
}

// arrive puts the calls up to now into the order in which they reach Sojourn.
func (t *traffic) arrive(now time.Time) []Call {
	var calls, late []Call
	for i, c := range t.calls {
		if c.Timestamp.After(now) {
			continue
		}
		switch i % 20 {
		case 7:
			late = append(late, c)
		case 13:
			calls = append(calls, c, c)
		default:
			calls = append(calls, c)
		}
	}
	slices.SortStableFunc(calls, func(a, b Call) int { return a.Timestamp.Compare(b.Timestamp) })
	calls = append(calls, late...)
	// A release of the imaginary product that forgot the event's name, and one that knew no user.
	return append(calls,
		Call{Type: "track", MessageID: "demo-broken-1", Timestamp: t.first, AnonymousID: "broken", UserID: "user-001"},
		Call{Type: "track", MessageID: "demo-broken-2", Timestamp: t.first, AnonymousID: "broken", Event: "Widget Added"},
	)
}
