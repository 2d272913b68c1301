package boltlinks_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sojournhq/sojourn/internal/domain/attribution"
	"github.com/sojournhq/sojourn/internal/domain/attribution/boltlinks"
	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/deletion"
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
)

func inBucket(t *testing.T, do func(bucket)) {
	t.Helper()
	db, err := boltdb.Open(boltdb.Options{Path: filepath.Join(t.TempDir(), "links.db"), Kind: "test", Format: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	// Here, and not in the goroutine of the transaction, so that a test can end where it fails.
	ready, done := make(chan bucket), make(chan struct{})
	defer close(done)
	go func() {
		_ = db.Update(context.Background(), func(tx *boltdb.Tx) error {
			links, err := tx.CreateBucketIfNotExists([]byte("links"))
			if err != nil {
				t.Error(err)
			}
			tombstones, err := tx.CreateBucketIfNotExists([]byte("tombstones"))
			if err != nil {
				t.Error(err)
			}
			ready <- bucket{boltlinks.In(links), deletion.In(tombstones)}
			<-done
			return nil
		})
	}()
	do(<-ready)
}

// bucket is links, and who was deleted.
type bucket struct {
	boltlinks.Links

	deleted deletion.Tombstones
}

// forget deletes a user as a service does.
func (b bucket) forget(t *testing.T, user string, untilMS int64) {
	t.Helper()
	_, err := b.Forget(user, untilMS, nil)
	if err := errors.Join(b.deleted.Put(user, untilMS), err); err != nil {
		t.Fatal(err)
	}
}

func learn(t *testing.T, l bucket, calls ...call.Call) {
	t.Helper()
	deleted, err := l.deleted.Reader()
	if err != nil {
		t.Fatal(err)
	}
	learner := l.Learner(deleted)
	for i := range calls {
		gone, err := deleted.Drops(&calls[i])
		if !gone && err == nil {
			err = learner.Learn(&calls[i])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := learner.Store(); err != nil {
		t.Fatal(err)
	}
}

func TestAUserIsUnknownThenKnownThenAmbiguous(t *testing.T) {
	inBucket(t, func(l bucket) {
		for _, step := range []struct {
			learn call.Call
			want  attribution.Resolution
		}{
			{call.Call{Type: call.Track, UserID: "u"}, attribution.Resolution{State: attribution.Unknown}},
			{call.Call{Type: call.Track, AccountID: "a"}, attribution.Resolution{State: attribution.Unknown}},
			{call.Call{Type: call.Track, UserID: "u", AccountID: "a"}, attribution.Resolution{State: attribution.Known, Account: "a"}},
			{call.Call{Type: call.Group, UserID: "u", AccountID: "a"}, attribution.Resolution{State: attribution.Known, Account: "a"}},
			{call.Call{Type: call.Alias, UserID: "v", PreviousID: "w"}, attribution.Resolution{State: attribution.Known, Account: "a"}},
			{call.Call{Type: call.Track, UserID: "w", AccountID: "b"}, attribution.Resolution{State: attribution.Known, Account: "a"}},
			{call.Call{Type: call.Alias, UserID: "v", PreviousID: "u"}, attribution.Resolution{State: attribution.Ambiguous, Candidates: []string{"a", "b"}}},
		} {
			learn(t, l, step.learn)
			got, err := attribution.NewResolver(l).Resolve("u")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(step.want, got); diff != "" {
				t.Errorf("after %+v: %s", step.learn, diff)
			}
		}
	})
}

func TestUsersOfAnAccountAreThoseWhoseCallsCountForIt(t *testing.T) {
	inBucket(t, func(l bucket) {
		learn(t, l,
			call.Call{Type: call.Track, UserID: "u", AccountID: "a"},
			call.Call{Type: call.Alias, UserID: "u", PreviousID: "v"},
			call.Call{Type: call.Track, UserID: "two", AccountID: "a"},
			call.Call{Type: call.Track, UserID: "two", AccountID: "b"},
		)
		named, resolved, err := l.UsersOf("a", attribution.NewResolver(l))
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(resolved)
		if diff := cmp.Diff([]string{"two", "u"}, named); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{"u", "v"}, resolved); diff != "" {
			t.Error(diff)
		}
	})
}

func TestResolutionIsTheSameInWhateverOrderCallsCome(t *testing.T) {
	id := rapid.SampledFrom([]string{"u", "v", "w", "x"})
	history := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) call.Call {
		if rapid.Bool().Draw(t, "alias") {
			return call.Call{Type: call.Alias, UserID: id.Draw(t, "user"), PreviousID: id.Draw(t, "previous")}
		}
		return call.Call{Type: call.Track, UserID: id.Draw(t, "user"), AccountID: rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "account")}
	}), 0, 12)
	rapid.Check(t, func(rt *rapid.T) {
		calls := history.Draw(rt, "calls")
		shuffled := rapid.Permutation(append(slices.Clone(calls), calls...)).Draw(rt, "shuffled")
		var all [2][]attribution.Resolution
		for i, order := range [][]call.Call{calls, shuffled} {
			inBucket(t, func(l bucket) {
				learn(t, l, order...)
				resolver := attribution.NewResolver(l)
				for _, user := range []string{"u", "v", "w", "x"} {
					r, err := resolver.Resolve(user)
					if err != nil {
						t.Fatal(err)
					}
					all[i] = append(all[i], r)
				}
			})
		}
		if diff := cmp.Diff(all[0], all[1]); diff != "" {
			rt.Fatal(diff)
		}
	})
}

func TestWhatADeletedUsersCallsSaidIsForgottenInWhateverOrderTheyCome(t *testing.T) {
	id := rapid.SampledFrom([]string{"u", "v", "w"})
	one := rapid.Custom(func(t *rapid.T) call.Call {
		c := call.Call{Type: call.Track, UserID: id.Draw(t, "user"), TimeMS: rapid.Int64Range(1, 9).Draw(t, "time")}
		switch rapid.IntRange(0, 3).Draw(t, "kind") {
		case 0:
			c.Type = call.Delete
		case 1:
			c.Type, c.PreviousID = call.Alias, id.Draw(t, "previous")
			c.AccountID = rapid.SampledFrom([]string{"", "", "a"}).Draw(t, "account")
		default:
			c.AccountID = rapid.SampledFrom([]string{"a", "b"}).Draw(t, "account")
		}
		return c
	})
	rapid.Check(t, func(rt *rapid.T) {
		calls := rapid.SliceOfN(one, 0, 12).Draw(rt, "calls")
		until := map[string]int64{}
		for _, c := range calls {
			if c.Type == call.Delete {
				until[c.UserID] = max(until[c.UserID], c.TimeMS)
			}
		}
		remaining := slices.DeleteFunc(slices.Clone(calls), func(c call.Call) bool {
			return c.Type == call.Delete || c.TimeMS <= until[c.UserID]
		})
		for i := range remaining {
			if c := &remaining[i]; c.Type == call.Alias && c.TimeMS <= until[c.PreviousID] {
				c.Type, c.PreviousID = call.Track, "" // it joins nobody any more
			}
		}
		state := func(order []call.Call) (all []attribution.Resolution) {
			inBucket(t, func(l bucket) {
				var together []call.Call
				for _, c := range order {
					if c.Type != call.Delete {
						together = append(together, c)
						continue
					}
					learn(t, l, together...)
					together = together[:0]
					l.forget(t, c.UserID, c.TimeMS)
				}
				learn(t, l, together...)
				l.Check(func(message string) { rt.Errorf("not sound: %s", message) })
				if problems := said(t, l, remaining...); len(problems) > 0 {
					rt.Errorf("not sound: %q", problems)
				}
				for _, user := range []string{"u", "v", "w"} {
					r, err := attribution.NewResolver(l).Resolve(user)
					if err != nil {
						t.Fatal(err)
					}
					all = append(all, r)
				}
			})
			return all
		}
		if diff := cmp.Diff(state(remaining), state(rapid.Permutation(calls).Draw(rt, "order"))); diff != "" {
			rt.Fatal(diff)
		}
	})
}
