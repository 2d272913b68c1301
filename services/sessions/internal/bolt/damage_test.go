package bolt_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	bbolt "go.etcd.io/bbolt"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/boltdb/boltdbtest"
	"github.com/sojournhq/sojourn/internal/kit/record"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

const minute = 60 * 1000

// stopped is the directory of a store with five sessions that nothing has ended yet.
func stopped(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	withStore(t, dir, func(store session.Store) {
		for i := range int64(5) {
			ms := i * 100 * minute
			c := call.Call{Type: call.Track, AnonymousID: fmt.Sprint("s", i), MessageID: fmt.Sprint("m", i), TimeMS: ms, OriginalMS: ms}
			if _, err := store.Record(t.Context(), "w", []call.Call{c}); err != nil {
				t.Fatal(err)
			}
		}
	})
	return dir
}

func withStore(t *testing.T, dir string, do func(session.Store)) {
	t.Helper()
	store, err := open(dir, defaults)
	if err != nil {
		t.Fatal(err)
	}
	do(store)
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
}

func told(t *testing.T, store session.Store) int {
	t.Helper()
	changes, _, err := store.Changes(context.Background(), "w", session.Cursor{}, 100)
	if err != nil {
		t.Fatal(err)
	}
	return len(changes)
}

func TestTimersThatAreMissingAreSetAgain(t *testing.T) {
	dir := stopped(t)
	boltdbtest.DeleteBucket(t, filepath.Join(dir, "sessions.db"), "timers")
	withStore(t, dir, func(store session.Store) {
		if looked, err := store.EndDue(t.Context(), 1<<40, 100); looked != 0 || err != nil {
			t.Errorf("looked at %d timers, %v", looked, err)
		}
		var mended []int
		for from, first := []byte(nil), true; first || from != nil; first = false {
			n, next, err := store.MendTimers(t.Context(), from, 2)
			if err != nil {
				t.Fatal(err)
			}
			mended, from = append(mended, n), next
		}
		if fmt.Sprint(mended) != "[2 2 1]" {
			t.Errorf("mended %v", mended)
		}
		if n, _, err := store.MendTimers(t.Context(), nil, 100); n != 0 || err != nil {
			t.Errorf("mended %d again, %v", n, err)
		}
		if looked, err := store.EndDue(t.Context(), 1<<40, 100); looked != 5 || err != nil {
			t.Errorf("looked at %d timers, %v", looked, err)
		}
		if n := told(t, store); n != 5 {
			t.Errorf("%d sessions were told", n)
		}
		if n, _, err := store.MendTimers(t.Context(), nil, 100); n != 0 || err != nil {
			t.Errorf("mended %d timers of sessions that have ended, %v", n, err)
		}
	})
}

func TestTimersThatCannotBeReadAreMadeAnew(t *testing.T) {
	dir := stopped(t)
	boltdbtest.Raw(t, filepath.Join(dir, "sessions.db"), func(tx *bbolt.Tx) error {
		timers := tx.Bucket([]byte("timers"))
		key, sealed := timers.Cursor().First()
		broken := bytes.Clone(sealed)
		broken[0] ^= 1
		return timers.Put(bytes.Clone(key), broken)
	})
	withStore(t, dir, func(store session.Store) {
		if mended, _, err := store.MendTimers(t.Context(), nil, 100); mended != 5 || err != nil {
			t.Errorf("mended %d, %v", mended, err)
		}
		if looked, err := store.EndDue(t.Context(), 1<<40, 100); looked != 5 || err != nil {
			t.Errorf("looked at %d timers, %v", looked, err)
		}
		if n := told(t, store); n != 5 {
			t.Errorf("%d sessions were told", n)
		}
	})
}

func TestASessionThatCannotBeReadCostsOnlyItself(t *testing.T) {
	for name, breaks := range map[string]func(w *boltdb.Bucket) error{
		"its row": func(w *boltdb.Bucket) error {
			cursor := w.Bucket([]byte("sessions")).Cursor()
			cursor.First()
			key, sealed := cursor.Next()
			broken := append([]byte(nil), sealed...)
			broken[0] ^= 1
			return w.Bucket([]byte("sessions")).Put(append([]byte(nil), key...), broken)
		},
		"its name": func(w *boltdb.Bucket) error {
			cursor := w.Bucket([]byte("sessions")).Cursor()
			key, _ := cursor.First()
			return w.Bucket([]byte("names")).Delete(append([]byte{'i'}, key[:4]...))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := stopped(t)
			boltdbtest.Change(t, filepath.Join(dir, "sessions.db"), func(tx *boltdb.Tx) error {
				return breaks(tx.Bucket([]byte("workspaces")).Bucket([]byte("w")))
			})
			withStore(t, dir, func(store session.Store) { endAllButOne(t, store) })
		})
	}
}

func endAllButOne(t *testing.T, store session.Store) {
	t.Helper()
	now := int64(1 << 40)
	looked, err := store.EndDue(t.Context(), now, 100)
	if looked != 5 || !errors.Is(err, record.ErrCorrupt) {
		t.Errorf("looked at %d timers, %v; want 5 and ErrCorrupt", looked, err)
	}
	if n := told(t, store); n != 4 {
		t.Errorf("%d sessions were told, want the 4 others", n)
	}
	if looked, err := store.EndDue(t.Context(), now+30*minute, 100); looked != 0 || err != nil {
		t.Errorf("at once again: looked at %d, %v", looked, err)
	}
	if looked, err := store.EndDue(t.Context(), now+61*minute, 100); looked != 1 || !errors.Is(err, record.ErrCorrupt) {
		t.Errorf("an hour later: looked at %d, %v", looked, err)
	}
	if _, _, err := store.MendTimers(t.Context(), nil, 100); err != nil {
		t.Errorf("mending: %v", err)
	}
}
