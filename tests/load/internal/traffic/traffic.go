// Package traffic invents the calls of a load: a stream that is a function of its configuration alone, so that what was sent can be computed
// again from the numbers of the calls that were answered, without keeping any of it.
package traffic

import (
	"errors"
	"math"
	"time"
)

// Kind is the type of a call.
type Kind string

// The kinds, and how many of a hundred calls are of each.
const (
	Track    Kind = "track"
	Identify Kind = "identify"
	Page     Kind = "page"
	Group    Kind = "group"

	identifyPercent = 10
	pagePercent     = 7
	groupPercent    = 3
	// One call in so many is the copy of one of the last copiesOf, and one is late by up to lateBy.
	copiedOneIn = 20
	lateOneIn   = 20
	copiesOf    = 1000
	lateBy      = 72 * time.Hour
	// One call in so many does not name its account, and one comes from its user's other device.
	unnamedOneIn = 5
	otherOneIn   = 4
)

// Config is what a stream depends on.
type Config struct {
	Seed uint64 `json:"seed"`
	// Users and Accounts is how many there are; a user belongs to one account.
	Users    int `json:"users"`
	Accounts int `json:"accounts"`
	// UserSkew and AccountSkew are the exponents of Zipf's law by which calls choose users, and users their accounts.
	UserSkew    float64 `json:"userSkew"`
	AccountSkew float64 `json:"accountSkew"`
	// From call to call event time goes on by Step, from Start on; after Span it begins again at Start, so that it never reaches the future.
	Start time.Time     `json:"start"`
	Step  time.Duration `json:"stepNs"`
	Span  time.Duration `json:"spanNs"`
	// Calls come in visits: VisitCalls of one user on one device, Pause apart, or Step where that is longer, while as many other visits go on
	// as Step leaves room for. With 1, every call chooses its user for itself.
	VisitCalls int           `json:"visitCalls"`
	Pause      time.Duration `json:"pauseNs"`
	// Strangers makes every call come from a device that no other call comes from: each is a session of its own.
	Strangers bool `json:"strangers"`
}

// Stream is an endless sequence of calls, numbered from 0. It may be used by many at once.
type Stream struct {
	config          Config
	users, accounts zipf
	startMS         int64
	visits          uint64 // that go on at once
}

// Check returns an error that names what no stream can be made of, as the flags of the load call it.
func (c Config) Check() error {
	switch {
	case c.Users < 1:
		return errors.New("users: want 1 at least")
	case c.Accounts < 1:
		return errors.New("accounts: want 1 at least")
	case c.Step <= 0:
		return errors.New("step: want more than 0")
	case c.Span <= 0:
		return errors.New("span: want more than 0")
	case c.VisitCalls < 1:
		return errors.New("visit-calls: want 1 at least")
	case c.Pause < 0:
		return errors.New("pause: want 0 at least")
	}
	return nil
}

// New returns the stream of a configuration that Check finds nothing wrong with.
func New(c Config) *Stream {
	return &Stream{
		config: c, users: newZipf(c.Users, c.UserSkew), accounts: newZipf(c.Accounts, c.AccountSkew),
		startMS: c.Start.UnixMilli(), visits: uint64(max(c.Pause/c.Step, 1)),
	}
}

// Call is one call.
type Call struct {
	// Number is the number of the first call like this one: a copy has that of what it copies.
	Number uint64
	Kind   Kind
	TimeMS int64
	// User and Account are numbers; Named says whether the call names its account, as a group call always does.
	User, Account int
	Named         bool
	Late          bool
	Feature       Feature
	device        uint64
	noise         uint64
}

// Call returns the n-th call.
func (s *Stream) Call(n uint64) Call {
	if first, copied := s.copies(n); copied {
		return s.first(first)
	}
	return s.first(n)
}

// copies returns the call that the n-th one is a copy of, if it is one.
func (s *Stream) copies(n uint64) (first uint64, copied bool) {
	r := mix(s.config.Seed ^ mix(n^0xc0))
	if n == 0 || r%copiedOneIn != 0 {
		return n, false
	}
	first = n - 1 - (r>>8)%min(n, copiesOf)
	for ; first > 0; first-- { // what is copied is no copy itself
		if mix(s.config.Seed^mix(first^0xc0))%copiedOneIn != 0 {
			break
		}
	}
	return first, true
}

func (s *Stream) first(n uint64) Call {
	r := mix(s.config.Seed + mix(n))
	c := Call{Number: n, Kind: kind(r % 100), Named: r>>8%unnamedOneIn != 0, Late: r>>16%lateOneIn == 0, noise: mix(r)}
	visit := s.visit(n, r)
	c.User = s.users.rank(mix(visit))
	c.Account = s.AccountOf(c.User)
	c.Feature = features[mix(c.noise)%uint64(len(features))]
	c.device = mix(uint64(c.User)<<1 + one(visit>>32%otherOneIn == 0) + s.config.Seed)
	if s.config.Strangers {
		c.device = mix(n ^ s.config.Seed<<32)
	}
	c.Named = c.Named || c.Kind == Group
	c.TimeMS = s.startMS + (int64(n)*int64(s.config.Step)%int64(s.config.Span))/int64(time.Millisecond)
	if c.Late {
		c.TimeMS -= int64(mix(c.noise+1) % uint64(lateBy.Milliseconds()))
	}
	return c
}

// visit returns what is random in the visit that the n-th call is of. Visits take turns; they begin and end at different calls of theirs.
func (s *Stream) visit(n, random uint64) uint64 {
	if s.config.VisitCalls <= 1 {
		return random
	}
	turn, place := n/s.visits, n%s.visits
	calls := uint64(s.config.VisitCalls)
	return mix(s.config.Seed ^ mix(place<<32|(turn+mix(place)%calls)/calls))
}

// AccountOf returns the account of a user.
func (s *Stream) AccountOf(user int) int {
	return s.accounts.rank(mix(uint64(user) ^ s.config.Seed<<16))
}

func kind(percent uint64) Kind {
	switch {
	case percent < identifyPercent:
		return Identify
	case percent < identifyPercent+pagePercent:
		return Page
	case percent < identifyPercent+pagePercent+groupPercent:
		return Group
	default:
		return Track
	}
}

func one(yes bool) uint64 {
	if yes {
		return 1
	}
	return 0
}

// mix is the finalizer of SplitMix64: it spreads consecutive numbers over all of them.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// zipf draws ranks from 0 to n-1 with a probability that falls as (rank+1)^-skew, by inverting the distribution's continuous form: that needs
// neither tables nor repetition, so that a draw is a function of one number.
type zipf struct {
	n       int
	power   float64 // 1 - skew
	highest float64 // (n+1)^power - 1, or ln(n+1) where power is 0
}

func newZipf(n int, skew float64) zipf {
	z := zipf{n: n, power: 1 - skew}
	if z.power == 0 {
		z.highest = math.Log(float64(n) + 1)
	} else {
		z.highest = math.Pow(float64(n)+1, z.power) - 1
	}
	return z
}

func (z zipf) rank(random uint64) int {
	u := float64(random>>11) / (1 << 53)
	var x float64
	if z.power == 0 {
		x = math.Exp(u * z.highest)
	} else {
		x = math.Pow(1+u*z.highest, 1/z.power)
	}
	return min(max(int(x)-1, 0), z.n-1)
}
