package heap_test

import (
	"runtime"
	"testing"

	"github.com/sojournhq/sojourn/internal/kit/heap"
)

// goal returns how large the heap becomes before the next collection.
func goal() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.NextGC
}

func TestAProcessThatHoldsLittleCollectsOnlyWhenThereIsSomethingToCollect(t *testing.T) {
	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "")
	before := goal()
	free := heap.Reserve()
	if got := goal(); got < 120<<20 || got > before+150<<20 {
		t.Errorf("the heap grows to %d, before to %d", got, before)
	}
	free()
	t.Setenv("GOGC", "100")
	free = heap.Reserve()
	if got := goal(); got > 64<<20 {
		t.Errorf("the heap grows to %d although somebody else decides", got)
	}
	free()
}
