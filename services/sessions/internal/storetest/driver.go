package storetest

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// driver drives one store through restarts and changes of its rules.
type driver struct {
	t     testing.TB
	kind  Driver
	dir   string
	store session.Store
	rules session.Rules
}

func newDriver(t testing.TB, kind Driver) *driver {
	d := &driver{t: t, kind: kind, dir: t.TempDir(), rules: session.DefaultRules()}
	d.reopen()
	return d
}

func (d *driver) reopen() {
	d.close()
	store, err := d.kind.Open(d.dir, func(string) session.Rules { return d.rules })
	if err != nil {
		d.t.Fatal(err)
	}
	d.store = store
}

func (d *driver) close() {
	if d.store != nil {
		if err := d.store.Close(); err != nil {
			d.t.Fatal(err)
		}
		d.store = nil
	}
}

// finish closes the store and looks it over.
func (d *driver) finish() {
	d.close()
	problems, err := d.kind.Verify(d.dir)
	if err != nil {
		d.t.Error(err)
	}
	for _, problem := range problems {
		d.t.Errorf("the store is not sound: %s", problem)
	}
}

// endAll ends every session there is.
func (d *driver) endAll() {
	for d.endDue(math.MaxInt64/2) > 0 {
		continue
	}
}

// rebuild rebuilds a workspace in as many steps as it takes.
func (d *driver) rebuild(workspace string) (done session.Rebuilt) {
	for from, first := []byte(nil), true; first || from != nil; first = false {
		some, next, err := d.store.Rebuild(context.Background(), workspace, from)
		if err != nil {
			d.t.Fatal(err)
		}
		done.Points += some.Points
		done.SessionsChanged += some.SessionsChanged
		done.SumsRepaired += some.SumsRepaired
		from = next
	}
	return done
}

func (d *driver) record(workspace string, calls ...call.Call) []call.Outcome {
	outcomes, err := d.store.Record(context.Background(), workspace, calls)
	if err != nil {
		d.t.Fatal(err)
	}
	return outcomes
}

func (d *driver) endDue(nowMS int64) int {
	looked, err := d.store.EndDue(context.Background(), nowMS, 1000)
	if err != nil {
		d.t.Fatal(err)
	}
	return looked
}

// spans returns the sessions as "start-end" in minutes after the epoch.
func (d *driver) spans() (spans []string) {
	views, err := d.store.Sessions(context.Background(), "w", everything(0), nil, 1000)
	if err != nil {
		d.t.Fatal(err)
	}
	for _, v := range views {
		spans = append(spans, fmt.Sprintf("%d-%d", (v.First.Start.TimeMS-epoch)/minute, (v.EndMS-epoch)/minute))
	}
	return spans
}
