package deletion_test

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/sojournhq/sojourn/internal/domain/call"
	"github.com/sojournhq/sojourn/internal/domain/deletion"
	"github.com/sojournhq/sojourn/internal/kit/boltdb"
)

// inBucket runs do on an empty bucket.
func inBucket(t *testing.T, do func(*boltdb.Bucket) error) {
	t.Helper()
	db, err := boltdb.Open(boltdb.Options{Path: filepath.Join(t.TempDir(), "x.db"), Kind: "test", Format: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	err = db.Update(t.Context(), func(tx *boltdb.Tx) error {
		b, err := tx.CreateBucketIfNotExists([]byte("b"))
		if err != nil {
			return err
		}
		return do(b)
	})
	if err != nil {
		t.Error(err)
	}
}

func TestCallsUpToTheLatestDeletionAreDropped(t *testing.T) {
	inBucket(t, func(b *boltdb.Bucket) error {
		tombstones := deletion.In(b)
		check := func(user string, ms int64, want bool) {
			t.Helper()
			reader, err := tombstones.Reader()
			if err != nil {
				t.Fatal(err)
			}
			for range 2 { // the second time it is remembered
				if got, err := reader.Covers(user, ms); got != want || err != nil {
					t.Errorf("a reader says that %q at %d is deleted: %v, %v; want %v", user, ms, got, err, want)
				}
			}
			if got, err := tombstones.Drops(&call.Call{UserID: user, TimeMS: ms}); got != want || err != nil {
				t.Errorf("a call of %q at %d is dropped: %v, %v; want %v", user, ms, got, err, want)
			}
		}
		check("ada", 5, false)
		before := tombstones.Generation()
		for _, until := range []int64{10, 7, 10} {
			if err := tombstones.Put("ada", until); err != nil {
				return err
			}
		}
		check("ada", 10, true)
		check("ada", 11, false)
		check("Ada", 5, false)
		check("", 5, false)
		between := tombstones.Generation()
		if err := tombstones.Put("ada", 12); err != nil {
			return err
		}
		if after := tombstones.Generation(); before == between || between == after || before == after {
			t.Errorf("generations %d, %d, %d", before, between, after)
		}
		check("ada", -1, true)
		check("Ada", -1, false)
		check("ada", 11, true)
		return nil
	})
}

func TestATombstoneHoldsNoIDAndLooksOtherInEveryBucket(t *testing.T) {
	rows := func() (all []byte) {
		inBucket(t, func(b *boltdb.Bucket) error {
			if err := deletion.In(b).Put("recognisable", 1); err != nil {
				return err
			}
			return b.ForEach(func(key, value []byte) error {
				all = append(append(all, key...), value...)
				return nil
			})
		})
		return all
	}
	one, other := rows(), rows()
	if bytes.Contains(one, []byte("recognisable")) {
		t.Error("the id stands in the bucket")
	}
	if bytes.Equal(one, other) {
		t.Error("two buckets hold the same")
	}
}
