package embedded

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sojournhq/sojourn/internal/kit/observe"
)

func testConfig(dir string) Config {
	return Config{
		Path: filepath.Join(dir, "x.db"), Kind: "test", Format: 1, Tables: []string{"a", "b"},
		BufferBytes: 4_000, SegmentBytes: 2_500, MaxAge: time.Hour, flushRows: 3,
	}
}

// history is what a store went through: its states, one for each update, in the order in which they ran.
type history struct {
	mu       sync.Mutex
	states   []map[string]string
	answered int // how many of them must be there
}

func newHistory() *history { return &history{states: []map[string]string{{}}} }

// bounds are the states that may be there now.
func (h *history) bounds() (least, most int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.answered, len(h.states) - 1
}

// is says whether a store is in a state.
func (h *history) find(rows map[string]string, least, most int) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for n := most; n >= least; n-- {
		if maps.Equal(rows, h.states[n]) {
			return nil
		}
	}
	for n := range h.states {
		if maps.Equal(rows, h.states[n]) {
			return fmt.Errorf("it is in state %d, not between %d and %d", n, least, most)
		}
	}
	return fmt.Errorf("its %d rows are those of no state, between %d and %d", len(rows), least, most)
}

// update changes some rows, and is noted when it runs and when it is answered.
func (h *history) update(s *Store, dice *rand.Rand) error {
	number := 0
	err := s.Update(context.Background(), func(tx *Tx) error {
		h.mu.Lock()
		defer h.mu.Unlock()
		state := maps.Clone(h.states[len(h.states)-1])
		for range 1 + dice.IntN(4) {
			table, key := Table(dice.IntN(2)), fmt.Sprint(dice.IntN(60))
			name := fmt.Sprint(table, "/", key)
			if state[name] != string(tx.Get(table, []byte(key))) {
				return fmt.Errorf("row %s is not what the last update left", name)
			}
			if dice.IntN(4) == 0 {
				tx.Delete(table, []byte(key))
				delete(state, name)
				continue
			}
			value := fmt.Sprintf("%08d%s", len(h.states), strings.Repeat(key, dice.IntN(200)))
			if dice.IntN(8) == 0 {
				value += string(make([]byte, 1200)) // a sector of zeros
			}
			tx.Put(table, []byte(key), []byte(value))
			state[name] = value
		}
		h.states = append(h.states, state)
		number = len(h.states) - 1
		return nil
	})
	if err == nil {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.answered = max(h.answered, number)
	}
	return err
}

// rows returns what a store holds, in the form of a state.
func rows(s *Store) (map[string]string, error) {
	all := map[string]string{}
	return all, s.View(func(tx *Tx) error {
		for table := range Table(2) {
			c := tx.Cursor(table)
			for k, v := c.First(); k != nil; k, v = c.Next() {
				all[fmt.Sprint(table, "/", string(k))] = string(v)
			}
		}
		return nil
	})
}

// check opens what a crash left, and looks whether it is in one of the states that it may be in. Then it goes on with it.
func (h *history) check(t testing.TB, root string, files map[string][]byte, least, most, depth int, seed uint64) error {
	dir, moved := writeFiles(t, root, files)
	defer func() { _ = os.RemoveAll(dir) }()
	c := testConfig(dir)
	disk := newTestDisk(seed, moved)
	defer disk.close()
	dice := rand.New(rand.NewPCG(seed, 2))
	var opened atomic.Bool
	if depth > 0 { // and it crashes again
		var one sync.Mutex
		disk.crash = func(step string, image func() map[string][]byte) {
			one.Lock()
			defer one.Unlock()
			if !opened.Load() && dice.IntN(12) == 0 {
				if err := h.check(t, root, image(), least, most, depth-1, dice.Uint64()); err != nil {
					t.Errorf("crash at %q, while opening what a crash left: %v", step, err)
				}
			}
		}
	}
	c.disk = disk
	s, err := Open(context.Background(), c, observe.Discard())
	if err != nil {
		return fmt.Errorf("%w (%v)", err, names(files))
	}
	defer func() { _ = s.Close() }()
	found, err := rows(s)
	if err == nil {
		err = h.find(found, least, most)
	}
	if err != nil {
		return fmt.Errorf("%w (%v)", err, names(files))
	}
	opened.Store(true)
	return h.goOn(s, c, found, func(after *history) error { // and it crashes once more, after a few updates
		if depth == 0 {
			return nil
		}
		return after.check(t, root, disk.image(), 3, 3, 0, seed)
	})
}

// goOn writes to a store, flushes it or not, and opens it again.
func (h *history) goOn(s *Store, c Config, found map[string]string, crash func(*history) error) error {
	after := &history{states: []map[string]string{found}}
	dice := rand.New(rand.NewPCG(uint64(len(found)), 3))
	for range 3 {
		if err := after.update(s, dice); err != nil {
			return err
		}
	}
	if err := errors.Join(crash(after), s.Close()); err != nil {
		return err
	}
	s, err := Open(context.Background(), c, observe.Discard())
	if err != nil {
		return fmt.Errorf("open it again: %w", err)
	}
	defer func() { _ = s.Close() }()
	if found, err = rows(s); err != nil {
		return err
	}
	problem := after.find(found, 3, 3)
	err = s.Check(context.Background(), func(table string, err error) { problem = errors.Join(problem, fmt.Errorf("%s: %w", table, err)) })
	return errors.Join(err, problem)
}

// live has some goroutines write to a store, flushes and compacts it now and then, and closes and opens it.
func (h *history) live(t testing.TB, c Config, rounds, updates int, seed uint64) error {
	for round := range rounds {
		s, err := Open(t.Context(), c, observe.Discard())
		if err != nil {
			return err
		}
		var senders sync.WaitGroup
		var failed atomic.Pointer[error]
		for n := range 3 {
			senders.Go(func() {
				dice := rand.New(rand.NewPCG(seed, uint64(round*10+n)))
				for range updates {
					if err := h.update(s, dice); err != nil {
						failed.Store(&err)
						return
					}
				}
			})
		}
		senders.Wait()
		_, err = s.Compact(t.Context())
		if errors.Is(err, ErrBusy) {
			err = s.Flush(t.Context())
		}
		if e := failed.Load(); e != nil {
			err = errors.Join(err, *e)
		}
		if round%2 == 0 {
			err = errors.Join(err, s.Flush(t.Context()))
		}
		if err := errors.Join(err, s.Close()); err != nil {
			return err
		}
	}
	return nil
}

// TestACrashAtAnyStepLeavesWhatWasAnswered loses power at steps of a store's life, and at such of opening what that left.
func TestACrashAtAnyStepLeavesWhatWasAnswered(t *testing.T) {
	root, h := memoryDir(t), newHistory()
	dir, _ := writeFiles(t, root, nil)
	disk, tried := newTestDisk(1, nil), 0
	defer disk.close()
	dice := rand.New(rand.NewPCG(4, 5))
	var one sync.Mutex
	disk.crash = func(step string, image func() map[string][]byte) {
		one.Lock()
		defer one.Unlock()
		if t.Failed() || dice.IntN(3) > 0 {
			return
		}
		least, _ := h.bounds()
		files := image()
		_, most := h.bounds()
		tried++
		if err := h.check(t, root, files, least, most, 1, dice.Uint64()); err != nil {
			t.Errorf("crash %d, at %q: %v", tried, step, err)
		}
	}
	c := testConfig(dir)
	c.disk = disk
	updates := 60
	if testing.Short() {
		updates = 15
	}
	if err := h.live(t, c, 4, updates, 6); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d crashes at %d steps", tried, len(disk.steps))
}
