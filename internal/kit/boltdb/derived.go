package boltdb

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	bolt "go.etcd.io/bbolt"
)

// emptyDamaged empties the derived buckets of a file in which there are blocks that cannot be read. What else is wrong is left to who
// stumbles over it: bbolt cannot remove a bucket whose pages it cannot follow.
func emptyDamaged(b *bolt.DB, o Options) error {
	for _, name := range o.Derived {
		cause, err := firstDamage(b, name)
		if err != nil {
			return err
		}
		if cause == nil {
			continue
		}
		err = update(b, func(tx *bolt.Tx) error {
			sequence := tx.Bucket(name).Sequence()
			if err := tx.DeleteBucket(name); err != nil {
				return err
			}
			empty, err := tx.CreateBucket(name)
			if err != nil {
				return err
			}
			return empty.SetSequence(sequence)
		})
		if err != nil {
			return fmt.Errorf("empty table %s: %w", name, err)
		}
		if o.Deps.Log != nil {
			o.Deps.Log.Error("a table that cannot be read was emptied: its rows are made anew from others",
				slog.String("file", o.Path), slog.String("table", string(name)), slog.Any("error", cause))
		}
	}
	return nil
}

// firstDamage returns what is wrong with the first block of a bucket that cannot be read, nil if all can, or the bucket's pages cannot.
func firstDamage(b *bolt.DB, name []byte) (cause, err error) {
	err = Guard(func() error {
		return b.View(func(tx *bolt.Tx) error {
			bucket := tx.Bucket(name)
			if bucket == nil {
				return nil
			}
			return checkBlocks(context.Background(), bucket, []string{string(name)}, func(_ string, err error) {
				if cause == nil {
					cause = err
				}
			})
		})
	})
	if errors.Is(err, ErrDamaged) {
		return nil, nil
	}
	return cause, err
}
