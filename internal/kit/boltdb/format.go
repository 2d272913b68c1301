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
	if meta == nil {
		return fmt.Errorf("%w: the file is no Sojourn store", ErrFormat)
	}
	if kind := string(meta.Get(kindKey)); kind != o.Kind {
		return fmt.Errorf("%w: the file holds %q, not %q", ErrFormat, kind, o.Kind)
	}
	format := meta.Get(formatKey)
	if len(format) != 4 {
		return fmt.Errorf("%w: the file's format mark is damaged", ErrFormat)
	}
	if v := binary.BigEndian.Uint32(format); v > o.Format {
		return fmt.Errorf("%w: the file has format %d, this program reads up to %d", ErrFormat, v, o.Format)
	}
	return nil
}
