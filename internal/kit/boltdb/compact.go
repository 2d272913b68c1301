package boltdb

import (
	"context"
	"errors"
	"fmt"
	"os"

	bolt "go.etcd.io/bbolt"
)

// maxCompactBytes is how much a transaction of Compact copies at most.
const maxCompactBytes = 64 << 20

// Compact changes the file that the options name by do, in one transaction, and writes it anew, so that it is as small as can be and
// nothing of what was deleted is left in it. The file must not be open. A crash leaves the old file or the new one.
func Compact(o Options, do func(*Tx) error) (err error) {
	if _, err := os.Stat(o.Path); err != nil { // bbolt would make the file
		return fmt.Errorf("compact: %w", err)
	}
	path := o.Path
	db, err := Open(o)
	if err != nil {
		return fmt.Errorf("compact %s: %w", path, err)
	}
	if err := errors.Join(db.Update(context.Background(), do), db.Close()); err != nil {
		return fmt.Errorf("compact %s: %w", path, err)
	}
	from, _, err := openFile(o)
	if err != nil {
		return fmt.Errorf("compact %s: %w", path, err)
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	beside := path + compactSuffix
	if err := os.Remove(beside); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("compact %s: %w", path, err)
	}
	to, err := bolt.Open(beside, 0o600, unsynced())
	if err != nil {
		return fmt.Errorf("compact %s: %w", path, err)
	}
	if err := errors.Join(bolt.Compact(to, from, maxCompactBytes), commitFailed(to.Sync()), to.Close()); err != nil {
		return fmt.Errorf("compact %s: %w", path, errors.Join(err, os.Remove(beside)))
	}
	if err := os.Rename(beside, path); err != nil {
		return fmt.Errorf("compact %s: %w", path, err)
	}
	return syncEntries(path)
}
