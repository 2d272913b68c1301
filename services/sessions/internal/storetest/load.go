package storetest

import (
	"context"
	"testing"
)

// testLoad counts timers in parts, and looks for the first that is due.
func testLoad(t *testing.T, open Driver) {
	d := newDriver(t, open)
	defer d.finish()
	expect := func(when string, timers int, dueMS int64) {
		t.Helper()
		counted := 0
		for from, first := []byte(nil), true; first || from != nil; first = false {
			part, next, err := d.store.CountTimers(context.Background(), from, 2)
			if err != nil || part > 2 {
				t.Fatalf("%s: %d counted, %v", when, part, err)
			}
			counted, from = counted+part, next
		}
		due, err := d.store.FirstDue(context.Background())
		if counted != timers || due != dueMS || err != nil {
			t.Errorf("%s: %d timers, the first due at %d, %v; want %d at %d", when, counted, due, err, timers, dueMS)
		}
	}
	expect("nothing recorded", 0, 0)
	for i := range int64(5) { // five sessions of one anonymousId, an hour apart
		d.record("w", point(i*60))
	}
	first, err := d.store.FirstDue(context.Background())
	if err != nil || first < epoch+d.rules.TimeoutMS || first > epoch+d.rules.TimeoutMS+minute {
		t.Errorf("the first of five is due at %d, %v", first-epoch, err)
	}
	expect("five sessions", 5, first)
	d.endDue(epoch + 70*minute)
	second, err := d.store.FirstDue(context.Background())
	if err != nil || second != first+60*minute {
		t.Errorf("the second is due at %d, %v", second-epoch, err)
	}
	expect("one has ended", 4, second)
	d.endAll()
	expect("all have ended", 0, 0)
}
