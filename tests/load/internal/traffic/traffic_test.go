package traffic_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/sojournhq/sojourn/tests/load/internal/traffic"
)

func stream(seed uint64) *traffic.Stream {
	return traffic.New(traffic.Default(seed, time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)))
}

func TestTheMixIsAsPromised(t *testing.T) {
	const n = 100_000
	config := traffic.Default(1, time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC))
	config.VisitCalls = 1 // so that each call chooses its user, and 100,000 are enough to see by what law
	s := traffic.New(config)
	kinds, users, accounts := map[traffic.Kind]float64{}, map[int]int{}, map[int]int{}
	copies, late, named := 0.0, 0.0, 0.0
	for i := range uint64(n) {
		c := s.Call(i)
		kinds[c.Kind]++
		users[c.User]++
		accounts[c.Account]++
		if c.Number != i {
			copies++
			if c.Number > i || i-c.Number > 1100 {
				t.Fatalf("call %d copies %d", i, c.Number)
			}
		}
		if c.Late {
			late++
		}
		if c.Named {
			named++
		}
	}
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got/n-want) > want/20 {
			t.Errorf("%s: %.4f of all calls, want %.4f", what, got/n, want)
		}
	}
	near("track", kinds[traffic.Track], 0.80)
	near("identify", kinds[traffic.Identify], 0.10)
	near("page", kinds[traffic.Page], 0.07)
	near("group", kinds[traffic.Group], 0.03)
	near("copies", copies, 0.05)
	near("late", late, 0.05)
	near("naming the account", named, 0.8+0.2*0.03)
	// By Zipf's law a few users make much of the load, and most of them are seen little.
	if len(users) < 25_000 || users[0] < 20*n/len(users) || len(accounts) < 1_800 || accounts[0] < 20*n/len(accounts) {
		t.Errorf("%d users, the first with %d calls; %d accounts, the first with %d", len(users), users[0], len(accounts), accounts[0])
	}
}

func TestCallsComeInVisits(t *testing.T) {
	config := traffic.Default(1, time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC))
	config.Users, config.UserSkew = 1<<40, 0 // so many that none comes back
	s := traffic.New(config)
	last, calls := map[string]int64{}, map[string]int{}
	for i := range uint64(200_000) {
		c := s.Call(i)
		if c.Number != i || c.Late {
			continue
		}
		device := s.AnonymousID(c)
		if before, seen := last[device]; seen && (c.TimeMS-before)%config.Pause.Milliseconds() != 0 {
			t.Fatalf("call %d comes %d ms after the one before it in its visit", i, c.TimeMS-before)
		}
		last[device] = c.TimeMS
		calls[device]++
	}
	whole := 0
	for _, n := range calls {
		if n > config.VisitCalls {
			t.Fatalf("a visit has %d calls", n)
		}
		if n >= config.VisitCalls*3/4 {
			whole++
		}
	}
	// Of 200,000 calls, 5,000 at once, the first and the last of a place are cut off. A tenth of the calls are copies or late.
	if least := 200_000 / config.VisitCalls; len(calls) < least || len(calls) > least+5_100 || whole < least*3/4 {
		t.Errorf("%d visits, %d of them whole, want %d and up to 5,100 more", len(calls), whole, least)
	}
}

func TestWhatNoStreamCanBeMadeOfIsNamed(t *testing.T) {
	sound := traffic.Default(1, time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC))
	if err := sound.Check(); err != nil {
		t.Errorf("the default: %v", err)
	}
	for name, spoil := range map[string]func(*traffic.Config){
		"users":       func(c *traffic.Config) { c.Users = 0 },
		"accounts":    func(c *traffic.Config) { c.Accounts = 0 },
		"step":        func(c *traffic.Config) { c.Step = 0 },
		"span":        func(c *traffic.Config) { c.Span = 0 },
		"visit-calls": func(c *traffic.Config) { c.VisitCalls = 0 },
		"pause":       func(c *traffic.Config) { c.Pause = -1 },
	} {
		c := sound
		spoil(&c)
		if err := c.Check(); err == nil || !strings.HasPrefix(err.Error(), name+": ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheSameSeedMakesTheSameCallsAndAnotherOthers(t *testing.T) {
	a, b, other := stream(7), stream(7), stream(8)
	same := 0
	for i := range uint64(2000) {
		text := string(a.Append(nil, a.Call(i)))
		if again := string(b.Append(nil, b.Call(i))); again != text {
			t.Fatalf("call %d is once %s and once %s", i, text, again)
		}
		if string(other.Append(nil, other.Call(i))) == text {
			same++
		}
	}
	if same > 0 {
		t.Errorf("%d calls are the same under another seed", same)
	}
}

func TestCallsAreJSONOfARealisticLength(t *testing.T) {
	s := stream(3)
	length, tracks := 0, 0
	ids := map[string]bool{}
	for i := range uint64(5000) {
		c := s.Call(i)
		text := s.Append(nil, c)
		var read struct {
			Type, MessageID, AnonymousID, UserID, Event, GroupID string
			OriginalTimestamp                                    time.Time
			Context                                              struct{ GroupID string }
			Traits                                               map[string]any
			Properties                                           struct{ Module string }
		}
		if err := json.Unmarshal(text, &read); err != nil {
			t.Fatalf("call %d: %v in %s", i, err, text)
		}
		if read.MessageID != s.MessageID(c) || read.AnonymousID != s.AnonymousID(c) || read.UserID != s.UserID(c.User) ||
			read.OriginalTimestamp.UnixMilli() != c.TimeMS || read.Type != string(c.Kind) {
			t.Fatalf("call %d does not say what it is: %s", i, text)
		}
		if account := read.GroupID + read.Context.GroupID; (account != "") != c.Named || c.Named && account != s.AccountID(c.Account) {
			t.Fatalf("call %d names account %q, want %q: %v", i, account, s.AccountID(c.Account), c.Named)
		}
		if c.Number == i && ids[read.MessageID] {
			t.Fatalf("call %d has the message id of another one", i)
		}
		ids[read.MessageID] = true
		if c.Kind == traffic.Track {
			length, tracks = length+len(text), tracks+1
			if read.Event != c.Feature.Name || read.Properties.Module != c.Feature.Module {
				t.Fatalf("call %d is no use of %v: %s", i, c.Feature, text)
			}
		}
	}
	if mean := length / tracks; mean < 700 || mean > 728 {
		t.Errorf("a track call has %d bytes, want about 714: %s", mean, strings.TrimSpace(string(s.Append(nil, s.Call(1)))))
	}
}

func TestEventTimeStaysWithinItsSpan(t *testing.T) {
	config := traffic.Default(1, time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC))
	config.Span = time.Minute
	s := traffic.New(config)
	for i := range uint64(20_000) {
		c := s.Call(i)
		at := time.UnixMilli(c.TimeMS)
		if !at.Before(config.Start.Add(config.Span)) || !c.Late && at.Before(config.Start) {
			t.Fatalf("call %d is of %v", i, at)
		}
	}
}

func BenchmarkAppend(b *testing.B) {
	s, body, n := stream(1), []byte(nil), uint64(0)
	b.ReportAllocs()
	for b.Loop() {
		body = s.Append(body[:0], s.Call(n))
		n++
	}
}
