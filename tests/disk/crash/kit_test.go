package crash

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/observe"
	"github.com/sojournhq/sojourn/internal/kit/soundness"
)

// kit is the layer that all stores are built on, set so that it applies its log to its file after every few steps: what takes a service
// gigabytes of calls to come to.
func kit() subject {
	options := func(dir string, d observe.Deps) boltdb.Options {
		return boltdb.Options{
			Path: filepath.Join(dir, "kit.db"), Kind: "kit", Format: 1, GenerationBytes: 8 << 10, Deps: d, OnFail: d.Fatal,
		}
	}
	return subject{
		func(_ context.Context, dir string, d observe.Deps) (store, error) {
			db, err := boltdb.Open(options(dir, d))
			if err != nil {
				return nil, err
			}
			return kitStore{db}, nil
		},
		func(ctx context.Context, dir string, found func(soundness.Problem)) error {
			return soundness.Examine(ctx, options(dir, observe.Discard()), func(*boltdb.Tx) error { return nil }, found)
		},
	}
}

type kitStore struct{ *boltdb.DB }

// rowsOfKit is how many different rows a workspace has, so that many are written again, and deleted.
const rowsOfKit = 40

// step writes and deletes a few rows of all lengths in two buckets, one in the other, and draws a number. Each row says which step wrote it.
func (s kitStore) step(ctx context.Context, seed uint64, sender, step int) error {
	if err := s.compact(ctx, sender, step); err != nil {
		return err
	}
	return s.Update(ctx, func(tx *boltdb.Tx) error {
		outer, err := tx.CreateBucketIfNotExists([]byte(workspace(sender)))
		if err != nil {
			return err
		}
		inner, err := outer.CreateBucketIfNotExists([]byte("inner"))
		if err != nil {
			return err
		}
		// What a repeated step finds must make no difference.
		if done := inner.Get([]byte("step")); done != nil && binary.BigEndian.Uint64(done) > uint64(step) {
			return nil
		}
		if _, err := outer.NextSequence(); err != nil {
			return err
		}
		chance := chanceOf(seed, sender, step)
		for range 1 + chance.IntN(5) {
			bucket := []*boltdb.Bucket{outer, inner}[chance.IntN(2)]
			key := fmt.Appendf(nil, "row %d", chance.IntN(rowsOfKit))
			err := bucket.Delete(key)
			if chance.IntN(4) > 0 {
				err = bucket.Put(key, fmt.Appendf(nil, "%d %s", step, strings.Repeat("x", chance.IntN(1<<chance.IntN(13)))))
			}
			if err != nil {
				return err
			}
		}
		return inner.Put([]byte("step"), binary.BigEndian.AppendUint64(nil, uint64(step)+1))
	})
}

// compact makes the file small at some steps of one sender, while the others go on.
func (s kitStore) compact(ctx context.Context, sender, step int) error {
	if sender > 0 || step%3 < 2 {
		return nil
	}
	_, err := s.Compact(ctx, 0)
	if errors.Is(err, boltdb.ErrCompacting) {
		return nil // somebody still reads the file before the last one
	}
	return err
}

func (s kitStore) state(_ context.Context, sender int) (string, error) {
	var b strings.Builder
	err := s.View(func(tx *boltdb.Tx) error {
		outer := tx.Bucket([]byte(workspace(sender)))
		if outer == nil {
			return nil
		}
		_, _ = fmt.Fprintf(&b, "%d ", outer.Sequence())
		for _, bucket := range []*boltdb.Bucket{outer, outer.Bucket([]byte("inner"))} {
			cursor := bucket.Cursor()
			for key, value := cursor.First(); key != nil; key, value = cursor.Next() {
				_, _ = fmt.Fprintf(&b, "%q=%q ", key, value)
			}
		}
		return nil
	})
	return b.String(), err
}
