package storetest

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// fataler is a test, of the standard library or of rapid.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

var _ fataler = testing.TB(nil)

// watcher is a consumer of the feed that remembers what it has seen.
type watcher struct {
	t       fataler
	cursors []session.Cursor
	// newest is the latest revision seen of each session, of those that are no more too.
	newest   map[session.ID]int64
	sessions map[session.ID]session.View
	// forgives says that replaced sessions need not be known: a deletion may have taken away what told of them.
	forgives bool
	// told are all changes that were new to it, in order.
	told []session.Change
}

func newWatcher(t fataler) *watcher {
	return &watcher{t: t, cursors: []session.Cursor{{}}, newest: map[session.ID]int64{}, sessions: map[session.ID]session.View{}}
}

// read reads all that is new. A watcher that forgets goes back to the cursor before, as if it had crashed before it stored the last.
func (w *watcher) read(store session.Store, forgets bool) {
	w.t.Helper()
	if forgets && len(w.cursors) > 1 {
		w.cursors = w.cursors[:len(w.cursors)-1]
	}
	for {
		changes, _, err := store.Changes(context.Background(), "w", w.cursors[len(w.cursors)-1], 3)
		if err != nil {
			w.t.Fatalf("changes: %v", err)
		}
		for _, c := range changes {
			w.see(c)
			w.cursors = append(w.cursors, c.Cursor)
		}
		if len(changes) == 0 {
			return
		}
	}
}

func (w *watcher) see(c session.Change) {
	w.t.Helper()
	if c.Session.Revision <= w.newest[c.ID] {
		return // seen before
	}
	w.told = append(w.told, c)
	w.newest[c.ID] = c.Session.Revision
	for _, id := range c.Replaces {
		if _, known := w.sessions[id]; !known && !w.forgives {
			w.t.Fatalf("%v replaces %v, which was never told or is gone already", c.ID, id)
		}
		delete(w.sessions, id)
	}
	if c.Removed {
		delete(w.sessions, c.ID)
		return
	}
	w.sessions[c.ID] = c.Session
}

// compare holds what the watcher knows, once all sessions have ended, against the oracle. Accounts are told as resolved then.
func (w *watcher) compare(want Oracle) {
	w.t.Helper()
	expected := map[session.ID]session.View{}
	for _, v := range want.Views(1 << 60) {
		expected[v.First.ID()] = v
	}
	if diff := cmp.Diff(expected, w.sessions, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(session.View{}, "Revision", "AccountID")); diff != "" {
		w.t.Fatalf("what the feed told (-want +got):\n%s", diff)
	}
}
