package boltdb

import "context"

// Do is Update for what has a result. The result is read only when fn is known to have returned: if ctx ended first, it may still be
// running.
func Do[T any](ctx context.Context, db *DB, fn func(*Tx) (T, error)) (T, error) {
	var result, none T
	err := db.Update(ctx, func(tx *Tx) error {
		made, err := fn(tx)
		if err == nil {
			result = made
		}
		return err
	})
	if err != nil {
		return none, err
	}
	return result, nil
}
