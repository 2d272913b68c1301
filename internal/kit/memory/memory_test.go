package memory_test

import (
	"testing"

	"github.com/sojournhq/sojourn/internal/kit/memory"
)

func TestWhatWasFoundIsRememberedAtTheSameVersionOnly(t *testing.T) {
	m := memory.New[string, int](10)
	m.At(3)
	m.Set("a", 1)
	m.Left(4)
	m.At(4)
	if got, ok := m.Get("a"); !ok || got != 1 {
		t.Errorf("got %d, %v", got, ok)
	}
	m.At(3) // the transaction was undone
	if _, ok := m.Get("a"); ok {
		t.Error("what an undone transaction found is remembered")
	}
}

func TestTheLatestAndThoseAskedForAreRemembered(t *testing.T) {
	const limit = 100
	m := memory.New[int, int](limit)
	for i := range 10 * limit {
		m.Set(i, i)
		if _, ok := m.Get(0); !ok {
			t.Fatalf("what is asked for again and again is forgotten after %d", i)
		}
		if _, ok := m.Get(max(0, i-limit/4+2)); !ok {
			t.Fatalf("of %d one of the latest is forgotten", i)
		}
	}
	known := 0
	for i := range 10 * limit {
		if _, ok := m.Get(i); ok {
			known++
		}
	}
	if known > limit {
		t.Errorf("%d are remembered, want at most %d", known, limit)
	}
	m.Forget(0)
	if _, ok := m.Get(0); ok {
		t.Error("what was forgotten is remembered")
	}
}
