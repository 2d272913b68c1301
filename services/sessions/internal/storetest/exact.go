package storetest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/day"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// Histories records as many random histories as it is told, each in as many orders, in batches of any size, some calls twice and timers
// firing in between, and holds sessions and time against the oracle. Each order of each history has a workspace of its own in one store.
func Histories(t *testing.T, kind Driver, seed uint64, histories, permutations int) {
	inManyOrders(t, kind, seed, histories, permutations, randomHistory)
}

// Scattered is Histories of points that mostly are sessions by themselves, many of them by a millisecond.
func Scattered(t *testing.T, kind Driver, seed uint64, histories, permutations int) {
	inManyOrders(t, kind, seed, histories, permutations, scatteredHistory)
}

func inManyOrders(
	t *testing.T, kind Driver, seed uint64, histories, permutations int, newHistory func(*rand.Rand, string) []call.Call,
) {
	t.Helper()
	d := newDriver(t, kind)
	defer d.finish()
	var group sync.WaitGroup
	slots := make(chan struct{}, 64) // what waits for one commit shares it
	for h := range histories {
		random := rand.New(rand.NewPCG(seed, uint64(h)))
		history := newHistory(random, fmt.Sprint(h))
		oracle := Oracle{history, d.rules}
		wantSessions := oracle.Views(1 << 60)
		wantTime := oracle.Time(session.TimeQuery{Days: day.Span{To: day.Max}, By: everyColumn()})
		for p := range permutations {
			order := append(slices.Clone(history), history[:random.IntN(len(history))]...)
			random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
			sizes := rand.New(rand.NewPCG(random.Uint64(), 0))
			slots <- struct{}{}
			group.Go(func() {
				defer func() { <-slots }()
				workspace := fmt.Sprintf("history %d, order %d", h, p)
				recordInBatches(t, d.store, workspace, order, sizes)
				check(t, d.store, workspace, wantSessions, wantTime)
			})
		}
	}
	group.Wait()
}

// Crowded records very many sessions on few anonymousIds, a third of their points late, and holds the outcome against the oracle.
func Crowded(t *testing.T, kind Driver, seed uint64, sessions, points int) {
	d := newDriver(t, kind)
	defer d.finish()
	random := rand.New(rand.NewPCG(seed, 1))
	const anonymousIDs = 4
	type delivery struct {
		place float64 // in the order of arrival
		call  call.Call
	}
	var deliveries []delivery
	for i := range sessions {
		at := epoch + int64(i/anonymousIDs)*2*60*minute + random.Int64N(50)*minute
		for range points {
			at += random.Int64N(12 * minute)
			c := call.Call{
				Type: call.Track, AnonymousID: fmt.Sprint("s", i%anonymousIDs), MessageID: fmt.Sprintf("%x", random.Uint64()),
				TimeMS: at, OriginalMS: at, UserID: fmt.Sprint("u", i/anonymousIDs%7), Module: []string{"", "m1", "m2"}[random.IntN(3)],
			}
			late := 0.0
			if random.IntN(3) == 0 {
				late = random.ExpFloat64() * 60 * float64(60*minute)
			}
			deliveries = append(deliveries, delivery{float64(at) + late, c})
		}
	}
	slices.SortFunc(deliveries, func(a, b delivery) int { return cmpFloat(a.place, b.place) })
	history := make([]call.Call, len(deliveries))
	for i := range deliveries {
		history[i] = deliveries[i].call
	}
	recordInBatches(t, d.store, "crowded", history, random)
	oracle := Oracle{history, d.rules}
	views := oracle.Views(1 << 60)
	check(t, d.store, "crowded", views, oracle.Time(session.TimeQuery{Days: day.Span{To: day.Max}, By: everyColumn()}))
	t.Logf("%d calls, %d sessions", len(history), len(views))
}

func cmpFloat(a, b float64) int {
	if a < b {
		return -1
	}
	return 1
}

func recordInBatches(t *testing.T, store session.Store, workspace string, calls []call.Call, random *rand.Rand) {
	for len(calls) > 0 {
		n := 1 + random.IntN(min(len(calls), 200))
		if _, err := store.Record(context.Background(), workspace, calls[:n]); err != nil {
			t.Error(err)
			return
		}
		if random.IntN(4) == 0 {
			if _, err := store.EndDue(context.Background(), calls[0].TimeMS+random.Int64N(dayMS), 1000); err != nil {
				t.Error(err)
			}
		}
		calls = calls[n:]
	}
}

// check compares all sessions and all time of a workspace.
func check(t *testing.T, store session.Store, workspace string, sessions []session.View, rows []session.TimeRow) {
	t.Helper()
	var got []session.View
	var after *session.First
	for {
		page, err := store.Sessions(context.Background(), workspace, everything(1<<60), after, 1000)
		if err != nil {
			t.Error(err)
			return
		}
		if len(page) == 0 {
			break
		}
		got = append(got, page...)
		after = &page[len(page)-1].First
	}
	if diff := cmp.Diff(sessions, got, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(session.View{}, "Revision")); diff != "" {
		t.Errorf("sessions of %s (-want +got):\n%s", workspace, diff)
	}
	time, err := store.Time(context.Background(), workspace, session.TimeQuery{Days: day.Span{To: day.Max}, By: everyColumn()})
	if err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(rows, time, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("time of %s (-want +got):\n%s", workspace, diff)
	}
	checkActivity(t, store, workspace, "a1", rows)
}

// randomHistory returns calls that often meet: few ids, pauses around the timeout, now and then a day.
func randomHistory(random *rand.Rand, name string) (history []call.Call) {
	return historyOf(random, name, []int64{
		0, 0, 1, minute, 4 * minute, 6 * minute, 29 * minute, 30 * minute, 30*minute + 1, 3 * 60 * minute, 12 * 60 * minute,
	})
}

// scatteredHistory returns calls that seldom meet, and often miss each other by a millisecond.
func scatteredHistory(random *rand.Rand, name string) (history []call.Call) {
	return historyOf(random, name, []int64{
		0, 1, 30*minute - 1, 30 * minute, 30*minute + 1, 30*minute + 1, 30*minute + 2, 60*minute + 1, 12 * 60 * minute,
	})
}

// historyOf returns calls of few ids, with some of the gaps between one and the next.
func historyOf(random *rand.Rand, name string, gaps []int64) (history []call.Call) {
	at := epoch
	for i := range 5 + random.IntN(45) {
		at += gaps[random.IntN(len(gaps))]
		c := call.Call{
			Type: call.Track, TimeMS: at, OriginalMS: at, MessageID: fmt.Sprintf("%s/%x", name, random.Uint32()),
			AnonymousID: []string{"s1", "s1", "s1", "s2"}[random.IntN(4)], UserID: []string{"", "", "u1", "u1", "u1", "u2"}[random.IntN(6)],
			AccountID: []string{"", "", "", "", "", "a1", "a2"}[random.IntN(7)], Module: []string{"", "", "m1", "m2"}[random.IntN(4)],
		}
		if i%3 == 0 { // UUIDs sort otherwise in keys than as text
			c.MessageID = fmt.Sprintf("%s-%08x-0000-4000-8000-000000000000", name, random.Uint32())
		}
		if random.IntN(40) == 0 {
			c.Type, c.UserID, c.PreviousID = call.Alias, "u1", []string{"u2", "u3"}[random.IntN(2)]
		}
		history = append(history, c)
	}
	return history
}
