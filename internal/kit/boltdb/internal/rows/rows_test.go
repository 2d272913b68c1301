package rows_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/sojournhq/sojourn/internal/kit/boltdb/internal/rows"
)

// model is what should stand in each place: "" is a row that is deleted.
type model map[rows.Place]map[string]string

func (m model) clone() model {
	c := model{}
	for place, said := range m {
		c[place] = maps.Clone(said)
	}
	return c
}

func (m model) set(l *rows.Level, place rows.Place, key, value string) {
	if m[place] == nil {
		m[place] = map[string]string{}
	}
	m[place][key] = value
	set(l, place, key, value)
}

func set(l *rows.Level, place rows.Place, key, value string) {
	var said []byte
	if value != "" {
		said = []byte(value)
	}
	l.Set(rows.Hash(place, []byte(key)), place, []byte(key), said)
}

// check compares every way to read a view with the model.
func (m model) check(v rows.View) error {
	for _, place := range places {
		if err := m.checkFind(v, place); err != nil {
			return err
		}
		want := slices.Sorted(maps.Keys(m[place]))
		if err := m.checkWalks(v, place, want); err != nil {
			return err
		}
	}
	return nil
}

var places = []rows.Place{0, 1, 7}

func (m model) checkFind(v rows.View, place rows.Place) error {
	for _, key := range allKeys {
		got, found := v.Find(rows.Hash(place, []byte(key)), place, []byte(key))
		want, there := m[place][key]
		if found != there || string(got) != want || (got == nil) != (want == "") {
			return fmt.Errorf("%d, %q: found %v %q, want %v %q", place, key, found, got, there, want)
		}
	}
	return nil
}

func (m model) checkWalks(v rows.View, place rows.Place, want []string) error {
	var ahead, back []string
	c := v.Cursor(place)
	for c.Seek(nil); c.Key() != nil; c.Next() {
		if string(c.Value()) != m[place][string(c.Key())] {
			return fmt.Errorf("%d: the cursor has %q under %q", place, c.Value(), c.Key())
		}
		ahead = append(ahead, string(c.Key()))
	}
	for c.Last(); c.Key() != nil; c.Prev() {
		back = append(back, string(c.Key()))
	}
	slices.Reverse(back)
	if !slices.Equal(ahead, want) || !slices.Equal(back, want) {
		return fmt.Errorf("%d: ahead %q, back %q, want %q", place, ahead, back, want)
	}
	for _, key := range allKeys {
		i, _ := slices.BinarySearch(want, key)
		if c.Seek([]byte(key)); string(c.Key()) != at(want, i) {
			return fmt.Errorf("%d: %q from %q on, want %q", place, c.Key(), key, at(want, i))
		}
		if c.SeekBefore([]byte(key)); string(c.Key()) != at(want, i-1) {
			return fmt.Errorf("%d: %q before %q, want %q", place, c.Key(), key, at(want, i-1))
		}
	}
	return nil
}

func at(keys []string, i int) string {
	if i < 0 || i >= len(keys) {
		return ""
	}
	return keys[i]
}

var allKeys = func() (keys []string) {
	for a := 'a'; a <= 'e'; a++ {
		keys = append(keys, string(a))
		for b := 'a'; b <= 'e'; b++ {
			keys = append(keys, string(a)+string(b))
		}
	}
	return keys
}()

// reader is a view and what it must show until it is closed.
type reader struct {
	view rows.View
	want model
}

func TestEveryReaderSeesWhatWasCommittedWhenItBeganHoweverMuchIsWrittenMeanwhile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		level, now := rows.New(), model{}
		var readers []reader
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			switch step := rapid.IntRange(0, 5).Draw(t, "step"); {
			case step == 0:
				readers = append(readers, reader{level.Read(), now.clone()})
			case step == 1 && len(readers) > 0:
				i := rapid.IntRange(0, len(readers)-1).Draw(t, "closed")
				readers[i].view.Close()
				readers = slices.Delete(readers, i, i+1)
			case step == 2 && len(readers) > 0:
				r := rapid.SampledFrom(readers).Draw(t, "reader")
				fatal(t, r.want.check(r.view))
			case step == 3:
				fatal(t, now.check(level.All()))
			default:
				for range rapid.IntRange(1, 12).Draw(t, "rows") {
					now.set(level, rapid.SampledFrom(places).Draw(t, "place"), rapid.SampledFrom(allKeys).Draw(t, "key"),
						rapid.StringMatching("[x-z]{0,3}").Draw(t, "value"))
				}
				level.Commit()
			}
		}
		for _, r := range readers {
			fatal(t, r.want.check(r.view))
		}
		fatal(t, now.check(level.All()))
		fatal(t, now.checkWalk(level))
	})
}

// checkWalk compares a walk through all rows with the model.
func (m model) checkWalk(level *rows.Level) error {
	var got, want []string
	w := level.Walk()
	for r, ok := w.Row(); ok; r, ok = w.Row() {
		w.Next()
		got = append(got, fmt.Sprintf("%d %s=%s", r.Place(), r.Key(), r.Value()))
	}
	for _, place := range places {
		for _, key := range slices.Sorted(maps.Keys(m[place])) {
			want = append(want, fmt.Sprintf("%d %s=%s", place, key, m[place][key]))
		}
	}
	if !slices.Equal(got, want) || level.Len() != len(want) {
		return fmt.Errorf("walked over %q, want %q; length %d", got, want, level.Len())
	}
	return nil
}

func fatal(t *rapid.T, err error) {
	if err != nil {
		t.Fatal(err)
	}
}

// Every commit gives all rows of a pool the same value, and adds one row.
func TestReadersBesideAWriterSeeWholeCommits(t *testing.T) {
	const commits, pool, place = 2000, 20, rows.Place(3)
	level := rows.New()
	var committing sync.Mutex
	commit := func(n int) {
		committing.Lock()
		defer committing.Unlock()
		for i := range pool {
			set(level, place, fmt.Sprintf("pool %02d", i), fmt.Sprint(n))
		}
		set(level, place, fmt.Sprintf("new %08d", n*7919%commits), fmt.Sprint(n))
		level.Commit()
	}
	read := func() error {
		committing.Lock()
		v := level.Read()
		committing.Unlock()
		defer v.Close()
		key := []byte("pool 00")
		want, _ := v.Find(rows.Hash(place, key), place, key)
		c, n := v.Cursor(place), 0
		for c.Seek(nil); c.Key() != nil; c.Next() {
			if n++; bytes.HasPrefix(c.Key(), []byte("pool")) && !bytes.Equal(c.Value(), want) {
				return fmt.Errorf("%q holds %q, want %q", c.Key(), c.Value(), want)
			}
		}
		if last := fmt.Sprint(n - pool - 1); n > 0 && last != string(want) {
			return fmt.Errorf("%d rows after commit %s", n, want)
		}
		return nil
	}
	ended := make(chan struct{})
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-ended:
					return
				default:
				}
				if err := read(); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for n := range commits {
		commit(n)
	}
	close(ended)
	readers.Wait()
}

func TestALevelThatWasEmptiedHasNothingAndCanBeUsedAgain(t *testing.T) {
	level := rows.New()
	for range 3 {
		m := model{}
		for i, key := range allKeys {
			m.set(level, places[i%len(places)], key, "x")
		}
		if err := m.check(level.All()); err != nil {
			t.Fatal(err)
		}
		level.Reset()
		if err := (model{}).check(level.All()); err != nil || level.Len() != 0 || level.Bytes() != 0 {
			t.Fatalf("%v; %d rows, %d bytes", err, level.Len(), level.Bytes())
		}
	}
}

func TestWhatALevelSaysThatItTakesIsAboutWhatItTakes(t *testing.T) {
	const n, place = 100_000, rows.Place(1)
	for _, reads := range []bool{false, true} {
		before := heap()
		level := rows.New()
		if reads {
			defer level.Read().Close()
		}
		for i := range n + n/2 {
			key := binary.BigEndian.AppendUint64(make([]byte, 0, 32), uint64(i%n)*0x9e3779b97f4a7c15)
			key = append(key, "and 24 bytes more of key"...)
			level.Set(rows.Hash(place, key), place, key, make([]byte, 80))
			if i%10 == 0 {
				level.Commit()
			}
		}
		w := level.Walk()
		for _, more := w.Row(); more; _, more = w.Row() {
			w.Next()
		}
		took := int(heap() - before)
		if says := level.Bytes(); says < took*3/4 || says > took*4/3 {
			t.Errorf("read %v: the level says %d bytes, the heap grew by %d", reads, says, took)
		}
		runtime.KeepAlive(level)
	}
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
