package storetest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/day"
	"github.com/sojournhq/sojourn/services/events/internal/usage"
)

// total returns the one row of all usage.
func (d *driver) total() usage.Row {
	rows, err := d.store.Usage(context.Background(), "w", usage.Query{Days: day.Span{To: day.Max}}, nil, 1000)
	if err != nil || len(rows) != 1 {
		d.t.Fatalf("%d rows, %v", len(rows), err)
	}
	return rows[0]
}

func testFirstAndLast(t *testing.T, open Open) {
	d := &driver{t: t, open: open, dir: t.TempDir()}
	d.reopen()
	defer d.close()
	for _, step := range []struct{ at, first, last int64 }{
		{5, 5, 5}, {3, 3, 5}, {9, 3, 9}, {4, 3, 9}, {1, 1, 9}, // one day
		{dayMS + 2, 1, dayMS + 2}, {dayMS + 1, 1, dayMS + 2},
	} {
		c := use(fmt.Sprint("m", step.at), "u", "a")
		c.TimeMS = epoch + step.at
		d.record("w", c)
		if got := d.total(); got.FirstMS != epoch+step.first || got.LastMS != epoch+step.last {
			t.Errorf("after %d: %d to %d, want %d to %d", step.at, got.FirstMS-epoch, got.LastMS-epoch, step.first, step.last)
		}
	}
}

func testDistinctUsers(t *testing.T, open Open) {
	d := &driver{t: t, open: open, dir: t.TempDir()}
	d.reopen()
	defer d.close()
	for i, step := range []struct {
		what, user, account string
		users               int64
	}{
		{"nobody", "", "", 0},
		{"nobody of an account", "", "a", 0},
		{"a user", "u", "a", 1},
		{"again", "u", "a", 1},
		{"the same userId in another account", "u", "b", 2},
		{"and in none, as it is ambiguous", "u", "", 3},
		{"another user", "v", "a", 4},
		{"whose account is known now", "v", "", 4},
	} {
		d.record("w", use(fmt.Sprint("m", i), step.user, step.account))
		if got := d.total().Users; got != step.users {
			t.Errorf("%s: %d users, want %d", step.what, got, step.users)
		}
	}
}

func testTypes(t *testing.T, open Open) {
	d := &driver{t: t, open: open, dir: t.TempDir()}
	d.reopen()
	defer d.close()
	for _, kind := range []call.Type{call.Track, call.Page, call.Screen, call.Identify} {
		c := use(kind.String(), "u", "a")
		c.Type = kind
		if got := d.record("w", c); !slices.Equal(got, []call.Outcome{call.Accepted}) {
			t.Errorf("%s: outcome %v, want Accepted", kind, got)
		}
	}
	if got := d.total().Uses; got != 4 {
		t.Errorf("%d uses, want 4", got)
	}
}

func testSameTime(t *testing.T, open Open) {
	d := &driver{t: t, open: open, dir: t.TempDir()}
	d.reopen()
	defer d.close()
	const uuid = "5d0e1f3a-0000-4000-8000-000000000000"
	ids := []string{"z", uuid, "5d0e", "node-" + uuid, "ffffffff-0000-4000-8000-000000000000", "a"}
	for _, id := range ids {
		d.record("w", use(id, "u", "a"))
	}
	slices.Sort(ids)
	events, err := d.store.Events(context.Background(), "w", everything(), nil, 100)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range events {
		got = append(got, e.MessageID)
	}
	if diff := cmp.Diff(ids, got); diff != "" {
		t.Error(diff)
	}
}

func testConcurrent(t *testing.T, open Open) {
	d := &driver{t: t, open: open, dir: t.TempDir()}
	d.reopen()
	defer d.close()
	const calls, writers = 50, 8
	var all []call.Call
	for i := range calls {
		all = append(all, use(fmt.Sprint("m", i), "u", "a"))
	}
	var accepted [writers]int64
	var done sync.WaitGroup
	for w := range writers {
		done.Go(func() {
			for batch := range slices.Chunk(all, 1+7*w) {
				outcomes, err := d.store.Record(context.Background(), "w", batch)
				if err != nil {
					t.Error(err)
				}
				for _, outcome := range outcomes {
					if outcome == call.Accepted {
						accepted[w]++
					}
				}
			}
		})
	}
	done.Wait()
	var sum int64
	for _, n := range accepted {
		sum += n
	}
	if got := d.total().Uses; sum != calls || got != calls {
		t.Errorf("%d accepted, %d uses, want %d of both", sum, got, calls)
	}
}
