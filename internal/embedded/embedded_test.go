package embedded_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sojournhq/sojourn/internal/embedded"
	"github.com/sojournhq/sojourn/internal/kit/observe"
)

const (
	points embedded.Table = iota
	days
	timers
)

func config(dir string) embedded.Config {
	return embedded.Config{
		Path: filepath.Join(dir, "x.db"), Kind: "test", Format: 1, Tables: []string{"points", "days", "timers"},
		BufferBytes: 20_000, SegmentBytes: 8_000, MaxAge: time.Hour,
	}
}

func open(t testing.TB, c embedded.Config) *embedded.Store {
	t.Helper()
	s, err := embedded.Open(t.Context(), c, observe.Discard())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func get(t testing.TB, s *embedded.Store, table embedded.Table, key string) (value []byte) {
	t.Helper()
	if err := s.View(func(tx *embedded.Tx) error { value = bytes.Clone(tx.Get(table, []byte(key))); return nil }); err != nil {
		t.Fatal(err)
	}
	return value
}

// inMemory returns a directory on a file system in memory, where there is one: there syncs take no time.
func inMemory(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "embedded")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// model is what a table must hold.
type model map[string]string

func (m model) sorted() []string { return slices.Sorted(maps.Keys(m)) }

// check compares a table with the model: every row, walking there and back, and from anywhere.
func (m model) check(tx *embedded.Tx, table embedded.Table, around []string) error {
	want, c := m.sorted(), tx.Cursor(table)
	var got []string
	for k, v := c.First(); k != nil; k, v = c.Next() {
		got = append(got, string(k))
		if m[string(k)] != string(v) || string(tx.Get(table, k)) != string(v) {
			return fmt.Errorf("row %q is not %q", k, m[string(k)])
		}
	}
	if !slices.Equal(got, want) {
		return fmt.Errorf("forward: keys are %q, want %q", got, want)
	}
	got = nil
	for k, v := c.Last(); k != nil; k, v = c.Prev() {
		got = append([]string{string(k)}, got...)
		if m[string(k)] != string(v) {
			return fmt.Errorf("row %q is not %q", k, m[string(k)])
		}
	}
	if !slices.Equal(got, want) {
		return fmt.Errorf("backward: keys are %q, want %q", got, want)
	}
	for _, from := range around {
		if err := m.walk(tx.Cursor(table), from); err != nil {
			return err
		}
		if got := tx.Get(table, []byte(from)); string(got) != m[from] {
			return fmt.Errorf("row %q is %q, want %q", from, got, m[from])
		}
	}
	return nil
}

// walk seeks, and walks two steps on, three back and two on again.
func (m model) walk(c *embedded.Cursor, from string) error {
	keys := m.sorted()
	at, _ := slices.BinarySearch(keys, from)
	k, _ := c.Seek([]byte(from))
	for _, step := range []int{0, 1, 1, -1, -1, -1, 1, 1} {
		if at += step; step > 0 {
			k, _ = c.Next()
		} else if step < 0 {
			k, _ = c.Prev()
		}
		if at < 0 || at >= len(keys) {
			if k != nil {
				return fmt.Errorf("from %q: at %q, want the end", from, k)
			}
			return nil
		}
		if string(k) != keys[at] {
			return fmt.Errorf("from %q: at %q, want %q", from, k, keys[at])
		}
	}
	return nil
}

// TestAStoreIsWhatAMapIs runs random updates, some of which fail, reads, flushes, compactions, and openings of the store beside a map.
func TestAStoreIsWhatAMapIs(t *testing.T) {
	root := inMemory(t)
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp(root, "")
		if err != nil {
			rt.Fatal(err)
		}
		defer func() { _ = os.RemoveAll(dir) }()
		c := config(dir)
		c.BufferBytes = rapid.SampledFrom([]int{1, 500, 5_000, 50_000}).Draw(rt, "buffer")
		c.SegmentBytes = rapid.SampledFrom([]int64{1, 400, 10_000}).Draw(rt, "segment")
		s, err := embedded.Open(t.Context(), c, observe.Discard())
		if err != nil {
			rt.Fatal(err)
		}
		defer func() { _ = s.Close() }()
		models := []model{{}, {}, {}}
		key := rapid.StringMatching("[a-d]{1,3}")
		check := func(rt *rapid.T) {
			around := rapid.SliceOfN(key, 1, 4).Draw(rt, "around")
			err := s.View(func(tx *embedded.Tx) error {
				for table, m := range models {
					if err := m.check(tx, embedded.Table(table), around); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				rt.Fatal(err)
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"": check,
			"update": func(rt *rapid.T) {
				after := []model{maps.Clone(models[0]), maps.Clone(models[1]), maps.Clone(models[2])}
				fails := rapid.IntRange(0, 4).Draw(rt, "fails") == 0
				err := s.Update(t.Context(), func(tx *embedded.Tx) error { return change(rt, tx, after, key, fails) })
				if fails != errors.Is(err, errFails) || !fails && err != nil {
					rt.Fatal(err)
				}
				if !fails {
					models = after
				}
			},
			"flush": func(rt *rapid.T) {
				if err := s.Flush(t.Context()); err != nil {
					rt.Fatal(err)
				}
			},
			"compact": func(rt *rapid.T) {
				if _, err := s.Compact(t.Context()); err != nil && !errors.Is(err, embedded.ErrBusy) {
					rt.Fatal(err)
				}
			},
			"reopen": func(rt *rapid.T) {
				if err := s.Close(); err != nil {
					rt.Fatal(err)
				}
				if s, err = embedded.Open(t.Context(), c, observe.Discard()); err != nil {
					rt.Fatal(err)
				}
			},
		})
	})
}

var errFails = errors.New("it fails")

// change changes rows of a transaction and of its model, and looks at both in between.
func change(rt *rapid.T, tx *embedded.Tx, models []model, key *rapid.Generator[string], fails bool) error {
	table := rapid.IntRange(0, 2).Draw(rt, "table")
	m, c := models[table], tx.Cursor(embedded.Table(table))
	walked, _ := c.Seek([]byte(key.Draw(rt, "seek")))
	for range rapid.IntRange(0, 12).Draw(rt, "changes") {
		k := key.Draw(rt, "key")
		if rapid.IntRange(0, 2).Draw(rt, "delete") == 0 {
			tx.Delete(embedded.Table(table), []byte(k))
			delete(m, k)
		} else {
			n := rapid.IntRange(0, 400).Draw(rt, "length")
			m[k] = fmt.Sprintf("%d%s%s", n, bytes.Repeat([]byte(k), n), rapid.StringMatching("[a-z]{0,5}").Draw(rt, "end"))
			tx.Put(embedded.Table(table), []byte(k), []byte(m[k]))
		}
		if walked != nil {
			at, found := slices.BinarySearch(m.sorted(), string(walked))
			if found {
				at++
			}
			want := append(m.sorted(), "")[at]
			if walked, _ = c.Next(); string(walked) != want {
				rt.Fatalf("a cursor went on to %q, want %q", walked, want)
			}
		}
	}
	if err := m.check(tx, embedded.Table(table), []string{"b"}); err != nil {
		rt.Fatal(err)
	}
	if fails {
		return errFails
	}
	return nil
}

func TestUpdatesOfManyGoroutinesAreWholeForReaders(t *testing.T) {
	c := config(inMemory(t))
	c.BufferBytes, c.SegmentBytes = 3_000, 2_000 // so that flushes never end
	s := open(t, c)
	ctx, stop := context.WithCancel(t.Context())
	var readers, writers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for ctx.Err() == nil {
				if err := s.View(balanced); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for n := range 16 {
		writers.Go(func() {
			for i := range 100 {
				if err := s.Update(t.Context(), func(tx *embedded.Tx) error { return move(tx, n, i) }); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	writers.Wait()
	if err := s.Flush(t.Context()); err != nil {
		t.Error(err)
	}
	stop()
	readers.Wait()
	if got := get(t, s, days, "sum"); string(got) != fmt.Sprint(16*100) {
		t.Errorf("the sum is %s", got)
	}
}

// move counts on in two tables, and adds a row for each in a third.
func move(tx *embedded.Tx, n, i int) error {
	var sum int
	_, _ = fmt.Sscan(string(tx.Get(days, []byte("sum"))), &sum)
	tx.Put(points, fmt.Appendf(nil, "%d/%d", n, i), bytes.Repeat([]byte{'x'}, 50))
	for _, table := range []embedded.Table{days, timers} {
		tx.Put(table, []byte("sum"), fmt.Append(nil, sum+1))
	}
	return nil
}

// balanced checks that a transaction sees all of an update or nothing.
func balanced(tx *embedded.Tx) error {
	rows, sum := 0, 0
	c := tx.Cursor(points)
	for k, _ := c.First(); k != nil; k, _ = c.Next() {
		rows++
	}
	_, _ = fmt.Sscan(string(tx.Get(days, []byte("sum"))), &sum)
	if other := tx.Get(timers, []byte("sum")); rows != sum || string(other) != string(tx.Get(days, []byte("sum"))) {
		return fmt.Errorf("there are %d rows, and sums of %d and %s", rows, sum, other)
	}
	return nil
}
