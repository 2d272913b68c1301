package bolt_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	bbolt "go.etcd.io/bbolt"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/day"
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/boltdb/boltdbtest"
	"github.com/sojournhq/sojourn/internal/kit/record"
	"github.com/sojournhq/sojourn/services/sessions/internal/bolt"
	"github.com/sojournhq/sojourn/services/sessions/internal/session"
)

// crowdedDays is the directory of a closed store in which two users visit 40 modules over a midnight, and what it says of their time.
func crowdedDays(t *testing.T) (dir string, time []session.TimeRow) {
	t.Helper()
	dir = t.TempDir()
	withStore(t, dir, func(store session.Store) {
		var calls []call.Call
		for i := range int64(160) {
			ms := 16*60*minute + i*5*minute
			calls = append(calls, call.Call{
				Type: call.Track, AnonymousID: fmt.Sprint("s", i%2), UserID: fmt.Sprint("u", i%2), AccountID: "a", Module: fmt.Sprint("m", i/2%40),
				MessageID: fmt.Sprint(i), TimeMS: ms, OriginalMS: ms,
			})
		}
		if _, err := store.Record(t.Context(), "w", calls); err != nil {
			t.Fatal(err)
		}
		time = everyTime(t, store)
	})
	return dir, time
}

func everyTime(t *testing.T, store session.Store) []session.TimeRow {
	t.Helper()
	q := session.TimeQuery{Days: day.Span{To: day.Max}}
	q.By[session.ByUser], q.By[session.ByModule], q.By[session.ByDay] = true, true, true
	rows, err := store.Time(t.Context(), "w", q)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// firstDay returns the first row of days, and the first of a further module behind it.
func firstDay(tx *boltdb.Tx) (days *boltdb.Bucket, row, further [2][]byte) {
	days = tx.Bucket([]byte("workspaces")).Bucket([]byte("w")).Bucket([]byte("days"))
	cursor := days.Cursor()
	key, value := cursor.First()
	row = [2][]byte{bytes.Clone(key), bytes.Clone(value)}
	key, value = cursor.Next()
	return days, row, [2][]byte{bytes.Clone(key), bytes.Clone(value)}
}

func TestDamagedSumsAreNamedAndRebuilt(t *testing.T) {
	for name, breaks := range map[string]func(tx *boltdb.Tx) error{
		"a row that cannot be read": func(tx *boltdb.Tx) error {
			days, row, _ := firstDay(tx)
			row[1][3] ^= 1
			return days.Put(row[0], row[1])
		},
		"a row that is missing": func(tx *boltdb.Tx) error {
			days, row, _ := firstDay(tx)
			return days.Delete(row[0])
		},
		"other figures": func(tx *boltdb.Tx) error {
			days, row, _ := firstDay(tx)
			return days.Put(row[0], record.Seal(row[0], append(row[1][:len(row[1])-4], 1<<3, 7)))
		},
		"another number of further modules": func(tx *boltdb.Tx) error {
			days, row, _ := firstDay(tx)
			return days.Put(row[0], record.Seal(row[0], append(row[1][:len(row[1])-4], 6<<3, 2)))
		},
		"modules twice": func(tx *boltdb.Tx) error {
			days, row, _ := firstDay(tx)
			value := row[1][:len(row[1])-4]
			return days.Put(row[0], record.Seal(row[0], slices.Concat(value, value)))
		},
		"a further module that cannot be read": func(tx *boltdb.Tx) error {
			days, _, further := firstDay(tx)
			further[1][0] ^= 1
			return days.Put(further[0], further[1])
		},
		"a further module that is missing": func(tx *boltdb.Tx) error {
			days, _, further := firstDay(tx)
			return days.Delete(further[0])
		},
		"a further module of no time": func(tx *boltdb.Tx) error {
			days, _, further := firstDay(tx)
			further[0][15]++
			return days.Put(further[0], record.Seal(further[0], nil))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir, want := crowdedDays(t)
			if problems, err := verify(dir); err != nil || len(problems) > 0 {
				t.Fatalf("before: %q, %v", problems, err)
			}
			boltdbtest.Change(t, filepath.Join(dir, "sessions.db"), breaks)
			problems, err := verify(dir)
			if err != nil || !strings.Contains(strings.Join(problems, "\n"), "the sums of 1 days are not those of the sessions") {
				t.Errorf("%q, %v", problems, err)
			}
			withStore(t, dir, func(store session.Store) {
				if repaired := rebuild(t, store); repaired == 0 {
					t.Error("nothing was repaired")
				}
				if diff := cmp.Diff(want, everyTime(t, store)); diff != "" {
					t.Error(diff)
				}
			})
			if problems, err := verify(dir); err != nil || len(problems) > 0 {
				t.Errorf("afterwards: %q, %v", problems, err)
			}
		})
	}
}

func rebuild(t *testing.T, store session.Store) (repaired int64) {
	t.Helper()
	for from, first := []byte(nil), true; first || from != nil; first = false {
		done, next, err := store.Rebuild(t.Context(), "w", from)
		if err != nil {
			t.Fatal(err)
		}
		repaired, from = repaired+done.SumsRepaired, next
	}
	return repaired
}

func TestAFileOfFormat2IsUpgraded(t *testing.T) {
	dir, want := crowdedDays(t)
	boltdbtest.Unpack(t, filepath.Join(dir, "sessions.db"), bolt.Downgrade)
	if _, err := verify(dir); err == nil {
		t.Error("a file that is to be upgraded was read")
	}
	withStore(t, dir, func(store session.Store) {
		if diff := cmp.Diff(want, everyTime(t, store)); diff != "" {
			t.Error(diff)
		}
		if repaired := rebuild(t, store); repaired != 0 {
			t.Errorf("%d sums were wrong", repaired)
		}
	})
	if problems, err := verify(dir); err != nil || len(problems) > 0 {
		t.Errorf("%q, %v", problems, err)
	}
	boltdbtest.Raw(t, filepath.Join(dir, "sessions.db"), func(tx *bbolt.Tx) error {
		if tx.Bucket([]byte("workspaces")).Bucket([]byte("w")).Bucket([]byte("sums")) != nil {
			t.Error("the old sums are still there")
		}
		return nil
	})
}

func TestASumThatCannotBeReadStaysSoUntilItIsRebuilt(t *testing.T) {
	dir, want := crowdedDays(t)
	boltdbtest.Unpack(t, filepath.Join(dir, "sessions.db"), func(tx *bbolt.Tx) error {
		if err := bolt.Downgrade(tx); err != nil {
			return err
		}
		sums := tx.Bucket([]byte("workspaces")).Bucket([]byte("w")).Bucket([]byte("sums"))
		key, value := sums.Cursor().First()
		return sums.Put(bytes.Clone(key), append(bytes.Clone(value), 0))
	})
	withStore(t, dir, func(store session.Store) {
		if _, err := store.Time(t.Context(), "w", session.TimeQuery{Days: day.Span{To: day.Max}}); err == nil {
			t.Error("a day with a damaged sum was read")
		}
		if repaired := rebuild(t, store); repaired == 0 {
			t.Error("nothing was repaired")
		}
		if diff := cmp.Diff(want, everyTime(t, store)); diff != "" {
			t.Error(diff)
		}
	})
}
