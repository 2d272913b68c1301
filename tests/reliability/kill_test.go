package reliability_test

import (
	"flag"
	"math/rand/v2"
	"testing"
	"time"
)

var (
	kills     = flag.Int("kills", 5, "how often a process of each kind of deployment is killed")
	killCalls = flag.Int("calls", 5000, "how many calls each kind of deployment must have answered")
	killEvery = flag.Duration("every", time.Second, "the shortest time between two kills; the longest is four times that")
	killBatch = flag.Int("batch", 100, "how many calls a batch has, about")
	killPace  = flag.Int("pace", 0, "at most how many calls are sent a second, about; 0: as many as are answered")
)

// TestKilledProcessesLoseAndDoubleNothing kills a random process every few seconds while clients send calls late and twice, and what is not
// answered 200 again until it is.
func TestKilledProcessesLoseAndDoubleNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, programs []string) {
		s := seed(t)
		random := rand.New(rand.NewPCG(s, 1))
		d := deploy(t, programs)
		d.start()
		l := newLoad(t, d, s, *killBatch)
		if *killPace > 0 {
			l.pause = time.Duration(clients**killBatch) * time.Second / time.Duration(*killPace)
		}
		l.start()
		killed := map[string]int{}
		for i := range *kills {
			time.Sleep(*killEvery + time.Duration(random.Int64N(int64(3**killEvery))))
			name := programs[random.IntN(len(programs))]
			if !underWay(l) {
				t.Errorf("kill %d of %s hits nobody", i+1, name)
			}
			d.down(name)
			d.up(name)
			killed[name]++
		}
		for l.client.Seen().Calls < *killCalls {
			time.Sleep(100 * time.Millisecond)
		}
		l.end()
		l.report(*killCalls)
		t.Logf("killed: %v", killed)
		dump := d.dump()
		expect(t, dump, l.calls())
		d.expectTold(dump)
		d.proveSound(dump)
	})
}

// underWay waits for a moment in which attempts are under way, and says whether there was one.
func underWay(l *load) bool {
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if l.client.UnderWay() > 0 {
			return true
		}
	}
	return false
}
