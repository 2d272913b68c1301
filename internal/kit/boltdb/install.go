package boltdb

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/google/uuid"
	bolt "go.etcd.io/bbolt"

	"github.com/sojournhq/sojourn/internal/kit/durable"
)

// Install puts the file at from, which lies in the same directory, in place of the data file that the options name, and makes the manifest
// name it. It gets a new uuid, so that nothing that belonged to the file before it is taken for its own. All of it is on the disk then.
func (r *Restoring) Install(o Options, from string) error {
	if err := r.install(o, from); err != nil {
		return fmt.Errorf("install %s: %w", o.Path, err)
	}
	return nil
}

func (r *Restoring) install(o Options, from string) error {
	var is entry
	err := r.steps.Do("renew "+from, func() (err error) {
		is, err = renew(o, from)
		return err
	})
	if err != nil {
		return err
	}
	// First, and on the disk: no crash may leave the new file with the log of the old one.
	if err := removeLog(o.Path, r.steps); err != nil {
		return err
	}
	if err := r.steps.Rename(from, o.Path); err != nil {
		return err
	}
	if err := syncEntriesIn(r.steps, o.Path); err != nil {
		return err
	}
	return enter(r.steps, o.Path, is)
}

// renew gives a file a new uuid.
func renew(o Options, path string) (is entry, err error) {
	b, err := openBolt(path, toWrite)
	if err != nil {
		return entry{}, err
	}
	err = Guard(func() error {
		return update(b, func(tx *bolt.Tx) error {
			meta := tx.Bucket(metaBucket)
			format, err := readMark(meta, o)
			if err != nil {
				return err
			}
			is = entry{Kind: o.Kind, Format: format, UUID: uuid.NewString()}
			return meta.Put(uuidKey, []byte(is.UUID))
		})
	})
	return is, errors.Join(err, b.Close())
}

// removeLog removes what was logged for a file that is no longer there.
func removeLog(path string, steps durable.Steps) error {
	generations, err := segments(path)
	for _, g := range generations {
		err = errors.Join(err, steps.Remove(segmentPath(path, g)))
	}
	if err != nil {
		return err
	}
	return steps.SyncDir(filepath.Dir(path))
}

// Readable returns an error unless the file that the options name can be opened with them, be it that it is upgraded then.
func Readable(o Options) error {
	o.ReadOnly = true
	if err := settle(o); err != nil {
		return fmt.Errorf("open %s: %w", o.Path, err)
	}
	b, err := openBolt(o.Path, toRead)
	if err != nil {
		return fmt.Errorf("open %s: %w", o.Path, err)
	}
	err = Guard(func() error {
		return b.View(func(tx *bolt.Tx) error {
			_, err := readMark(tx.Bucket(metaBucket), o)
			return err
		})
	})
	if err := errors.Join(err, b.Close()); err != nil {
		return fmt.Errorf("open %s: %w", o.Path, err)
	}
	return nil
}
