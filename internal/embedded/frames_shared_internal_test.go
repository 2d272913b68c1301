package embedded

import (
	"context"
	"errors"
	"maps"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/sojournhq/sojourn/internal/kit/observe"
)

// slowDisk holds the next sync of the log until it is told what to say, and tells when it does.
type slowDisk struct {
	*testDisk

	hold  atomic.Bool
	holds chan struct{}
	say   chan error
}

func newSlowStore(t *testing.T) (*slowDisk, *Store) {
	t.Helper()
	dir, _ := writeFiles(t, memoryDir(t), nil)
	d := &slowDisk{testDisk: newTestDisk(1, nil), holds: make(chan struct{}), say: make(chan error)}
	t.Cleanup(d.close)
	d.fail = func(step string) error {
		if strings.HasPrefix(step, "write .log") && d.hold.CompareAndSwap(true, false) {
			d.holds <- struct{}{}
			return <-d.say
		}
		return nil
	}
	c := testConfig(dir)
	c.disk = d
	s, err := Open(t.Context(), c, observe.Discard())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return d, s
}

// send sends an update, and returns once it has run, while what becomes of it is not known.
func send(s *Store, fn func(tx *Tx) error) (done chan error) {
	done, ran := make(chan error, 1), make(chan struct{})
	go func() {
		done <- s.Update(context.Background(), func(tx *Tx) error {
			defer close(ran)
			return fn(tx)
		})
	}()
	<-ran
	return done
}

func puts(value string) func(tx *Tx) error {
	return func(tx *Tx) error { tx.Put(0, []byte("k"), []byte(value)); return nil }
}

func wantRows(t *testing.T, s *Store, want map[string]string) {
	t.Helper()
	got, err := rows(s)
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("rows are %v, want %v: %v", got, want, err)
	}
}

func TestReadersSeeAnUpdateWhenItIsDurableAndNotBefore(t *testing.T) {
	d, s := newSlowStore(t)
	update(t, s, puts("1"))
	d.hold.Store(true)
	second := send(s, puts("2"))
	<-d.holds
	third := send(s, func(tx *Tx) error {
		if got := tx.Get(0, []byte("k")); string(got) != "2" {
			t.Errorf("the next update sees %s", got)
		}
		return puts("3")(tx)
	})
	wantRows(t, s, map[string]string{"0/k": "1"})
	d.say <- nil
	if err := errors.Join(<-second, <-third); err != nil {
		t.Error(err)
	}
	wantRows(t, s, map[string]string{"0/k": "3"})
}

func TestAnUpdateThatFailsLeavesNothingInTheFrameThatItShares(t *testing.T) {
	d, s := newSlowStore(t)
	d.hold.Store(true)
	first := send(s, func(tx *Tx) error { tx.Put(0, []byte("other"), []byte("x")); return nil })
	<-d.holds
	second := send(s, puts("2"))
	errFails := errors.New("it fails")
	third := send(s, func(tx *Tx) error {
		_ = puts("3")(tx)
		tx.Put(1, []byte("new"), []byte("x"))
		tx.Delete(0, []byte("other"))
		return errFails
	})
	fourth := send(s, func(tx *Tx) error { panic("a bug") })
	fifth := send(s, func(tx *Tx) error { tx.Put(0, nil, nil); return nil })
	select {
	case err := <-third:
		t.Errorf("what failed was answered before what it saw was durable: %v", err)
	default:
	}
	d.say <- nil
	if err := errors.Join(<-first, <-second); err != nil {
		t.Error(err)
	}
	if err := <-third; !errors.Is(err, errFails) {
		t.Error(err)
	}
	if err := <-fourth; err == nil || !strings.Contains(err.Error(), "a bug") {
		t.Error(err)
	}
	if err := <-fifth; !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
	want := map[string]string{"0/k": "2", "0/other": "x"}
	wantRows(t, s, want)
	flush(t, s)
	wantRows(t, s, want)
}

func TestWhatWasBuiltOnAFrameWithoutRoomIsUndoneWithIt(t *testing.T) {
	d, s := newSlowStore(t)
	update(t, s, puts("1"))
	d.hold.Store(true)
	second := send(s, puts("2"))
	<-d.holds
	third := send(s, puts("3"))
	d.say <- syscall.ENOSPC
	for _, done := range []chan error{second, third} {
		if err := <-done; !errors.Is(err, ErrFull) || errors.Is(err, ErrFailed) {
			t.Error(err)
		}
	}
	wantRows(t, s, map[string]string{"0/k": "1"})
	update(t, s, func(tx *Tx) error {
		if got := tx.Get(0, []byte("k")); string(got) != "1" {
			t.Errorf("the next update sees %s", got)
		}
		tx.Put(0, []byte("l"), []byte("4"))
		return nil
	})
	wantRows(t, s, map[string]string{"0/k": "1", "0/l": "4"})
}

func TestACopyIsAStoreOfItsOwnThatCanBeInstalled(t *testing.T) {
	root := memoryDir(t)
	dir, _ := writeFiles(t, root, nil)
	c := testConfig(dir)
	s, err := Open(t.Context(), c, observe.Discard())
	if err != nil {
		t.Fatal(err)
	}
	update(t, s, puts("1"))
	if err := s.Copy(t.Context(), c.Path+".copy"); err != nil {
		t.Fatal(err)
	}
	update(t, s, puts("2"))
	if err := Install(c, c.Path+".copy"); !errors.Is(err, ErrLocked) {
		t.Errorf("it is installed in a store that is open: %v", err)
	}
	copied := c
	copied.Path += ".copy"
	other, err := Open(t.Context(), copied, observe.Discard())
	if err != nil {
		t.Fatal(err)
	}
	wantRows(t, other, map[string]string{"0/k": "1"})
	wantRows(t, s, map[string]string{"0/k": "2"})
	if err := errors.Join(other.Close(), s.Close(), Install(c, copied.Path)); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(t.Context(), c, observe.Discard()); err != nil {
		t.Fatal(err)
	}
	wantRows(t, s, map[string]string{"0/k": "1"})
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestAStoreThatWasKilledIsCopiedByWhoMayOnlyRead(t *testing.T) {
	root := memoryDir(t)
	files, state := left(t, root)
	dir, _ := writeFiles(t, root, files)
	c := testConfig(dir)
	c.ReadOnly = true
	s, err := Open(t.Context(), c, observe.Discard())
	if err != nil {
		t.Fatal(err)
	}
	wantRows(t, s, state)
	if err := s.Update(t.Context(), puts("1")); !errors.Is(err, ErrReadOnly) {
		t.Error(err)
	}
	if err := errors.Join(s.Copy(t.Context(), c.Path+".copy"), s.Close()); err != nil {
		t.Fatal(err)
	}
	c.Path += ".copy"
	if s, err = Open(t.Context(), c, observe.Discard()); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	wantRows(t, s, state)
}
