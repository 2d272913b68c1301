package daemon_test

import (
	"runtime"
	"testing"

	"github.com/sojournhq/sojourn/internal/kit/daemon"
)

func TestEachStoreAddsAPlaceUnlessSomethingElseSaysHowManyThereAre(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(before)
	all := runtime.NumCPU()
	for name, c := range map[string]struct {
		environment string
		now, want   int
	}{
		"all processors of the machine": {"", all, all + 3},
		"more than there are":           {"", all + 1, all + 1},
		"set in the environment":        {"1", all, all},
	} {
		t.Setenv("GOMAXPROCS", c.environment)
		runtime.GOMAXPROCS(c.now)
		daemon.UseProcessors(3)
		if got := runtime.GOMAXPROCS(0); got != c.want {
			t.Errorf("%s: %d may run, want %d", name, got, c.want)
		}
		daemon.UseProcessors(3)
		if got := runtime.GOMAXPROCS(0); got != c.want {
			t.Errorf("%s, asked twice: %d may run, want %d", name, got, c.want)
		}
	}
}
