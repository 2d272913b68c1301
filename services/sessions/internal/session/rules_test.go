package session_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/day"
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
			rules.Extend(&s, p)
			continue
		}
		s = session.Begin(p)
		starts = append(starts, p.TimeMS)
	}
	return starts
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
	rules := session.DefaultRules()
	s := session.Begin(at(0))
	for _, p := range []session.Point{
		at(1*minute, module(7)), at(11 * minute), at(12*minute, module(3)), at(12*minute, module(7)), at(14 * minute),
	} {
		rules.Extend(&s, p)
	}
	want := []session.ModuleTime{
		{Module: 0, DurationMS: 1 * minute, ActiveMS: 1 * minute},
		{Module: 7, DurationMS: 13 * minute, ActiveMS: 8 * minute},
	}
	if diff := cmp.Diff(want, s.Modules); diff != "" {
		t.Error(diff)
	}
	if s.DurationMS() != 14*minute || s.ActiveMS() != 9*minute || s.Points != 6 {
		t.Errorf("duration %d, active %d, points %d", s.DurationMS(), s.ActiveMS(), s.Points)
	}
}

func TestAStretchIsDividedAtMidnight(t *testing.T) {
	rules := session.DefaultRules()
	const midnight = 24 * hour
	for name, c := range map[string]struct {
		from, to int64
		want     []session.Piece
	}{
		"within a day":   {1, 3, []session.Piece{{Day: 0, DurationMS: 2, ActiveMS: 2}}},
		"without length": {midnight, midnight, []session.Piece{{Day: 1}}},
		"up to midnight": {midnight - 2, midnight, []session.Piece{{Day: 0, DurationMS: 2, ActiveMS: 2}}},
		"across, active on both sides": {midnight - 2*minute, midnight + 20*minute, []session.Piece{
			{Day: 0, DurationMS: 2 * minute, ActiveMS: 2 * minute}, {Day: 1, DurationMS: 20 * minute, ActiveMS: 3 * minute},
		}},
		"across, active before only": {midnight - 20*minute, midnight + 2*minute, []session.Piece{
			{Day: 0, DurationMS: 20 * minute, ActiveMS: 5 * minute}, {Day: 1, DurationMS: 2 * minute, ActiveMS: 0},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, rules.Divide(c.from, c.to)); diff != "" {
				t.Error(diff)
			}
		})
	}
	if got := day.Of(midnight); got != 1 {
		t.Errorf("day of midnight is %d", got)
	}
}

func TestASessionHasEndedOnceTheTimeoutIsPast(t *testing.T) {
	rules := session.DefaultRules()
	s := session.Begin(at(0))
	if rules.EndedBy(&s, 30*minute) {
		t.Error("ended at exactly the timeout")
	}
	if !rules.EndedBy(&s, 30*minute+1) {
		t.Error("not ended a millisecond later")
	}
}
