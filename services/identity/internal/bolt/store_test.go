package bolt_test

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/boltdb/boltdbtest"
	"github.com/sojournhq/sojourn/internal/kit/record"
	"github.com/sojournhq/sojourn/internal/kit/soundness"
	storagev1 "github.com/sojournhq/sojourn/proto/sojourn/identity/storage/v1"
	"github.com/sojournhq/sojourn/services/identity/internal/bolt"
	"github.com/sojournhq/sojourn/services/identity/internal/directory"
	"github.com/sojournhq/sojourn/services/identity/internal/storetest"
)

func open(dir string) (directory.Store, error) {
	return bolt.Open(boltdb.Options{Path: filepath.Join(dir, "identity.db")})
}

func TestBoltIsAStore(t *testing.T) { storetest.Run(t, open) }

// damage changes one byte of every value in a table of workspace w.
func damage(t *testing.T, dir, table string) {
	t.Helper()
	boltdbtest.Change(t, filepath.Join(dir, "identity.db"), func(tx *boltdb.Tx) error {
		b := tx.Bucket([]byte("workspaces")).Bucket([]byte("w")).Bucket([]byte(table))
		cursor := b.Cursor()
		n := 0
		for key, value := cursor.First(); key != nil; key, value = cursor.Next() {
			n++
			bad := bytes.Clone(value)
			bad[len(bad)-1] ^= 1
			if err := b.Put(key, bad); err != nil {
				return err
			}
		}
		if n == 0 {
			t.Errorf("table %s is empty", table)
		}
		return nil
	})
}

func TestADamagedRowIsAnErrorNeverPassedOver(t *testing.T) {
	ctx := context.Background()
	batch := directory.Batch{
		Calls:      []call.Call{{Type: call.Track, MessageID: "m", UserID: "u", AccountID: "a"}},
		Rejections: []directory.Rejection{{Code: "c"}},
	}
	for table, read := range map[string]func(directory.Store) error{
		"users":      func(s directory.Store) error { _, err := s.Users(ctx, "w", nil, directory.UserKey{}, 10); return err },
		"accounts":   func(s directory.Store) error { _, err := s.Accounts(ctx, "w", "", 10); return err },
		"books":      func(s directory.Store) error { _, err := s.Books(ctx, "w"); return err },
		"links":      func(s directory.Store) error { _, err := s.Resolve(ctx, "w", "u"); return err },
		"ledger":     func(s directory.Store) error { _, err := s.Record(ctx, "w", batch); return err },
		"rejections": func(s directory.Store) error { _, err := s.Record(ctx, "w", batch); return err },
		"kept":       func(s directory.Store) error { return s.Kept(ctx, "w", 0, func(*directory.Kept) bool { return true }) },
	} {
		t.Run(table, func(t *testing.T) {
			dir := t.TempDir()
			with := func(do func(directory.Store) error) error {
				store, err := open(dir)
				if err != nil {
					t.Fatal(err)
				}
				return errors.Join(do(store), store.Close())
			}
			if err := with(func(s directory.Store) error { _, err := s.Record(ctx, "w", batch); return err }); err != nil {
				t.Fatal(err)
			}
			damage(t, dir, table)
			if err := with(read); !errors.Is(err, record.ErrCorrupt) {
				t.Errorf("error %v, want ErrCorrupt", err)
			}
		})
	}
}

func TestAFileFromBeforeRejectionsWereKeptIsRead(t *testing.T) {
	dir := t.TempDir()
	store, err := open(dir)
	if err != nil {
		t.Fatal(err)
	}
	batch := directory.Batch{Rejections: []directory.Rejection{{Code: "c"}}}
	if _, err := store.Record(t.Context(), "w", batch); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	boltdbtest.DeleteBucket(t, filepath.Join(dir, "identity.db"), "workspaces", "w", "kept")
	verifyErr := bolt.Verify(t.Context(), boltdb.Options{Path: filepath.Join(dir, "identity.db")}, func(p soundness.Problem) {
		t.Errorf("found unsound: %s", p)
	})
	if verifyErr != nil {
		t.Error(verifyErr)
	}
	if store, err = open(dir); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	n := 0
	count := func(*directory.Kept) bool { n++; return true }
	if err := store.Kept(t.Context(), "w", 0, count); err != nil || n != 0 {
		t.Errorf("%d kept, %v", n, err)
	}
	if removed, err := store.TrimKept(t.Context(), "w", 1, 1); err != nil || removed != 0 {
		t.Errorf("trimmed %d, %v", removed, err)
	}
	if _, err := store.Record(t.Context(), "w", batch); err != nil {
		t.Fatal(err)
	}
	if err := store.Kept(t.Context(), "w", 0, count); err != nil || n != 1 {
		t.Errorf("%d kept, %v", n, err)
	}
}

func TestOfAUserFromBeforeActivityWasToldApartTheLatestCallCounts(t *testing.T) {
	dir := t.TempDir()
	seen := func(calls ...call.Call) int64 {
		t.Helper()
		store, err := open(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = store.Close() }()
		if _, err := store.Record(t.Context(), "w", directory.Batch{Calls: calls}); err != nil {
			t.Fatal(err)
		}
		users, err := store.User(t.Context(), "w", "u")
		if err != nil || len(users) != 1 {
			t.Fatalf("listed as %v, %v", users, err)
		}
		return users[0].LastSeenMS
	}
	at := func(ms int64, kind call.Type) call.Call {
		return call.Call{Type: kind, MessageID: strconv.FormatInt(ms, 10), OriginalMS: ms, TimeMS: ms, UserID: "u"}
	}
	if got := seen(at(5, call.Identify)); got != directory.NeverSeen {
		t.Errorf("seen at %d", got)
	}
	boltdbtest.Change(t, filepath.Join(dir, "identity.db"), func(tx *boltdb.Tx) error {
		users := tx.Bucket([]byte("workspaces")).Bucket([]byte("w")).Bucket([]byte("users"))
		key, _ := users.Cursor().First()
		sealed, err := record.Marshal(key, &storagev1.UserRow{LastTimeMs: 5})
		if err != nil {
			return err
		}
		return users.Put(bytes.Clone(key), sealed)
	})
	if got := seen(at(7, call.Identify)); got != 5 {
		t.Errorf("seen at %d, want at the latest call of before", got)
	}
	if got := seen(at(9, call.Page), at(8, call.Track)); got != 9 {
		t.Errorf("seen at %d, want at the latest activity", got)
	}
}

func TestADeletionJustBeforeARejectionIsRecordedCountsForIt(t *testing.T) {
	store, err := bolt.Open(boltdb.Options{Path: filepath.Join(t.TempDir(), "identity.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	batch := directory.Batch{Rejections: []directory.Rejection{{Code: "c", Body: []byte(`{"userId":"alice"}`)}}}
	for _, id := range []string{"bob", "alice"} {
		err := store.RecordBehind(t.Context(), "w", batch, func() {
			if _, err := store.DeleteUser(t.Context(), "w", id, 1); err != nil {
				t.Error(err)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		err = store.Kept(t.Context(), "w", 0, func(*directory.Kept) bool { n++; return true })
		if want := map[string]int{"bob": 1, "alice": 0}[id]; n != want || err != nil {
			t.Errorf("when %s was deleted just before, %d are kept, %v; want %d", id, n, err, want)
		}
	}
}
