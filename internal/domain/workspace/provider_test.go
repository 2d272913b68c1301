package workspace_test

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sojournhq/sojourn/internal/domain/workspace"
)

// changing is a configuration that a test changes.
type changing struct {
	now atomic.Pointer[workspace.Config]
}

func (c *changing) Config() *workspace.Config { return c.now.Load() }

func (c *changing) set(ids ...string) {
	next := &workspace.Config{}
	for _, id := range ids {
		next.Workspaces = append(next.Workspaces, workspace.Workspace{ID: id, Tiers: []string{"tier of " + id}})
	}
	c.now.Store(next)
}

func TestWhatFollowsIsDerivedOnceForEachConfiguration(t *testing.T) {
	var from changing
	from.set("a")
	derived := 0
	count := workspace.Follow(&from, func(c *workspace.Config) int { derived++; return len(c.Workspaces) })
	for _, step := range []struct {
		ids            []string
		want, wantMade int
	}{{nil, 1, 1}, {nil, 1, 1}, {[]string{"a", "b"}, 2, 2}, {nil, 2, 2}} {
		if step.ids != nil {
			from.set(step.ids...)
		}
		if got := count(); got != step.want || derived != step.wantMade {
			t.Errorf("%v: %d, derived %d times, want %d and %d", step.ids, got, derived, step.want, step.wantMade)
		}
	}
}

func TestManyWhoAskAtOnceDeriveOnce(t *testing.T) {
	var from changing
	from.set("a")
	var derived atomic.Int32
	count := workspace.Follow(&from, func(c *workspace.Config) int {
		derived.Add(1)
		for range 1000 { // lets the others come
			runtime.Gosched()
		}
		return len(c.Workspaces)
	})
	begin := make(chan struct{})
	var asking sync.WaitGroup
	for range 20 {
		asking.Go(func() {
			<-begin
			if got := count(); got != 1 {
				t.Errorf("%d, want 1", got)
			}
		})
	}
	close(begin)
	asking.Wait()
	if n := derived.Load(); n != 1 {
		t.Errorf("derived %d times", n)
	}
}

func TestEachWorkspaceIsDerivedFromItsOwnConfigurationOfNow(t *testing.T) {
	var from changing
	from.set("a", "b")
	tiers := workspace.Each(&from, func(w *workspace.Workspace) int { return len(w.Tiers) * len(w.ID) })
	check := func(want map[string]int) {
		t.Helper()
		for id, n := range want {
			if got := tiers(id); got != n {
				t.Errorf("%q: %d, want %d", id, got, n)
			}
		}
	}
	check(map[string]int{"a": 1, "b": 1, "long": 0, "": 0})
	from.set("long")
	check(map[string]int{"a": 0, "b": 0, "long": 4, "": 0})
}

func TestAConfigurationIsItsOwnProvider(t *testing.T) {
	c := &workspace.Config{}
	if c.Config() != c {
		t.Error("another one")
	}
}
