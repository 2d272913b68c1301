package storetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/day"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// boundary is a case worked out by hand. Points are "seconds[.millis] [user] [module]", where - is none, in seconds after noon; sessions are
// "start-end user: module duration/active, …" in seconds, days "day: duration/active sessions".
type boundary struct {
	points   []string
	sessions []string
	days     []string
}

var boundaries = map[string]boundary{
	"one point": {
		[]string{"0 u a"},
		[]string{"0-0 u:"},
		[]string{"0: 0/0 1"},
	},
	"1800.000 s stays": {
		[]string{"0 u a", "1800 u a"},
		[]string{"0-1800 u: a 1800/300"},
		[]string{"0: 1800/300 1"},
	},
	"1800.001 s cuts": {
		[]string{"0 u a", "1800.001 u a"},
		[]string{"0-0 u:", "1800.001-1800.001 u:"},
		[]string{"0: 0/0 2"},
	},
	"equal times": {
		[]string{"5 u a", "5 u b", "5 u c"},
		[]string{"5-5 u:"},
		[]string{"0: 0/0 1"},
	},
	"a point between two sessions makes them one": {
		[]string{"0 u a", "3600 u b", "1800 u -"},
		[]string{"0-3600 u: a 3600/600"},
		[]string{"0: 3600/600 1"},
	},
	"a late point before the first": {
		[]string{"100 u a", "200 u -", "0 - b"},
		[]string{"0-200 u: a 100/100, b 100/100"},
		[]string{"0: 200/200 1"},
	},
	"the user changes and comes back": {
		[]string{"0 u a", "10 v a", "20 u a", "30 - a"},
		[]string{"0-0 u:", "10-10 v:", "20-30 u: a 10/10"},
		[]string{"0: 10/10 3"},
	},
	"a session takes its user from the first point that has one": {
		[]string{"0 - -", "10 - a", "20 u -", "30 - b", "40 u -"},
		[]string{"0-40 u: - 10/10, a 20/20, b 10/10"},
		[]string{"0: 40/40 1"},
	},
	"a pause counts five minutes as active": {
		[]string{"0 u a", "299 u -", "599 u b", "900 u -"},
		[]string{"0-900 u: a 599/599, b 301/300"},
		[]string{"0: 900/899 1"},
	},
	"midnight divides": {
		[]string{"43000 u a", "43300 u b", "43500 u -"},
		[]string{"43000-43500 u: a 300/300, b 200/200"},
		[]string{"0: 200/200 1", "1: 300/300 1"},
	},
	"midnight divides a pause, of which the beginning was active": {
		[]string{"43000 u a", "44200 u -"},
		[]string{"43000-44200 u: a 1200/300"},
		[]string{"0: 200/200 1", "1: 1000/100 1"},
	},
	"a point at midnight is of the new day": {
		[]string{"42000 u a", "43200 u a"},
		[]string{"42000-43200 u: a 1200/300"},
		[]string{"0: 1200/300 1", "1: 0/0 1"},
	},
	"24 h after the first point stays": {
		everyHalfHour(0, 86_400),
		[]string{"0-86400 u: - 86400/14400"},
		[]string{"0: 43200/7200 1", "1: 43200/7200 1"},
	},
	"more than 24 h after the first point cuts": {
		everyHalfHour(0, 88_200),
		[]string{"0-86400 u: - 86400/14400", "88200-88200 u:"},
		[]string{"0: 43200/7200 1", "1: 43200/7200 2"},
	},
	"a late early point makes the 24 h end earlier": {
		append(everyHalfHour(1800, 88_200), "0 u -"),
		[]string{"0-86400 u: - 86400/14400", "88200-88200 u:"},
		[]string{"0: 43200/7200 1", "1: 43200/7200 2"},
	},
}

func everyHalfHour(from, to int) (points []string) {
	for s := from; s <= to; s += 1800 {
		points = append(points, fmt.Sprintf("%d u -", s))
	}
	return points
}

// testBoundaries records each case in its order and backwards, at once and one by one.
func testBoundaries(t *testing.T, open Driver) {
	for name, b := range boundaries {
		t.Run(name, func(t *testing.T) {
			d := newDriver(t, open)
			defer d.finish()
			var calls []call.Call
			for i, text := range b.points {
				calls = append(calls, parsePoint(t, i, text))
			}
			backwards := slices.Clone(calls)
			slices.Reverse(backwards)
			d.record("at once", calls...)
			for i := range calls {
				d.record("one by one", calls[i])
				d.record("backwards", backwards[i])
			}
			for _, workspace := range []string{"at once", "one by one", "backwards"} {
				if diff := cmp.Diff(b.sessions, d.sessionTexts(workspace)); diff != "" {
					t.Errorf("sessions %s (-want +got):\n%s", workspace, diff)
				}
				if diff := cmp.Diff(b.days, d.dayTexts(workspace)); diff != "" {
					t.Errorf("days %s (-want +got):\n%s", workspace, diff)
				}
				if diff := cmp.Diff(Oracle{calls, d.rules}.Time(secondDay()), d.time(workspace, secondDay())); diff != "" {
					t.Errorf("the second day alone %s (-want +got):\n%s", workspace, diff)
				}
			}
		})
	}
}

func parsePoint(t *testing.T, i int, text string) call.Call {
	var at float64
	var user, module string
	if _, err := fmt.Sscan(text, &at, &user, &module); err != nil {
		t.Fatal(err)
	}
	ms := epoch + int64(at*1000+0.5)
	return call.Call{
		Type: call.Track, AnonymousID: "s", MessageID: fmt.Sprint("m", i), TimeMS: ms, OriginalMS: ms,
		UserID: strings.Trim(user, "-"), Module: strings.Trim(module, "-"),
	}
}

// seconds writes milliseconds as seconds, with a fraction if there is one.
func seconds(ms int64) string {
	return strings.TrimSuffix(fmt.Sprintf("%d.%03d", ms/1000, ms%1000), ".000")
}

func (d *driver) sessionTexts(workspace string) (texts []string) {
	views, err := d.store.Sessions(context.Background(), workspace, everything(0), nil, 1000)
	if err != nil {
		d.t.Fatal(err)
	}
	for _, v := range views {
		var modules []string
		for _, m := range v.Modules {
			name := m.Module
			if name == "" {
				name = "-"
			}
			modules = append(modules, fmt.Sprintf(" %s %s/%s", name, seconds(m.DurationMS), seconds(m.ActiveMS)))
		}
		texts = append(texts, fmt.Sprintf("%s-%s %s:%s", seconds(v.First.Start.TimeMS-epoch), seconds(v.EndMS-epoch), v.UserID, strings.Join(modules, ",")))
	}
	return texts
}

func (d *driver) dayTexts(workspace string) (texts []string) {
	query := session.TimeQuery{Days: day.Span{To: day.Max}}
	query.By[session.ByDay] = true
	for _, r := range d.time(workspace, query) {
		texts = append(texts, fmt.Sprintf("%d: %s/%s %d", r.Day-day.Of(epoch), seconds(r.DurationMS), seconds(r.ActiveMS), r.Sessions))
	}
	return texts
}

// secondDay asks for a day into which sessions are carried over from the day before.
func secondDay() session.TimeQuery {
	return session.TimeQuery{Days: day.Span{From: day.Of(epoch) + 1, To: day.Of(epoch) + 1}}
}

func (d *driver) time(workspace string, q session.TimeQuery) []session.TimeRow {
	rows, err := d.store.Time(context.Background(), workspace, q)
	if err != nil {
		d.t.Fatal(err)
	}
	return rows
}
