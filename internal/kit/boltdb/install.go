package boltdb

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/uuid"
	bolt "go.etcd.io/bbolt"
)

// Install puts the file at from, which lies in the same directory, in place of the data file that the options name, as a backup is
// restored, and makes the manifest name it. It gets a new uuid, so that nothing that belonged to the file before it is taken for its own. A
// crash leaves the old file or the new one, or one that is refused until Install has been run again.
func Install(o Options, from string) error {
	is, err := renew(o, from)
	if err != nil {
		return fmt.Errorf("install %s: %w", o.Path, err)
	}
	// First, and on the disk: no crash may leave the new file with the log of the old one.
	if err := removeLog(o.Path); err != nil {
		return fmt.Errorf("install %s: %w", o.Path, err)
	}
	err = os.Rename(from, o.Path)
	if err == nil {
		err = syncEntries(o.Path)
	}
	if err == nil {
		err = locked(filepath.Dir(o.Path), func() error { return enter(o.Path, is) })
	}
	if err != nil {
		return fmt.Errorf("install %s: %w", o.Path, err)
	}
	return nil
}

// renew gives a file a new uuid.
func renew(o Options, path string) (is entry, err error) {
	b, err := openBolt(path, false)
	if err != nil {
		return entry{}, err
	}
	err = Guard(func() error {
		return b.Update(func(tx *bolt.Tx) error {
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
func removeLog(path string) error {
	segments, err := filepath.Glob(path + ".log-*")
	for _, segment := range segments {
		err = errors.Join(err, os.Remove(segment))
	}
	return errors.Join(err, syncEntries(path))
}

// Readable returns an error unless the file that the options name can be opened with them, be it that it is upgraded then.
func Readable(o Options) error {
	o.ReadOnly = true
	if err := settle(o); err != nil {
		return fmt.Errorf("open %s: %w", o.Path, err)
	}
	b, err := openBolt(o.Path, true)
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
