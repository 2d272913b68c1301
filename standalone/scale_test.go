//go:build scale

package standalone_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/proto"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
	eventsv1 "github.com/sojournhq/sojourn/proto/sojourn/events/v1"
	identityv1 "github.com/sojournhq/sojourn/proto/sojourn/identity/v1"
	reportv1 "github.com/sojournhq/sojourn/proto/sojourn/report/v1"
	segmentv1 "github.com/sojournhq/sojourn/proto/sojourn/segment/v1"
	sessionsv1 "github.com/sojournhq/sojourn/proto/sojourn/sessions/v1"
)

var (
	scaleEvents   = flag.Int("events", 10_000_000, "how many uses of features")
	scaleUsers    = flag.Int("users", 100_000, "of how many users")
	scaleAccounts = flag.Int("accounts", 2000, "of how many accounts")
)

// TestScale fills a data directory with a year of a large company's customers and prints how large it is and how long each question takes.
// It asserts nothing about time: `make scale` prints, and a person reads.
func TestScale(t *testing.T) {
	const batch = 10_000
	r := run(t, workspace.Workspace{ID: "w"})
	c := &customers{random: rand.New(rand.NewPCG(1, 1))}
	var took struct{ identity, events, sessions time.Duration }
	began := time.Now()
	r.record("w", c.known())
	for n := 0; n < *scaleEvents; n += batch {
		calls := c.visits(n, batch)
		took.identity += timed(func() { r.toIdentity("w", calls) })
		var group errgroup.Group
		group.Go(func() error { took.events += timed(func() { r.toEvents("w", calls) }); return nil })
		group.Go(func() error { took.sessions += timed(func() { r.toSessions("w", calls) }); return nil })
		if err := group.Wait(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d calls in %v; a call costs identity %v, events %v, sessions %v", *scaleEvents, time.Since(began).Round(time.Second),
		took.identity/time.Duration(*scaleEvents), took.events/time.Duration(*scaleEvents), took.sessions/time.Duration(*scaleEvents))
	for _, file := range []string{"identity.db", "events.db", "sessions.db"} {
		if info, err := os.Stat(filepath.Join(r.dir, file)); err != nil || info.Size() == 0 {
			t.Error(err)
		} else {
			t.Logf("%s: %d MiB, %d bytes a call", file, info.Size()>>20, info.Size()/int64(*scaleEvents))
		}
	}
	r.ask(c.day(*scaleEvents))
}

func timed(do func()) time.Duration {
	began := time.Now()
	do()
	return time.Since(began)
}

// customers invents calls in the order of time: each user belongs to one account and comes on some days, for some minutes.
type customers struct{ random *rand.Rand }

// day is that of the nth use: the whole lasts a year.
func (*customers) day(n int) time.Time {
	return midnight.Add(time.Duration(float64(n) / float64(*scaleEvents) * 365 * 24 * float64(time.Hour)))
}

// known makes all accounts and users known.
func (c *customers) known() (calls []*segmentv1.Call) {
	trait := func(path, text string) *segmentv1.Trait {
		return &segmentv1.Trait{Path: path, Value: &segmentv1.Value{Kind: &segmentv1.Value_String_{String_: text}}}
	}
	for a := range *scaleAccounts {
		calls = append(calls, &segmentv1.Call{
			Type: segmentv1.CallType_CALL_TYPE_GROUP, MessageId: fmt.Sprint("g", a), TimeMs: midnight.UnixMilli(), OriginalTimeMs: midnight.UnixMilli(),
			AccountId: fmt.Sprint("account ", a), Traits: []*segmentv1.Trait{trait("name", fmt.Sprint("Account ", a)), trait("createdAt", "2024-01-01")},
			Source: "web",
		})
	}
	return calls
}

// visits returns uses from the nth on: of people who stay for about ten.
func (c *customers) visits(n, count int) (calls []*segmentv1.Call) {
	for len(calls) < count {
		user := c.random.IntN(*scaleUsers)
		at := c.day(n + len(calls))
		for range 1 + c.random.IntN(20) {
			at = at.Add(time.Duration(c.random.IntN(240)) * time.Second)
			module := c.random.IntN(12)
			calls = append(calls, &segmentv1.Call{
				Type: segmentv1.CallType_CALL_TYPE_TRACK, MessageId: fmt.Sprintf("%08x-%04x-4000-8000-%012x", c.random.Uint32(), c.random.IntN(1<<16), c.random.Uint64N(1<<48)),
				TimeMs: at.UnixMilli(), OriginalTimeMs: at.UnixMilli(), AnonymousId: fmt.Sprintf("%08x-1111-4000-8000-000000000000", user),
				UserId: fmt.Sprint("user ", user), AccountId: fmt.Sprint("account ", user%*scaleAccounts), Source: "web",
				Module: fmt.Sprint("module ", module), Feature: fmt.Sprintf("feature %d.%d", module, c.random.IntN(8)),
			})
		}
	}
	return calls[:count]
}

// ask asks every kind of question three times and prints how long the fastest answer took.
func (r *running) ask(now time.Time) {
	ninety, today := now.AddDate(0, 0, -89).Format(time.DateOnly), now.Format(time.DateOnly)
	account, user := proto.String("account 7"), proto.String("user 7")
	b := r.suite.Backends()
	events, times := eventsv1.NewQueryServiceClient(b.Events), sessionsv1.NewQueryServiceClient(b.Sessions)
	identity := identityv1.NewQueryServiceClient(b.Identity)
	ctx := r.t.Context()
	for _, q := range []struct {
		name string
		ask  func() (proto.Message, error)
	}{
		{"QueryUsage: 90 days of an account by module", func() (proto.Message, error) {
			return events.QueryUsage(ctx, &eventsv1.QueryUsageRequest{
				Workspace: "w", FromDay: ninety, ToDay: today, AccountId: account, GroupBy: []eventsv1.GroupBy{eventsv1.GroupBy_GROUP_BY_MODULE},
			})
		}},
		{"QueryUsage: 90 days of all by account", func() (proto.Message, error) {
			return events.QueryUsage(ctx, &eventsv1.QueryUsageRequest{
				Workspace: "w", FromDay: ninety, ToDay: today, GroupBy: []eventsv1.GroupBy{eventsv1.GroupBy_GROUP_BY_ACCOUNT}, PageSize: 1000,
			})
		}},
		{"QueryTime: 90 days of an account by module", func() (proto.Message, error) {
			return times.QueryTime(ctx, &sessionsv1.QueryTimeRequest{
				Workspace: "w", FromDay: ninety, ToDay: today, AccountId: account, GroupBy: []sessionsv1.GroupBy{sessionsv1.GroupBy_GROUP_BY_MODULE},
			})
		}},
		{"QueryTime: 90 days of all by account", func() (proto.Message, error) {
			return times.QueryTime(ctx, &sessionsv1.QueryTimeRequest{
				Workspace: "w", FromDay: ninety, ToDay: today, GroupBy: []sessionsv1.GroupBy{sessionsv1.GroupBy_GROUP_BY_ACCOUNT}, PageSize: 1000,
			})
		}},
		{"ListSessions: 100 of a user", func() (proto.Message, error) {
			return times.ListSessions(ctx, &sessionsv1.ListSessionsRequest{Workspace: "w", UserId: user})
		}},
		{"ListEvents: 100 of an account", func() (proto.Message, error) {
			return events.ListEvents(ctx, &eventsv1.ListEventsRequest{Workspace: "w", AccountId: account})
		}},
		{"ListUsers: 100", func() (proto.Message, error) {
			return identity.ListUsers(ctx, &identityv1.ListUsersRequest{Workspace: "w"})
		}},
		{"ListAccounts: 100", func() (proto.Message, error) {
			return identity.ListAccounts(ctx, &identityv1.ListAccountsRequest{Workspace: "w"})
		}},
		{"GetAccountUsage: 90 days", func() (proto.Message, error) {
			return r.reports.GetAccountUsage(ctx, &reportv1.GetAccountUsageRequest{Workspace: "w", AccountId: *account, FromDay: ninety, ToDay: today})
		}},
		{"GetAccountOverview", func() (proto.Message, error) {
			return r.reports.GetAccountOverview(ctx, &reportv1.GetAccountOverviewRequest{Workspace: "w", AccountId: *account, AsOfDay: today})
		}},
		{"ListAccountActivity: the first 100 of all", func() (proto.Message, error) {
			return r.reports.ListAccountActivity(ctx, &reportv1.ListAccountActivityRequest{Workspace: "w", AsOfDay: today})
		}},
	} {
		best := time.Hour
		var size int
		for range 3 {
			best = min(best, timed(func() {
				answer, err := q.ask()
				if err != nil {
					r.t.Error(q.name, err)
					return
				}
				size = proto.Size(answer)
			}))
		}
		r.t.Logf("%-45s %10v  %d bytes", q.name, best.Round(100*time.Microsecond), size)
	}
}
