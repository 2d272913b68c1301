package embedded

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/sojournhq/sojourn/internal/kit/observe"
)

// fault is what goes wrong: from a step on, for some steps of all or of a kind.
type fault struct {
	err   error
	from  int
	steps int // how many fail from there on
	// happened names the steps that failed so far.
	happened func() string
}

// TestEveryFailureOfTheDiskIsBorne fails each step of a store's life, and looks at what the store says then, holds, and holds when it is
// opened again; as it is, and after a loss of power.
func TestEveryFailureOfTheDiskIsBorne(t *testing.T) {
	root := memoryDir(t)
	steps := len(live(t, root, fault{from: 1 << 30}))
	every := 1
	if testing.Short() {
		every = 7
	}
	for n := 0; n < steps; n += every {
		for _, f := range []fault{{err: syscall.EIO, steps: 1}, {err: syscall.ENOSPC, steps: 1}, {err: syscall.ENOSPC, steps: 5}} {
			f.from = n
			synctest.Test(t, func(t *testing.T) { live(t, root, f) })
			if t.Failed() {
				return
			}
		}
	}
	t.Logf("%d steps", steps)
}

// live lives a short life, and returns the steps of it.
func live(t *testing.T, root string, f fault) []string {
	t.Helper()
	dir, _ := writeFiles(t, root, nil)
	disk, h := newTestDisk(uint64(f.from), nil), newHistory()
	defer disk.close()
	step, happens := 0, ""
	f.happened = func() string {
		disk.mu.Lock()
		defer disk.mu.Unlock()
		return happens
	}
	disk.fail = func(name string) error {
		disk.mu.Lock()
		defer disk.mu.Unlock()
		if step++; step > f.from && step <= f.from+f.steps {
			happens += name + ", "
			return f.err
		}
		return nil
	}
	c := testConfig(dir)
	c.disk = disk
	checks := 1
	f.life(t, c, h, func() { // power is lost while it goes on
		if least, most := h.bounds(); f.happened() != "" && checks > 0 {
			checks--
			if err := h.check(t, root, disk.image(), least, most, 0, 1); err != nil {
				t.Errorf("%v at %s: after a loss of power soon after: %v", f.err, f.happened(), err)
			}
		}
	})
	least, most := h.bounds()
	image := disk.image() // as if the power had been lost with it
	f.reopen(t, c, h, least, most)
	if err := h.check(t, root, image, least, most, 0, 1); err != nil {
		t.Errorf("%v at %s: after a loss of power: %v", f.err, f.happened(), err)
	}
	return disk.steps
}

func (f *fault) life(t *testing.T, c Config, h *history, loss func()) {
	t.Helper()
	told := make(chan error, 1)
	deps := observe.Discard()
	deps.Fatal = func(err error) { told <- err }
	s, err := Open(context.Background(), c, deps)
	if err != nil {
		f.expect(t, "Open", err)
		return
	}
	dead := false
	dice := rand.New(rand.NewPCG(1, 1))
	for n := range 40 {
		_, before := h.bounds()
		err := h.update(s, dice)
		if err != nil {
			f.expect(t, "Update", err)
		}
		if dead = dead || errors.Is(err, ErrFailed); err != nil && !errors.Is(err, ErrFailed) {
			h.states = h.states[:before+1] // nothing of it is left
		}
		if err == nil && dead {
			t.Errorf("%v at %s: an update was answered after the store had failed", f.err, f.happened())
		}
		if f.look(t, s, h); err == nil {
			loss()
		}
		if n%15 == 10 {
			err := s.Flush(context.Background())
			dead = dead || errors.Is(err, ErrFailed)
			_, compactErr := s.Compact(context.Background())
			dead = dead || errors.Is(compactErr, ErrFailed)
		}
	}
	if dead {
		if err := <-told; !errors.Is(err, ErrFailed) {
			t.Errorf("%v at %s: what is told is %v", f.err, f.happened(), err)
		}
	}
	if err := s.Close(); err != nil {
		f.expect(t, "Close", err)
	}
}

// expect refuses an error that is not the consequence of the fault.
func (f *fault) expect(t *testing.T, what string, err error) {
	t.Helper()
	if f.happened() == "" || !errors.Is(err, f.err) && !errors.Is(err, ErrFull) && !strings.Contains(err.Error(), f.err.Error()) {
		t.Errorf("%v at %s: %s: %v", f.err, f.happened(), what, err)
	}
	if errors.Is(err, ErrFull) && errors.Is(err, ErrFailed) {
		t.Errorf("%v at %s: %s says that nothing is left and that this is not known: %v", f.err, f.happened(), what, err)
	}
}

// look checks that readers see what was answered, and nothing of what failed.
func (f *fault) look(t *testing.T, s *Store, h *history) {
	t.Helper()
	found, err := rows(s)
	least, most := h.bounds()
	if err == nil {
		err = h.find(found, least, most)
	}
	if err != nil {
		t.Errorf("%v at %s: %v", f.err, f.happened(), err)
	}
}

// reopen opens the store as the failure left it.
func (f *fault) reopen(t *testing.T, c Config, h *history, least, most int) {
	t.Helper()
	f.steps = 0
	s, err := Open(context.Background(), c, observe.Discard())
	if err != nil {
		t.Errorf("%v at %s: open it again: %v", f.err, f.happened(), err)
		return
	}
	found, err := rows(s)
	if err == nil {
		err = h.find(found, least, most)
	}
	if err := errors.Join(err, s.Close()); err != nil {
		t.Error(fmt.Errorf("%w at %s: opened again: %w", f.err, f.happened(), err))
	}
}
