package boltdb_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
)

// steps are those of a compaction, in order. From "synced" on no generation is applied.
var compactSteps = []string{"copied", "caught up", "synced", "renamed", "placed"}

// noise returns a value that nothing makes smaller.
func noise(chance *rand.Rand, length int) []byte {
	value := make([]byte, length)
	for i := range value {
		value[i] = byte(chance.Uint32())
	}
	return value
}

// kept is how many rows a loose file has.
const kept = 2000

// loose returns a store whose file has megabytes, most of them free: every fourth row is left.
func loose(t *testing.T, path string) *boltdb.DB {
	t.Helper()
	db, err := boltdb.Open(boltdb.Options{Path: path, Kind: "test", Format: 1, GenerationBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	chance := rand.New(rand.NewPCG(1, 1))
	const rows = 4 * kept
	for first := 0; first < rows; first += 500 {
		err := db.Update(t.Context(), func(tx *boltdb.Tx) error {
			b, err := tx.CreateBucketIfNotExists(bucket)
			for i := first; i < first+500; i++ {
				err = errors.Join(err, b.Put(fmt.Appendf(nil, "row %05d", i), noise(chance, 2200)))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	err = db.Update(t.Context(), func(tx *boltdb.Tx) (err error) {
		for i := range rows {
			if i%4 > 0 {
				err = errors.Join(err, tx.Bucket(bucket).Delete(fmt.Appendf(nil, "row %05d", i)))
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	settle(t, db)
	return db
}

// settle waits until everything is in the file.
func settle(t *testing.T, db *boltdb.DB) {
	t.Helper()
	file, err := db.Copy(t.Context(), func(boltdb.Snapshot) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
}

// rowsOf returns everything in the bucket.
func rowsOf(t *testing.T, db *boltdb.DB) map[string]string {
	t.Helper()
	rows := map[string]string{}
	err := db.View(func(tx *boltdb.Tx) error {
		return tx.Bucket(bucket).ForEach(func(key, value []byte) error {
			rows[string(key)] = string(value)
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// beside returns the names of what lies beside a file.
func beside(t *testing.T, path string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestAFileBecomesSmallWhileItIsUsed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	db := loose(t, path)
	const writers = 4
	var written [writers]map[string]string
	var stop atomic.Bool
	var working sync.WaitGroup
	for w := range writers {
		written[w] = map[string]string{}
		working.Go(func() {
			chance := rand.New(rand.NewPCG(uint64(w), 2))
			for n := 0; !stop.Load(); n++ {
				key := fmt.Sprintf("row %05d by %d", chance.IntN(4000), w)
				value := noise(chance, 1+chance.IntN(3000))
				err := db.Update(context.Background(), func(tx *boltdb.Tx) error {
					if n%3 == 2 {
						return tx.Bucket(bucket).Delete([]byte(key))
					}
					return tx.Bucket(bucket).Put([]byte(key), value)
				})
				if err != nil {
					t.Error(err)
					return
				}
				if delete(written[w], key); n%3 < 2 {
					written[w][key] = string(value)
				}
			}
		})
		working.Go(func() { // and a reader beside each
			for !stop.Load() {
				if n := count(t, db); n < kept {
					t.Errorf("a reader finds %d rows", n)
					return
				}
			}
		})
	}
	first, err := db.Compact(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		db.Retired()
		if _, err := db.Compact(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
	}
	stop.Store(true)
	working.Wait()
	if first.Before < 16<<20 || first.After > first.Before*3/4 {
		t.Errorf("%d bytes became %d", first.Before, first.After)
	}
	checkWritten(t, db, written[:])
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if got := beside(t, path); !slices.Equal(got, []string{"stores.json", "x.db"}) {
		t.Errorf("the directory holds %v", got)
	}
	checkWritten(t, open(t, path), written[:])
}

// checkWritten compares a file that loose made with what writers wrote to it since.
func checkWritten(t *testing.T, db *boltdb.DB, written []map[string]string) {
	t.Helper()
	rows, want := rowsOf(t, db), kept
	for w, mine := range written {
		want += len(mine)
		for key, value := range mine {
			if rows[key] != value {
				t.Errorf("writer %d: %q holds %d bytes, want %d", w, key, len(rows[key]), len(value))
			}
		}
	}
	if len(rows) != want {
		t.Errorf("%d rows, want %d", len(rows), want)
	}
}

func TestACrashAtAnyStepOfACompactionLosesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	db := loose(t, path)
	chance := rand.New(rand.NewPCG(3, 3))
	states := map[string]string{}
	wants := map[string]map[string]string{}
	seen := []string{}
	db.WhileCompacting(func(step string) error {
		seen = append(seen, step)
		if held := step == "synced" || step == "renamed" || step == "placed"; !held {
			// Enough that generations are applied between the steps.
			for n := range 5 {
				err := db.Update(context.Background(), func(tx *boltdb.Tx) error {
					return tx.Bucket(bucket).Put(fmt.Appendf(nil, "row %05d at %s", n, step), noise(chance, 700_000))
				})
				if err != nil {
					return err
				}
			}
			wants[step] = rowsOf(t, db)
			return db.WhileNothingIsWritten(func() { states[step] = crashed(t, filepath.Dir(path)) })
		}
		err := db.Update(context.Background(), func(tx *boltdb.Tx) error {
			return tx.Bucket(bucket).Put([]byte("row at "+step), []byte(step))
		})
		wants[step], states[step] = rowsOf(t, db), crashed(t, filepath.Dir(path))
		return err
	})
	if _, err := db.Compact(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(seen, compactSteps) {
		t.Fatalf("steps %q", seen)
	}
	for step, dir := range states {
		again := filepath.Join(dir, "x.db")
		left := slices.Contains(beside(t, again), "x.db.compacting")
		if want := step != "renamed" && step != "placed"; left != want {
			t.Errorf("%s: a new file beside the old one: %v, want %v", step, left, want)
		}
		one := open(t, again)
		sameRows(t, step, rowsOf(t, one), wants[step])
		if slices.Contains(beside(t, again), "x.db.compacting") {
			t.Errorf("%s: what the crash left was not removed", step)
		}
		if err := errors.Join(one.Update(t.Context(), put("more")), one.Close()); err != nil {
			t.Errorf("%s: %v", step, err)
		}
	}
}

func sameRows(t *testing.T, when string, got, want map[string]string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d rows, want %d", when, len(got), len(want))
	}
	for key, value := range want {
		if got[key] != value {
			t.Errorf("%s: %q holds %d bytes, want %d", when, key, len(got[key]), len(value))
		}
	}
}
