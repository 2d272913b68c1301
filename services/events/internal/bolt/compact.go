package bolt

import (
	"fmt"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
)

// Compact drops the names that nothing names any more from the file that the options name, which must not be open, and writes it anew, so
// that nothing of what was deleted is left in it.
func Compact(o boltdb.Options) error {
	o = Mark(o)
	return boltdb.Compact(o, func(tx *boltdb.Tx) error {
		root := tx.Bucket(workspacesBucket)
		if root == nil {
			return nil // nothing was ever recorded
		}
		return root.ForEachBucket(func(name []byte) error {
			if err := open(root.Bucket(name)).sweepNames(); err != nil {
				return fmt.Errorf("sweep the names of workspace %q: %w", name, err)
			}
			return nil
		})
	})
}

// sweepNames takes the names out of the dictionary that no event names.
func (t *tables) sweepNames() error {
	used := map[uint32]bool{}
	err := t.events.ForEach(func(key, sealed []byte) error {
		row, err := readEvent(key, sealed)
		if err != nil {
			return err
		}
		for _, number := range []uint32{row.feature, row.module, row.user, row.account} {
			used[number] = true
		}
		return nil
	})
	if err != nil {
		return err
	}
	_, err = t.names.Sweep(func(number uint32) bool { return used[number] })
	return err
}
