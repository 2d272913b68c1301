package faults

import (
	"strings"
	"sync"
	"testing"

	"github.com/sojournhq/sojourn/tests/disk/mounted"
	"github.com/sojournhq/sojourn/tests/disk/volume"
)

// syncs counts those of a start, and says which one fails.
type syncs struct {
	mutex sync.Mutex
	names []string
	fail  int // negative: none
}

func (s *syncs) fails(name string) bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.names = append(s.names, name)
	return len(s.names) == s.fail+1
}

// TestEverySyncOfAStartThatFailsEndsItWith74 has one sync after the other fail, in a first start and in one after a kill. The next start
// goes on.
func TestEverySyncOfAStartThatFailsEndsItWith74(t *testing.T) {
	if need := mounted.Missing(); need != "" {
		t.Skip("needs " + need)
	}
	for name, tree := range map[string]volume.Tree{"a first start": {}, "after a kill": leftByAKill(t)} {
		t.Run(name, func(t *testing.T) {
			failed := 0
			for failOne(t, tree, failed) {
				failed++
			}
			t.Logf("%d syncs failed", failed)
			if failed < 10 {
				t.Error("that is fewer than a start has")
			}
		})
	}
}

// leftByAKill is a data directory of a sojourn that was killed with calls in its logs.
func leftByAKill(t *testing.T) volume.Tree {
	t.Helper()
	v := volume.New()
	m, err := mounted.New(t.TempDir(), v, mounted.Options{})
	if err != nil {
		t.Fatal(err)
	}
	tr := newTraffic(*seedFlag)
	s := serve(t, m.Data())
	stop := tr.start(s)
	tr.await(t, s, 50)
	s.kill()
	stop()
	if _, err := m.Unmount(); err != nil {
		t.Fatal(err)
	}
	return v.Tree()
}

// failOne has the sync number n of a start fail, and says whether there was one before the program was ready.
func failOne(t *testing.T, tree volume.Tree, n int) bool {
	t.Helper()
	v, _ := tree.Load()
	counted := &syncs{fail: n}
	m, err := mounted.New(t.TempDir(), v, mounted.Options{FailSync: counted.fails})
	if err != nil {
		t.Fatal(err)
	}
	s, ready := tryServe(t, m.Data())
	met := m.FailedSyncs() > 0
	if met && !s.hasEnded(patience) {
		t.Errorf("sync %d, of %s, failed, and the program goes on", n, counted.names[n])
	}
	if !met && !ready {
		t.Fatalf("nothing failed, and it ended: %s", s.printed())
	}
	if code := s.cmd.ProcessState.ExitCode(); met && (code != exitIOError || !strings.Contains(s.printed(), "input/output error")) {
		t.Errorf("sync %d, of %s, failed: exit code %d: %s", n, counted.names[n], code, s.printed())
	}
	s.kill()
	counted.mutex.Lock()
	counted.fail = -1
	counted.mutex.Unlock()
	if again, ready := tryServe(t, m.Data()); !ready {
		t.Errorf("after sync %d, of %s, had failed, the next start says %s", n, counted.names[min(n, len(counted.names)-1)], again.printed())
	} else {
		again.kill()
	}
	if _, err := m.Unmount(); err != nil {
		t.Fatal(err)
	}
	return met
}
