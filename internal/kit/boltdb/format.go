package boltdb

import (
	"encoding/binary"
	"fmt"
	"runtime/debug"

	bolt "go.etcd.io/bbolt"
)

var (
	metaBucket = []byte("meta")
	kindKey    = []byte("kind")
	formatKey  = []byte("format")
)

// checkFormat marks a new file and refuses one that this program would misread. On a damaged page bbolt panics, or leads out of the mapped
// file.
func checkFormat(b *bolt.DB, o Options) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", ErrDamaged, p)
		}
	}()
	if o.ReadOnly {
		return b.View(func(tx *bolt.Tx) error { return readMark(tx.Bucket(metaBucket), o) })
	}
	return b.Update(func(tx *bolt.Tx) error {
		if meta := tx.Bucket(metaBucket); meta != nil {
			return readMark(meta, o)
		}
		if name, _ := tx.Cursor().First(); name != nil {
			return fmt.Errorf("%w: the file is no Sojourn store", ErrFormat)
		}
		meta, err := tx.CreateBucket(metaBucket)
		if err != nil {
			return err
		}
		if err := meta.Put(kindKey, []byte(o.Kind)); err != nil {
			return err
		}
		return meta.Put(formatKey, binary.BigEndian.AppendUint32(nil, o.Format))
	})
}

func readMark(meta *bolt.Bucket, o Options) error {
	kind, format, err := markOf(meta)
	switch {
	case err != nil:
		return err
	case kind != o.Kind:
		return fmt.Errorf("%w: the file holds %q, not %q", ErrFormat, kind, o.Kind)
	case format > o.Format:
		return fmt.Errorf("%w: the file has format %d, this program reads up to %d", ErrFormat, format, o.Format)
	}
	return nil
}

// markOf returns what a file says of itself.
func markOf(meta *bolt.Bucket) (kind string, format uint32, err error) {
	if meta == nil {
		return "", 0, fmt.Errorf("%w: the file is no Sojourn store", ErrFormat)
	}
	mark := meta.Get(formatKey)
	if len(mark) != 4 {
		return "", 0, fmt.Errorf("%w: the file's format mark is damaged", ErrFormat)
	}
	return string(meta.Get(kindKey)), binary.BigEndian.Uint32(mark), nil
}
