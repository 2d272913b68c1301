package bolt_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/day"
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/boltdb/boltdbtest"
	"github.com/sojournhq/sojourn/internal/kit/record"
	"github.com/sojournhq/sojourn/services/events/internal/bolt"
	"github.com/sojournhq/sojourn/services/events/internal/storetest"
	"github.com/sojournhq/sojourn/services/events/internal/usage"
)

func TestBoltIsAStore(t *testing.T) {
	storetest.Run(t, func(dir string) (usage.Store, error) {
		return bolt.Open(boltdb.Options{Path: filepath.Join(dir, "events.db"), OnFail: func(err error) { t.Error(err) }})
	})
}

func TestAListingThatNeedsManyReadsMissesNothing(t *testing.T) {
	store, err := bolt.Open(boltdb.Options{Path: filepath.Join(t.TempDir(), "events.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	const n = 25_000 // more than two read transactions look at
	calls := make([]call.Call, n)
	for i := range calls {
		calls[i] = call.Call{Type: call.Track, MessageID: fmt.Sprint(i), TimeMS: int64(i / 7), Feature: "common"}
	}
	calls[n-1].Feature = "rare"
	if _, err := store.Record(t.Context(), "w", calls); err != nil {
		t.Fatal(err)
	}
	rare := "rare"
	for _, c := range []struct {
		feature *string
		want    int
	}{{nil, n}, {&rare, 1}} {
		got, err := store.Events(context.Background(), "w", usage.Filter{Feature: c.feature, ToMS: 1 << 40}, nil, n+1)
		if err != nil || len(got) != c.want {
			t.Errorf("%d events, %v, want %d", len(got), err, c.want)
		}
	}
}

func TestADamagedRowIsAnErrorAndNeverSkipped(t *testing.T) {
	for _, c := range []struct {
		table         string
		events, usage bool // whether reading them meets the damage
	}{{"events", true, false}, {"usage", false, true}, {"names", true, true}, {"links", true, true}} {
		t.Run(c.table, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "events.db")
			store := open(t, path)
			if _, err := store.Record(t.Context(), "w", []call.Call{
				{Type: call.Track, MessageID: "m1", UserID: "u", Module: "m", Feature: "f"},
				{Type: call.Group, MessageID: "m2", UserID: "u", AccountID: "a"},
			}); err != nil {
				t.Fatal(err)
			}
			if err := store.Close(); err != nil {
				t.Fatal(err)
			}
			damage(t, path, c.table)
			store = open(t, path)
			defer func() { _ = store.Close() }()
			if _, err := store.Events(t.Context(), "w", usage.Filter{ToMS: 1}, nil, 10); errors.Is(err, record.ErrCorrupt) != c.events {
				t.Errorf("events: %v", err)
			}
			if _, err := store.Usage(t.Context(), "w", usage.Query{Days: day.Span{To: day.Max}}, nil, 1000); errors.Is(err, record.ErrCorrupt) != c.usage {
				t.Errorf("usage: %v", err)
			}
		})
	}
}

// damage flips one bit in every value of a table of workspace "w".
func damage(t *testing.T, path, table string) {
	t.Helper()
	boltdbtest.Change(t, path, func(tx *boltdb.Tx) error {
		rows := tx.Bucket([]byte("workspaces")).Bucket([]byte("w")).Bucket([]byte(table))
		values := map[string][]byte{}
		err := rows.ForEach(func(key, value []byte) error {
			values[string(key)] = append([]byte{value[0] ^ 1}, value[1:]...)
			return nil
		})
		for key, value := range values {
			err = errors.Join(err, rows.Put([]byte(key), value))
		}
		return err
	})
}

func TestAQuestionThatNobodyWaitsForIsGivenUp(t *testing.T) {
	store := open(t, filepath.Join(t.TempDir(), "events.db"))
	defer func() { _ = store.Close() }()
	calls := make([]call.Call, 10_000)
	for i := range calls {
		calls[i] = call.Call{Type: call.Track, MessageID: "m", TimeMS: int64(i), Feature: fmt.Sprint(i)}
	}
	if _, err := store.Record(t.Context(), "w", calls); err != nil {
		t.Fatal(err)
	}
	gone, leave := context.WithCancel(t.Context())
	leave()
	if _, err := store.Usage(gone, "w", usage.Query{Days: day.Span{To: day.Max}}, nil, 1000); !errors.Is(err, context.Canceled) {
		t.Errorf("usage: %v, want Canceled", err)
	}
	if _, err := store.Events(gone, "w", usage.Filter{ToMS: 1 << 40}, nil, 10); !errors.Is(err, context.Canceled) {
		t.Errorf("events: %v, want Canceled", err)
	}
}

func open(t *testing.T, path string) *bolt.Store {
	t.Helper()
	store, err := bolt.Open(boltdb.Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func TestAKeyOfNoPossibleDayIsAnErrorAndNoEndlessWalk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events.db")
	store := open(t, path)
	if _, err := store.Record(t.Context(), "w", []call.Call{{Type: call.Track, MessageID: "m", Feature: "f"}}); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	boltdbtest.Change(t, path, func(tx *boltdb.Tx) error {
		key := make([]byte, 20)
		key[8] = 0xff // the day's first byte
		return tx.Bucket([]byte("workspaces")).Bucket([]byte("w")).Bucket([]byte("usage")).Put(key, []byte("?"))
	})
	store = open(t, path)
	defer func() { _ = store.Close() }()
	gone, leave := context.WithCancel(t.Context())
	leave() // ends a walk that would not end by itself
	if _, err := store.Usage(gone, "w", usage.Query{Days: day.Span{To: 9}}, nil, 1000); !errors.Is(err, record.ErrCorrupt) {
		t.Errorf("usage: %v, want ErrCorrupt", err)
	}
}
