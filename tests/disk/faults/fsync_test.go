package faults

import (
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sojournhq/sojourn/tests/disk/mounted"
	"github.com/sojournhq/sojourn/tests/disk/volume"
)

// exitIOError is the exit code of a program whose disk it cannot trust any more.
const exitIOError = 74

// failing decides which sync fails.
type failing struct {
	after atomic.Int64 // how many more syncs succeed; negative: none is to fail
	once  bool
	name  string    // part of the file's name
	at    time.Time // of the first failure
}

func (f *failing) fails(name string) bool {
	if f.after.Load() < 0 || !strings.Contains(name, f.name) {
		return false
	}
	if f.after.Load() > 0 {
		f.after.Add(-1)
		return false
	}
	if f.at.IsZero() {
		f.at = time.Now()
	}
	if f.once {
		f.after.Store(-1)
	}
	return true
}

// TestNothingAnsweredIsLostWhenSyncsFail has syncs fail, one or all from then on, and what was to be synced is lost in part. The program
// must end, and say why; then it goes on either on the same mount, where the system's cache has what the disk never got, or
// after a crash.
func TestNothingAnsweredIsLostWhenSyncsFail(t *testing.T) {
	if need := mounted.Missing(); need != "" {
		t.Skip("needs " + need)
	}
	chance := rand.New(rand.NewPCG(*seedFlag, 0))
	tr := newTraffic(*seedFlag)
	tree := volume.Tree{}
	failures, cached := 0, 0
	var slowest time.Duration
	for n := range *faultsFlag {
		v, _ := tree.Load()
		f := &failing{once: chance.IntN(2) == 0, name: []string{".db", "identity.db", "events.db", "sessions.db"}[chance.IntN(4)]}
		f.after.Store(-1)
		m, err := mounted.New(t.TempDir(), v, mounted.Options{FailSync: f.fails})
		if err != nil {
			t.Fatal(err)
		}
		slowest = max(slowest, failUnderLoad(t, tr, m, f, chance.Int64N(100)))
		failures += m.FailedSyncs()
		f.after.Store(-1)
		if n%2 == 0 {
			cached++
			onTheSameMount(t, tr, m)
		}
		if _, err := m.Unmount(); err != nil {
			t.Fatal(err)
		}
		tree = v.Crash(chance, volume.AnyLoss(chance))
		left := t.TempDir()
		if err := tree.Store(left); err != nil {
			t.Fatal(err)
		}
		tr.holds(t, left)
		if t.Failed() {
			t.Fatalf("after fault %d, of %q, once %v", n, f.name, f.once)
		}
	}
	left := t.TempDir()
	if err := tree.Store(left); err != nil {
		t.Fatal(err)
	}
	tr.finish(t, left)
	t.Logf("seed %d: %d programs met %d failed syncs, and ended within %v; %d went on with the same cache", *seedFlag, *faultsFlag, failures, slowest, cached)
}

// failUnderLoad has a sync fail under a program that takes calls in, and returns how long it took to end.
func failUnderLoad(t *testing.T, tr *traffic, m *mounted.Mount, f *failing, after int64) time.Duration {
	t.Helper()
	s := serve(t, m.Data())
	stop := tr.start(s)
	tr.await(t, s, *callsFlag)
	f.after.Store(after)
	for deadline := time.Now().Add(patience); m.FailedSyncs() == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("no sync came that could have failed")
		}
	}
	tr.mutex.Lock()
	tr.late, tr.time = 0, time.Now().Add(time.Second)
	tr.mutex.Unlock()
	ended := s.hasEnded(patience)
	took := time.Since(f.at)
	stop()
	switch code := s.cmd.ProcessState.ExitCode(); {
	case !ended:
		t.Errorf("the program went on for %v", patience)
	case code != exitIOError:
		t.Errorf("exit code %d, want %d\n%s", code, exitIOError, s.printed())
	case !strings.Contains(s.printed(), "input/output error"):
		t.Errorf("it did not say why:\n%s", s.printed())
	}
	if tr.late > 0 {
		t.Errorf("%d calls that were sent a second after the failure or later were answered with 200", tr.late)
	}
	tr.time = time.Time{}
	return took
}

// onTheSameMount starts the program again where the cache still has what was lost, lets it take calls in, and kills it.
func onTheSameMount(t *testing.T, tr *traffic, m *mounted.Mount) {
	t.Helper()
	s := serve(t, m.Data())
	stop := tr.start(s)
	tr.await(t, s, *callsFlag/4+1)
	s.kill()
	stop()
}
