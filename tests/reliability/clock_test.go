package reliability_test

import (
	"flag"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/sojournhq/sojourn/tests/program"
	"github.com/sojournhq/sojourn/tests/reliability/wallclock"
)

var (
	clockFor   = flag.Duration("clock-for", 4*time.Second, "how long the clock of each kind of deployment is wrong")
	clockCalls = flag.Int("clock-calls", 3000, "how many calls each kind of deployment must have answered meanwhile")
)

// farOff is how far the clock jumps, ahead and back.
const farOff = 72 * time.Hour

// clockHolds is for how long it stays where it is at last: long enough for what is done every second to be done then.
const clockHolds = 1500 * time.Millisecond

// TestAClockThatJumpsAndStrobesChangesNothing sets the wall clock of the real programs up to three days ahead and back under load, every tenth of a
// second and for some time every millisecond, and restarts a process while it is wrong.
func TestAClockThatJumpsAndStrobesChangesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, programs []string) {
		s := seed(t)
		random := rand.New(rand.NewPCG(s, 3))
		d := deploy(t, programs)
		d.binaries = oddClockPrograms(t, programs)
		clock, err := wallclock.New(filepath.Join(t.TempDir(), "clock"))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = clock.Close() }()
		d.env = []string{wallclock.Variable + "=" + clock.Path}
		d.start()
		l := newLoad(t, d, s, 50)
		l.pause = 20 * time.Millisecond
		if *killPace > 0 {
			l.pause = time.Duration(clients*50) * time.Second / time.Duration(*killPace)
		}
		l.start()
		jumps := 0
		restart := time.Now().Add(*clockFor / 2)
		for end := time.Now().Add(*clockFor); time.Now().Before(end); jumps++ {
			clock.Set(time.Duration(random.Int64N(int64(2*farOff))) - farOff)
			if jumps%1000 < 900 {
				time.Sleep(time.Millisecond) // it strobes
			} else {
				time.Sleep(100 * time.Millisecond)
			}
			if !restart.IsZero() && time.Now().After(restart) {
				name := programs[random.IntN(len(programs))]
				d.down(name)
				d.up(name)
				restart = time.Time{}
			}
		}
		for _, off := range []time.Duration{farOff, -farOff, 0} {
			clock.Set(off)
			time.Sleep(clockHolds)
		}
		l.end()
		l.report(*clockCalls)
		seen := l.client.Seen()
		t.Logf("%d jumps; %d answers came more than an hour ahead, %d more than an hour behind", jumps, seen.Ahead, seen.Behind)
		if seen.Ahead < 20 || seen.Behind < 20 {
			t.Error("the programs did not see the clock jump")
		}
		dump := d.dump()
		expect(t, dump, l.calls())
		d.expectTold(dump)
		d.proveSound(dump)
	})
}

// oddClockPrograms builds programs whose wall clock can be set, and returns where.
func oddClockPrograms(t *testing.T, programs []string) string {
	t.Helper()
	overlay, err := wallclock.Overlay(t.TempDir(), program.Mains(*tree)...)
	if err != nil {
		t.Fatal(err)
	}
	dir := binaries + "-odd-clock"
	build(t, programs, dir, "-overlay", overlay)
	return dir
}
