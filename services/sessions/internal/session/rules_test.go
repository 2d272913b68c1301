package session_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

const (
	second = 1000
	minute = 60 * second
	hour   = 60 * minute
)

func at(ms int64, change ...func(*session.Point)) session.Point {
	p := session.Point{Position: call.Position{TimeMS: ms, MessageID: "m"}}
	for _, c := range change {
		c(&p)
	}
	return p
}

func user(n session.Name) func(*session.Point)    { return func(p *session.Point) { p.User = n } }
func account(n session.Name) func(*session.Point) { return func(p *session.Point) { p.Account = n } }
func module(n session.Name) func(*session.Point)  { return func(p *session.Point) { p.Module = n } }

// walk returns the start time of each session of points that come in order.
func walk(points ...session.Point) (starts []int64) {
	rules := session.DefaultRules()
	var s session.Session
	for i, p := range points {
		if i > 0 && rules.Continues(&s, p) {
			rules.Extend(&s, session.Parts{}, p)
			continue
		}
		s = session.Begin(p, session.Parts{})
		starts = append(starts, p.TimeMS)
	}
	return starts
}

// one returns the one session of points that come in order, and its parts.
func one(points ...session.Point) (session.Session, session.Parts) {
	rules := session.DefaultRules()
	parts := session.Parts{}
	s := session.Begin(points[0], parts)
	for _, p := range points[1:] {
		rules.Extend(&s, parts, p)
	}
	return s, parts
}

func TestWhereASessionStarts(t *testing.T) {
	everyTwentyMinutes := func(n int) (points []session.Point) {
		for i := range n {
			points = append(points, at(int64(i)*20*minute))
		}
		return points
	}
	for name, c := range map[string]struct {
		points []session.Point
		want   []int64
	}{
		"one point":                             {[]session.Point{at(5)}, []int64{5}},
		"a pause of exactly the timeout stays":  {[]session.Point{at(0), at(1800 * second)}, []int64{0}},
		"a millisecond more cuts":               {[]session.Point{at(0), at(1800*second + 1)}, []int64{0, 1800*second + 1}},
		"equal times stay":                      {[]session.Point{at(7), at(7), at(7)}, []int64{7}},
		"another user cuts":                     {[]session.Point{at(0, user(1)), at(1, user(2))}, []int64{0, 1}},
		"and the first user coming back":        {[]session.Point{at(0, user(1)), at(1, user(2)), at(2, user(1))}, []int64{0, 1, 2}},
		"an unknown user does not":              {[]session.Point{at(0, user(1)), at(1), at(2, user(1))}, []int64{0}},
		"the first known user counts":           {[]session.Point{at(0), at(1, user(1)), at(2), at(3, user(2))}, []int64{0, 3}},
		"another account cuts":                  {[]session.Point{at(0, account(1)), at(1), at(2, account(2))}, []int64{0, 2}},
		"24 h after the first point stays":      {everyTwentyMinutes(73), []int64{0}},
		"more than 24 h after the first cuts":   {everyTwentyMinutes(74), []int64{0, 24*hour + 20*minute}},
		"a module does not cut":                 {[]session.Point{at(0, module(1)), at(1, module(2))}, []int64{0}},
		"a new session forgets the user before": {[]session.Point{at(0, user(1)), at(hour), at(hour+1, user(2))}, []int64{0, hour}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, walk(c.points...)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAStretchBelongsToTheModuleCurrentAtItsStart(t *testing.T) {
	s, parts := one(
		at(0), at(1*minute, module(7)), at(11*minute), at(12*minute, module(3)), at(12*minute, module(7)), at(14*minute),
	)
	want := session.Parts{
		{Module: 0}:                  {DurationMS: 1 * minute, ActiveMS: 1 * minute, Points: 1},
		{Module: 3}:                  {Points: 1},
		{Module: 7}:                  {DurationMS: 13 * minute, ActiveMS: 8 * minute, Points: 4},
		{Module: session.AllModules}: {DurationMS: 14 * minute, ActiveMS: 9 * minute, Points: 6},
	}
	if diff := cmp.Diff(want, parts); diff != "" {
		t.Error(diff)
	}
	if s.DurationMS() != 14*minute || s.Points != 6 || s.Module != 7 {
		t.Errorf("duration %d, points %d, module %d", s.DurationMS(), s.Points, s.Module)
	}
}

func TestTimeIsDividedAtMidnight(t *testing.T) {
	const midnight = 24 * hour
	type days [2]session.Amount
	for name, c := range map[string]struct {
		from, to int64
		want     days
	}{
		"within a day":             {1, 3, days{{DurationMS: 2, ActiveMS: 2, Points: 2}}},
		"one point, at midnight":   {midnight, midnight, days{1: {Points: 2}}},
		"up to midnight":           {midnight - 2, midnight, days{{DurationMS: 2, ActiveMS: 2, Points: 1}, {Points: 1}}},
		"a millisecond beyond":     {midnight - 2, midnight + 1, days{{DurationMS: 2, ActiveMS: 2, Points: 1}, {DurationMS: 1, ActiveMS: 1, Points: 1}}},
		"active on both sides":     {midnight - 2*minute, midnight + 20*minute, days{{2 * minute, 2 * minute, 1}, {20 * minute, 3 * minute, 1}}},
		"active on the first only": {midnight - 20*minute, midnight + 2*minute, days{{20 * minute, 5 * minute, 1}, {2 * minute, 0, 1}}},
	} {
		t.Run(name, func(t *testing.T) {
			_, parts := one(at(c.from), at(c.to))
			got := days{parts[session.Part{Day: 0}], parts[session.Part{Day: 1}]}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestALatePointWithinASessionGivesWhatAWalkGives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules := session.Rules{TimeoutMS: 30 * minute, IdleCapMS: rapid.Int64Range(1, 30*minute).Draw(t, "cap"), MaxMS: 24 * hour}
		points := []session.Point{at(23 * hour)}
		for range rapid.IntRange(2, 12).Draw(t, "points") {
			last := points[len(points)-1]
			points = append(points, at(last.TimeMS+rapid.Int64Range(1, 30*minute).Draw(t, "gap"),
				module(rapid.SampledFrom([]session.Name{0, 0, 1, 2}).Draw(t, "module")),
				user(rapid.SampledFrom([]session.Name{0, 5}).Draw(t, "user"))))
		}
		late := rapid.IntRange(1, len(points)-2).Draw(t, "late")
		walk := func(points []session.Point) (session.Session, session.Parts) {
			parts := session.Parts{}
			s := session.Begin(points[0], parts)
			for _, p := range points[1:] {
				rules.Extend(&s, parts, p)
			}
			return s, parts
		}
		without := slices.Delete(slices.Clone(points), late, late+1)
		got, parts := walk(without)
		current := session.Name(0)
		for _, p := range points[:late] {
			if p.Module != 0 {
				current = p.Module
			}
		}
		after := points[late+1:]
		if i := slices.IndexFunc(after, func(p session.Point) bool { return p.Module != 0 }); i >= 0 {
			after = after[:i+1]
		}
		if p := points[late]; p.Module == 0 || p.Module == current {
			after = after[:1]
		}
		rules.Insert(&got, parts, points[late-1], current, points[late], after)
		want, wantParts := walk(points)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
		if diff := cmp.Diff(wantParts, parts); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestASessionHasEndedOnceTheTimeoutIsPast(t *testing.T) {
	rules := session.DefaultRules()
	s := session.Begin(at(0), session.Parts{})
	if rules.EndedBy(&s, 30*minute) {
		t.Error("ended at exactly the timeout")
	}
	if !rules.EndedBy(&s, 30*minute+1) {
		t.Error("not ended a millisecond later")
	}
}
