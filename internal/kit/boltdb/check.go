package boltdb

import (
	"context"
	"fmt"
	"slices"
	"strings"

	bolt "go.etcd.io/bbolt"

	"github.com/sojournhq/sojourn/internal/kit/boltdb/internal/block"
)

// CheckBlocks examines all rows that bbolt has, and tells found of those that cannot be read: where they begin, and the table, as the path
// of buckets to it, such as "workspaces/default/usage". The error is that of ctx.
func (tx *Tx) CheckBlocks(ctx context.Context, found func(table string, err error)) error {
	return tx.bolt.ForEach(func(name []byte, b *bolt.Bucket) error {
		if string(name) == string(metaBucket) {
			return nil
		}
		return checkBlocks(ctx, b, []string{string(name)}, found)
	})
}

func checkBlocks(ctx context.Context, b *bolt.Bucket, path []string, found func(table string, err error)) error {
	place := block.PlaceOf(path)
	var room, before []byte
	return b.ForEach(func(key, sealed []byte) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if sealed == nil {
			return checkBlocks(ctx, b.Bucket(key), append(slices.Clone(path), string(key)), found)
		}
		opened, used, err := block.Open(place, key, sealed, room)
		room = used
		if err == nil {
			before, err = opened.Check(before)
		}
		if err != nil {
			found(strings.Join(path, "/"), fmt.Errorf("%w: the rows from key %x on: %w", ErrDamaged, key, err))
		}
		return nil
	})
}
