package boltdb_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
)

// scattered has rows of which some are in the file, in many blocks, some only in memory, and some deleted only there. It returns what there
// is.
func scattered(t *testing.T) (db *boltdb.DB, rows map[string]string) {
	t.Helper()
	rows = map[string]string{}
	dice := rand.New(rand.NewPCG(3, 5))
	options := boltdb.Options{Path: filepath.Join(t.TempDir(), "x.db"), Kind: "test", Format: 1, BlockBytes: 150}
	for round := range 2 {
		if db != nil {
			if err := db.Close(); err != nil { // which applies what is in memory
				t.Fatal(err)
			}
		}
		var err error
		if db, err = boltdb.Open(options); err != nil {
			t.Fatal(err)
		}
		if err = db.Update(t.Context(), func(tx *boltdb.Tx) error {
			b, err := tx.CreateBucketIfNotExists([]byte("rows"))
			for range 80 {
				key := fmt.Sprintf("%02d", dice.IntN(100))
				if dice.IntN(3) == 0 {
					delete(rows, key)
					err = errors.Join(err, b.Delete([]byte(key)))
					continue
				}
				rows[key] = fmt.Sprintf("%s of round %d", key, round)
				err = errors.Join(err, b.Put([]byte(key), []byte(rows[key])))
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	return db, rows
}

func TestAWalkStandsWhereLookingFromAboveWouldButNeverGoesBack(t *testing.T) {
	db, rows := scattered(t)
	defer func() { _ = db.Close() }()
	sorted := slices.Sorted(maps.Keys(rows))
	rapid.Check(t, func(rt *rapid.T) {
		if err := db.View(func(tx *boltdb.Tx) error {
			w, at := tx.Bucket([]byte("rows")).Walk(), -1 // it stands nowhere
			for range rapid.IntRange(1, 30).Draw(rt, "moves") {
				if at >= 0 && at < len(sorted) && rapid.Bool().Draw(rt, "next") {
					w.Next()
					at++
				} else {
					key := fmt.Sprintf("%02d", rapid.IntRange(0, 99).Draw(rt, "to"))
					w.To([]byte(key))
					found, _ := slices.BinarySearch(sorted, key)
					at = max(at, found)
				}
				switch {
				case at == len(sorted):
					if w.Key != nil {
						return fmt.Errorf("it stands at %q, behind the last", w.Key)
					}
				case string(w.Key) != sorted[at] || string(w.Value) != rows[sorted[at]]:
					return fmt.Errorf("it stands at %q with %q, want %q with %q", w.Key, w.Value, sorted[at], rows[sorted[at]])
				}
			}
			return nil
		}); err != nil {
			rt.Fatal(err)
		}
	})
}
