package boltdb

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/google/uuid"
	bolt "go.etcd.io/bbolt"
)

var (
	metaBucket = []byte("meta")
	kindKey    = []byte("kind")
	formatKey  = []byte("format")
	uuidKey    = []byte("uuid") // not in files from before there was a manifest
	rowsKey    = []byte("rows") // how they lie in the file; not in files from before there were blocks
	inBlocks   = []byte{1}
)

// checkFormat marks a new file and refuses one that this program would misread, or that is not the one that want says, if want is not nil.
// It returns what the file says of itself.
func checkFormat(b *bolt.DB, o Options, want *entry) (is entry, err error) {
	err = Guard(func() error {
		if o.ReadOnly {
			return b.View(func(tx *bolt.Tx) error {
				meta := tx.Bucket(metaBucket)
				is, err = readEntry(meta, o, want)
				if err != nil {
					return err
				}
				return readsAsIs(meta, is.Format, o)
			})
		}
		return update(b, func(tx *bolt.Tx) error {
			is, err = markFile(tx, o, want)
			return err
		})
	})
	return is, err
}

// readEntry returns what a file says of itself, if it may be read and is the one that want says.
func readEntry(meta *bolt.Bucket, o Options, want *entry) (entry, error) {
	format, err := readMark(meta, o)
	if err != nil {
		return entry{}, err
	}
	is := entry{Kind: o.Kind, Format: format, UUID: string(meta.Get(uuidKey))}
	if want != nil && want.UUID != is.UUID {
		return entry{}, swapped(o.Path)
	}
	return is, nil
}

// markFile makes of a new file, or of an older one, what this program writes to.
func markFile(tx *bolt.Tx, o Options, want *entry) (is entry, err error) {
	meta := tx.Bucket(metaBucket)
	if meta != nil {
		if is, err = readEntry(meta, o, want); err != nil {
			return entry{}, err
		}
		if err := upgrade(tx, is.Format, o); err != nil {
			return entry{}, err
		}
	} else {
		if name, _ := tx.Cursor().First(); name != nil {
			return entry{}, fmt.Errorf("%w: the file is no Sojourn store", ErrFormat)
		}
		if meta, err = tx.CreateBucket(metaBucket); err != nil {
			return entry{}, err
		}
		if err := meta.Put(kindKey, []byte(o.Kind)); err != nil {
			return entry{}, err
		}
		if err := errors.Join(putFormat(meta, o.Format), meta.Put(rowsKey, inBlocks)); err != nil {
			return entry{}, err
		}
	}
	is.Kind, is.Format = o.Kind, o.Format
	if is.UUID == "" {
		is.UUID = uuid.NewString()
		err = meta.Put(uuidKey, []byte(is.UUID))
	}
	return is, err
}

// readMark returns the format of a file, if it is one that may be read, perhaps after being upgraded.
func readMark(meta *bolt.Bucket, o Options) (uint32, error) {
	kind, format, err := markOf(meta)
	switch {
	case err != nil:
		return 0, err
	case kind != o.Kind:
		return 0, fmt.Errorf("%w: the file holds %q, not %q", ErrFormat, kind, o.Kind)
	case len(meta.Get(rowsKey)) > 0 && !hasBlocks(meta):
		return 0, fmt.Errorf("%w: the file's rows lie as this program does not read them", ErrFormat)
	case format > o.Format:
		return 0, fmt.Errorf("%w: the file has format %d, this program reads up to %d", ErrFormat, format, o.Format)
	}
	for f := format; f < o.Format; f++ {
		if _, ok := o.Upgrades[f]; !ok {
			return 0, fmt.Errorf("%w: the file has format %d, this program reads from %d: upgrade by a version in between",
				ErrFormat, format, f+1)
		}
	}
	return format, nil
}

// hasBlocks says whether the rows of a file lie in blocks, and not each by itself.
func hasBlocks(meta *bolt.Bucket) bool { return bytes.Equal(meta.Get(rowsKey), inBlocks) }

// readsAsIs refuses a file that has to be changed first.
func readsAsIs(meta *bolt.Bucket, format uint32, o Options) error {
	if !hasBlocks(meta) {
		return fmt.Errorf("%w: the rows of the file, of format %d, are put into blocks when its service is started once", ErrFormat, format)
	}
	for f := format; f < o.Format; f++ {
		if o.Upgrades[f] != nil {
			return fmt.Errorf("%w: the file has format %d, and is upgraded to %d when its service is started once",
				ErrFormat, format, o.Format)
		}
	}
	return nil
}

// upgrade makes the newest format of a file.
func upgrade(tx *bolt.Tx, format uint32, o Options) error {
	if format == o.Format {
		return nil
	}
	for f := format; f < o.Format; f++ {
		if step := o.Upgrades[f]; step != nil {
			if log, err := segments(o.Path); err != nil || len(log) > 0 {
				return fmt.Errorf("%w: the file was not closed: start and stop the version that wrote it once more", cmp.Or(err, ErrFormat))
			}
			if hasBlocks(tx.Bucket(metaBucket)) {
				return fmt.Errorf("%w: the step from format %d is for rows that are not in blocks yet", ErrFormat, f)
			}
			if err := step(tx); err != nil {
				return fmt.Errorf("upgrade from format %d: %w", f, err)
			}
		}
	}
	return putFormat(tx.Bucket(metaBucket), o.Format)
}

func putFormat(meta *bolt.Bucket, format uint32) error {
	return meta.Put(formatKey, binary.BigEndian.AppendUint32(nil, format))
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
