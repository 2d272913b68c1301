package storetest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/day"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

func testFeed(t *testing.T, open Driver) {
	d := newDriver(t, open)
	defer d.finish()
	w := newWatcher(t)
	named := func(c call.Call, user string) call.Call { c.UserID = user; return c }
	for _, step := range []struct {
		what   string
		record []call.Call
		want   []string // told: start-end in minutes, and in brackets the starts of those replaced
	}{
		{"two sessions end", []call.Call{point(100), named(point(140), "v")}, []string{"100-100", "140-140"}},
		{"a copy is not told", []call.Call{point(100)}, nil},
		{"a late point merges them", []call.Call{point(120)}, []string{"100-140 [140]"}},
		{"one before the first takes its place", []call.Call{point(80)}, []string{"80-140 [100]"}},
		{"several changes at once are one revision", []call.Call{point(150), point(160)}, []string{"80-160"}},
		{"another user splits it, and a session that was replaced is back", []call.Call{named(point(110), "u")}, []string{"80-120", "140-160"}},
		{"one elsewhere leaves the others alone", []call.Call{point(500)}, []string{"500-500"}},
	} {
		before := len(w.told)
		d.record("w", step.record...)
		d.endAll()
		d.reopen()
		w.read(d.store, true)
		var got []string
		for _, c := range w.told[before:] {
			text := fmt.Sprintf("%d-%d", (c.Session.First.Start.TimeMS-epoch)/minute, (c.Session.EndMS-epoch)/minute)
			if len(c.Replaces) > 0 {
				var starts []int64
				for _, id := range c.Replaces {
					starts = append(starts, (id.StartMS-epoch)/minute)
				}
				text += fmt.Sprint(" ", starts)
			}
			got = append(got, text)
		}
		slices.Sort(got)
		slices.Sort(step.want)
		if diff := cmp.Diff(step.want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.what, diff)
		}
	}
}

// testFeedOfBackAndForth lets a session that was told be merged, be split off again and be merged again before anything is told.
func testFeedOfBackAndForth(t *testing.T, open Driver) {
	d := newDriver(t, open)
	defer d.finish()
	w := newWatcher(t)
	by := func(user string, minutes int64) call.Call { c := point(minutes); c.UserID = user; return c }
	history := []call.Call{by("u", 0), by("u", 40)}
	d.record("w", history...)
	d.endAll()
	w.read(d.store, false)
	for _, c := range []call.Call{by("u", 20), by("x", 30)} { // merges them, and splits them again
		history = append(history, c)
		d.record("w", c)
	}
	d.endAll()
	w.read(d.store, false)
	w.compare(Oracle{history, d.rules})
	for _, c := range []call.Call{by("y", 31), by("u", 32), by("u", 33), by("z", 34), by("u", 35)} {
		history = append(history, c)
		d.record("w", c)
	}
	d.endAll()
	w.read(d.store, false)
	w.compare(Oracle{history, d.rules})
	views, err := d.store.Sessions(context.Background(), "w", everything(0), nil, 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range views {
		if told := w.newest[v.First.ID()]; told != v.Revision {
			t.Errorf("the session at %d has revision %d, and was told as %d", v.First.Start.TimeMS, v.Revision, told)
		}
	}
}

// testFeedOfManyReplaced makes one session of more than one change can replace.
func testFeedOfManyReplaced(t *testing.T, open Driver) {
	d := newDriver(t, open)
	defer d.finish()
	w := newWatcher(t)
	var left, all []call.Call
	for i := range int64(2400) {
		c := point(0)
		c.TimeMS += i * 1000
		c.OriginalMS, c.MessageID, c.UserID = c.TimeMS, fmt.Sprint("m", i), fmt.Sprint("u", i%2)
		all = append(all, c)
		if i%2 == 0 {
			left = append(left, c)
		}
	}
	d.record("w", all...)
	d.endAll()
	w.read(d.store, false)
	d.deleteUser("w", "u1", epoch+dayMS)
	d.endAll()
	w.forgives = true
	w.read(d.store, false)
	w.compare(Oracle{left, d.rules})
}

// testCopies goes on with a copy of the data: cursors from before it was made are good in both, and those from after only in their own.
func testCopies(t *testing.T, open Driver) {
	d := newDriver(t, open)
	defer d.finish()
	tell := func(d *driver, minutes ...int64) (cursors []session.Cursor) {
		for _, m := range minutes {
			d.record("w", point(m))
		}
		d.endAll()
		changes, _, err := d.store.Changes(context.Background(), "w", session.Cursor{}, 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range changes {
			cursors = append(cursors, c.Cursor)
		}
		return cursors
	}
	tell(d, 0, 100)
	d.close()
	backup := t.TempDir()
	if err := os.CopyFS(backup, os.DirFS(d.dir)); err != nil {
		t.Fatal(err)
	}
	d.reopen()
	original := tell(d, 200, 300, 400)
	restored := &driver{t: t, kind: open, dir: backup, rules: d.rules}
	restored.reopen()
	defer restored.finish()
	copied := tell(restored, 250, 350, 450, 550)
	for i, c := range original {
		_, _, err := restored.store.Changes(context.Background(), "w", c, 1)
		if good := i < 2; good != (err == nil) || !good && !errors.Is(err, session.ErrCursor) {
			t.Errorf("the original's cursor %d in the copy: %v", i+1, err)
		}
	}
	for i, c := range copied {
		_, _, err := d.store.Changes(context.Background(), "w", c, 1)
		if good := i < 2; good != (err == nil) {
			t.Errorf("the copy's cursor %d in the original: %v", i+1, err)
		}
	}
}

// testShortenedTimeout lets running sessions end by a new timeout, long before the timer that was set for the old one.
func testShortenedTimeout(t *testing.T, open Driver) {
	d := newDriver(t, open)
	defer d.finish()
	d.record("w", point(0))
	mend := func() {
		if _, _, err := d.store.MendTimers(context.Background(), nil, 100); err != nil {
			t.Fatal(err)
		}
	}
	mend()
	if d.store.NeedsMending() {
		t.Error("timers are late although nothing changed")
	}
	d.rules.TimeoutMS = 5 * minute
	if !d.store.NeedsMending() {
		t.Error("timers are not late although the timeout is shorter")
	}
	mend()
	if d.store.NeedsMending() {
		t.Error("timers are still late")
	}
	d.endDue(epoch + 5*minute)
	w := newWatcher(t)
	if w.read(d.store, false); len(w.told) != 0 {
		t.Error("ended early")
	}
	d.endDue(epoch + 5*minute + 1)
	if w.read(d.store, false); len(w.told) != 1 {
		t.Error("did not end by the new timeout")
	}
}

func testTrim(t *testing.T, open Driver) {
	d := newDriver(t, open)
	defer d.finish()
	ctx := context.Background()
	start, err := d.store.Newest(ctx, "w")
	if err != nil || start != (session.Cursor{}) {
		t.Fatalf("newest of nothing: %v, %v", start, err)
	}
	for i := range int64(5) {
		d.record("w", point(i*100))
		d.endDue(epoch + i*100*minute + 31*minute)
	}
	all, more, err := d.store.Changes(ctx, "w", session.Cursor{}, 10)
	if err != nil || len(all) != 5 {
		t.Fatalf("%d changes, %v", len(all), err)
	}
	select {
	case <-more:
		t.Error("there is more before anything happened")
	default:
	}
	newest, err := d.store.Newest(ctx, "w")
	if err != nil || newest != all[4].Cursor {
		t.Errorf("newest is %v, %v, want %v", newest, err, all[4].Cursor)
	}
	for _, step := range []struct{ removed, limit int }{{2, 2}, {1, 2}, {0, 2}} {
		removed, err := d.store.Trim(ctx, epoch+300*minute, step.limit)
		if err != nil || removed != step.removed {
			t.Fatalf("trimmed %d, %v, want %d", removed, err, step.removed)
		}
	}
	d.reopen()
	for name, c := range map[string]struct {
		after session.Cursor
		want  int
		err   error
	}{
		"from the oldest that is kept": {session.Cursor{}, 2, nil},
		"behind the last removed":      {all[2].Cursor, 2, nil},
		"behind one removed before":    {all[1].Cursor, 0, session.ErrCursor},
		"behind the newest":            {all[4].Cursor, 0, nil},
		"beyond the newest":            {session.Cursor{Epoch: newest.Epoch, Number: newest.Number + 1}, 0, session.ErrCursor},
		"of another feed":              {session.Cursor{Epoch: newest.Epoch + 1, Number: newest.Number}, 0, session.ErrCursor},
	} {
		changes, _, err := d.store.Changes(ctx, "w", c.after, 10)
		if len(changes) != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: %d changes, %v; want %d, %v", name, len(changes), err, c.want, c.err)
		}
	}
	_, more, err = d.store.Changes(ctx, "w", newest, 10)
	if err != nil {
		t.Fatal(err)
	}
	d.record("w", point(900))
	d.endAll()
	<-more
}

func testSettings(t *testing.T, open Driver) {
	d := newDriver(t, open)
	defer d.finish()
	w := newWatcher(t)
	d.record("w", point(0), point(20), point(100), point(125))
	d.endDue(epoch + 100*minute)
	d.rules.TimeoutMS = 15 * minute
	check := func(what string, want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, d.spans()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	check("nothing happened yet", "0-20", "100-125")
	d.endAll()
	check("one had ended, the other ends under the new timeout", "0-20", "100-100", "125-125")
	d.record("w", point(10))
	check("a late call makes one end anew", "0-20", "100-100", "125-125")
	d.record("w", point(200), point(210))
	d.rules = session.DefaultRules()
	d.record("w", point(235))
	check("a session that goes on goes on under the settings of now", "0-20", "100-100", "125-125", "200-235")
	d.endAll()
	w.read(d.store, false)
	if done := d.rebuild("w"); done != (session.Rebuilt{Points: 8, SessionsChanged: 2}) {
		t.Errorf("rebuilt %+v", done)
	}
	check("rebuilt", "0-20", "100-125", "200-235")
	if done := d.rebuild("w"); done != (session.Rebuilt{Points: 8}) {
		t.Errorf("rebuilt again: %+v", done)
	}
	before := len(w.told)
	d.endAll()
	w.read(d.store, false)
	if told := w.told[before:]; len(told) != 1 || len(told[0].Replaces) != 1 {
		t.Errorf("the rebuild was told as %+v", told)
	}
}

// testSettingsMeetSessions lets calls meet sessions that were walked under another idle cap: behind their end, and within.
func testSettingsMeetSessions(t *testing.T, open Driver) {
	for name, minutes := range map[string]int64{"behind the end": 30, "within": 10} {
		t.Run(name, func(t *testing.T) {
			d := newDriver(t, open)
			defer d.finish()
			history := []call.Call{point(0), point(20), point(minutes)}
			d.record("w", history[:2]...)
			d.rules.IdleCapMS = minute
			d.record("w", history[2])
			views, err := d.store.Sessions(context.Background(), "w", everything(0), nil, 10)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(Oracle{history, d.rules}.Views(0), views, cmpopts.IgnoreFields(session.View{}, "Revision")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func testRebuild(t *testing.T, open Driver) {
	rapid.Check(t, func(rt *rapid.T) {
		history := genHistory(rt)
		order := rapid.Permutation(history).Draw(rt, "order")
		late := order[len(order)-min(len(order), 8):]
		order = order[:len(order)-len(late)]
		d := newDriver(t, open)
		defer d.finish()
		w := newWatcher(rt)
		for len(order) > 0 {
			n := rapid.IntRange(1, len(order)).Draw(rt, "batch")
			d.record("w", order[:n]...)
			order = order[n:]
			d.rules.TimeoutMS = rapid.SampledFrom([]int64{5, 30, 60, 180, 24 * 60}).Draw(rt, "timeout") * minute
			d.rules.IdleCapMS = rapid.SampledFrom([]int64{1, 5, 60}).Draw(rt, "cap") * minute
			d.rules.MaxMS = rapid.SampledFrom([]int64{20, 12 * 60, 24 * 60}).Draw(rt, "max") * minute
			if rapid.Bool().Draw(rt, "timers") {
				d.endDue(epoch + rapid.Int64Range(0, 3*dayMS).Draw(rt, "now"))
			}
		}
		w.read(d.store, false)
		d.finish() // sound with sessions walked under one setting beside those of another
		d.reopen()
		half := rapid.IntRange(0, len(late)).Draw(rt, "recorded before the rebuild")
		d.record("w", late[:half]...)
		for from, first := []byte(nil), true; first || from != nil; first = false {
			_, next, err := d.store.Rebuild(context.Background(), "w", from)
			if err != nil {
				rt.Fatal(err)
			}
			if from = next; half < len(late) { // calls come between the steps
				d.record("w", late[half])
				half++
			}
		}
		d.record("w", late[half:]...)
		want := Oracle{history, d.rules}
		compare(rt, d.store, "w", want, epoch+dayMS)
		compareTime(rt, d.store, want, genTimeQuery(rt))
		d.endAll()
		w.read(d.store, true)
		w.compare(want)
		if again := d.rebuild("w"); again.SessionsChanged != 0 || again.SumsRepaired != 0 {
			rt.Fatalf("a second rebuild found more to do: %+v", again)
		}
	})
}

// testRebuildOfMovedPlace lets a call come between two steps of a rebuild, which takes the session that the next step begins with into the
// one before it.
func testRebuildOfMovedPlace(t *testing.T, open Driver) {
	d := newDriver(t, open)
	defer d.finish()
	d.record("w", point(0), point(40), point(80), point(120), point(160))
	d.rules.TimeoutMS = 25 * minute
	_, next, err := d.store.Rebuild(context.Background(), "w", nil)
	if err != nil || next == nil {
		t.Fatal(next, err)
	}
	d.record("w", point(100))
	for next != nil {
		if _, next, err = d.store.Rebuild(context.Background(), "w", next); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"0-0", "40-40", "80-120", "160-160"}, d.spans()); diff != "" {
		t.Error(diff)
	}
}

// testManyModules visits a module of its own with every point, late and in order, for more modules than a row or an answer holds.
func testManyModules(t *testing.T, open Driver) {
	d := newDriver(t, open)
	defer d.finish()
	var history []call.Call
	for i := range int64(session.MaxModules + 200) {
		c := point(0)
		c.TimeMS += i * 70_000 // over a midnight
		c.OriginalMS, c.MessageID, c.Module, c.UserID = c.TimeMS, fmt.Sprint("m", i), fmt.Sprint("module ", i%(session.MaxModules+100)), "u"
		history = append(history, c)
	}
	random := rand.New(rand.NewPCG(1, 1))
	order := slices.Clone(history)
	random.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	for chunk := range slices.Chunk(order, 100) {
		d.record("w", chunk...)
	}
	want := Oracle{history, d.rules}
	compareTime(t, d.store, want, session.TimeQuery{Days: day.Span{To: day.Max}, By: everyColumn()})
	compareTime(t, d.store, want, session.TimeQuery{Days: day.Span{To: day.Max}})
	views, err := d.store.Sessions(context.Background(), "w", everything(0), nil, 10)
	if err != nil || len(views) != 1 {
		t.Fatalf("%d sessions, %v", len(views), err)
	}
	got, whole := views[0], want.Views(0)[0]
	if got.DurationMS != whole.DurationMS || got.ActiveMS != whole.ActiveMS {
		t.Errorf("duration %d, active %d, want %d, %d", got.DurationMS, got.ActiveMS, whole.DurationMS, whole.ActiveMS)
	}
	if len(got.Modules) != session.MaxModules || got.ModulesOmitted != int64(len(whole.Modules)-session.MaxModules) {
		t.Errorf("%d modules, %d omitted, of %d", len(got.Modules), got.ModulesOmitted, len(whole.Modules))
	}
	if !slices.ContainsFunc(got.Modules, func(m session.ModuleView) bool { return m.Module == "module 5" && m.DurationMS == 140_000 }) {
		t.Error("a module with a long duration is omitted")
	}
	d.endAll()
	w := newWatcher(t)
	w.read(d.store, false)
	if told := w.told[0].Session; len(told.Modules) != session.MaxModules || told.ModulesOmitted != got.ModulesOmitted || told.ActiveMS != got.ActiveMS {
		t.Errorf("told with %d modules, %d omitted, active %d", len(told.Modules), told.ModulesOmitted, told.ActiveMS)
	}
}

// testDowntime gives one store its calls as they happen, sweeping every minute, and others the same with the service down for a while in
// the middle: the calls of that time come when it is up again.
func testDowntime(t *testing.T, open Driver) {
	random := rand.New(rand.NewPCG(7, 7))
	var history []call.Call
	for i := range 120 {
		c := point(0)
		c.TimeMS += random.Int64N(20 * 60 * minute)
		c.AnonymousID, c.UserID = fmt.Sprint("s", random.IntN(4)), fmt.Sprint("u", random.IntN(2))
		c.OriginalMS, c.MessageID, c.Module = c.TimeMS, fmt.Sprint("m", i), fmt.Sprint(random.IntN(3))
		history = append(history, c)
	}
	slices.SortFunc(history, func(a, b call.Call) int { return a.Position().Compare(b.Position()) })
	for timeouts := range int64(11) {
		t.Run(fmt.Sprint(timeouts, " timeouts"), func(t *testing.T) {
			d := newDriver(t, open)
			defer d.finish()
			w := newWatcher(t)
			downFrom := epoch + 5*60*minute
			upFrom := downFrom + timeouts*d.rules.TimeoutMS
			waiting := history
			for now := epoch; now < epoch+24*60*minute; now += minute {
				if now >= downFrom && now < upFrom {
					d.close()
					continue
				}
				if d.store == nil {
					d.reopen()
				}
				n, _ := slices.BinarySearchFunc(waiting, now, func(c call.Call, now int64) int { return int(c.TimeMS - now) })
				d.record("w", waiting[:n]...)
				waiting = waiting[n:]
				d.endDue(now)
				w.read(d.store, false)
			}
			want := Oracle{history, d.rules}
			w.compare(want)
			views, err := d.store.Sessions(context.Background(), "w", everything(1<<60), nil, 1000)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want.Views(1<<60), views, cmpopts.IgnoreFields(session.View{}, "Revision")); diff != "" {
				t.Error(diff)
			}
			compareTime(t, d.store, want, session.TimeQuery{Days: day.Span{To: day.Max}, By: everyColumn()})
		})
	}
}

func everyColumn() (by [4]bool) { return [4]bool{true, true, true, true} }

// compareTime holds the answer to a time query against the oracle.
func compareTime(t fataler, store session.Store, want Oracle, q session.TimeQuery) {
	t.Helper()
	got, err := store.Time(context.Background(), "w", q)
	if err != nil {
		t.Fatalf("time: %v", err)
	}
	if diff := cmp.Diff(want.Time(q), got, cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("time by %+v (-want +got):\n%s", q, diff)
	}
}
