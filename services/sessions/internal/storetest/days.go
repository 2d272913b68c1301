package storetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/day"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// testCrowdedDays records days on which two users visit more modules than one row holds, late and over midnights, deletes what one of them
// did up to a time, and holds the time of some and of all modules and days against the oracle.
func testCrowdedDays(t *testing.T, open Driver) {
	for seed := range uint64(4) {
		random := rand.New(rand.NewPCG(seed, 2))
		history := crowdedDays(random, 60)
		d := newDriver(t, open)
		order := slices.Clone(history)
		random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for len(order) > 0 {
			n := min(len(order), 1+random.IntN(40))
			d.record("w", order[:n]...)
			if order = order[n:]; random.IntN(4) == 0 {
				d.reopen()
			}
		}
		compareDays(t, d, Oracle{history, d.rules})
		until := history[random.IntN(len(history))].TimeMS
		d.deleteUser("w", "u0", until)
		rest := slices.DeleteFunc(slices.Clone(history), func(c call.Call) bool { return c.UserID == "u0" && c.TimeMS <= until })
		compareDays(t, d, Oracle{rest, d.rules})
		d.deleteUser("w", "u0", epoch+10*dayMS)
		d.deleteUser("w", "u1", epoch+10*dayMS)
		compareDays(t, d, Oracle{nil, d.rules})
		d.finish()
	}
}

// crowdedDays returns three days of two users who go through so many modules on two anonymousIds each.
func crowdedDays(random *rand.Rand, modules int) (history []call.Call) {
	for i := range 4 {
		at := epoch + random.Int64N(60)*minute
		for at < epoch+3*dayMS {
			at += 1 + random.Int64N(35*minute)
			history = append(history, call.Call{
				Type: call.Track, AnonymousID: fmt.Sprint("s", i), UserID: fmt.Sprint("u", i%2), Module: fmt.Sprint("m", random.IntN(modules)),
				AccountID: []string{"a1", "a1", ""}[random.IntN(3)], MessageID: fmt.Sprintf("%x", random.Uint64()), TimeMS: at, OriginalMS: at,
			})
		}
	}
	return history
}

func compareDays(t *testing.T, d *driver, want Oracle) {
	t.Helper()
	first := day.Of(epoch)
	checkActivity(t, d.store, "w", "a1", want.Time(session.TimeQuery{Days: day.Span{To: day.Max}, By: everyColumn()}))
	for _, days := range []day.Span{{To: day.Max}, {From: first + 1, To: first + 1}, {From: first + 1, To: first + 2}} {
		compareTime(t, d.store, want, session.TimeQuery{Days: days})
		compareTime(t, d.store, want, session.TimeQuery{Days: days, By: everyColumn()})
		for _, module := range []string{"m0", "m31", "m32", "m59"} {
			q := session.TimeQuery{Days: days, Module: ptr(module)}
			compareTime(t, d.store, want, q)
			q.By[session.ByDay], q.By[session.ByUser] = true, true
			compareTime(t, d.store, want, q)
		}
	}
}
