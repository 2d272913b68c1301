package boltdb

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	bolt "go.etcd.io/bbolt"

	"github.com/sojournhq/sojourn/internal/kit/boltdb/internal/block"
)

// packBytes is how many bytes of rows are packed in one transaction.
const packBytes = 16 << 20

// packed returns a file whose rows lie in blocks: the one that the options name, which is open, or what is made of it. A crash leaves the
// old file or the new one.
func packed(b *bolt.DB, o Options) (*bolt.DB, error) {
	beside := o.Path + packedSuffix
	if err := os.Remove(beside); err != nil && !errors.Is(err, fs.ErrNotExist) { // of a time that was cut off
		return nil, errors.Join(err, b.Close())
	}
	is := false
	err := b.View(func(tx *bolt.Tx) error { is = hasBlocks(tx.Bucket(metaBucket)); return nil })
	if is && err == nil {
		return b, nil
	}
	if err == nil {
		err = pack(b, beside, o)
	}
	if err == nil {
		err = os.Rename(beside, o.Path)
	}
	if err := errors.Join(err, b.Close()); err != nil {
		return nil, fmt.Errorf("put rows into blocks: %w", err)
	}
	if err := syncEntries(o.Path); err != nil {
		return nil, err
	}
	return openBolt(o.Path, toWrite)
}

// pack writes a file whose rows lie each by itself to another, in blocks, and that to the disk.
func pack(from *bolt.DB, beside string, o Options) error {
	err := Guard(func() error {
		return from.View(func(rows *bolt.Tx) error {
			if err := roomFor(filepath.Dir(o.Path), rows.Size()); err != nil {
				return err
			}
			to, err := bolt.Open(beside, 0o600, unsynced())
			if err != nil {
				return err
			}
			p := packer{to: to, sizes: sizesOf(to, o)}
			return errors.Join(p.file(rows), commitFailed(to.Sync()), to.Close())
		})
	})
	if err != nil {
		_ = os.Remove(beside) // else the next time does
	}
	return err
}

// packer writes rows in blocks to a new file, some in each transaction.
type packer struct {
	to    *bolt.DB
	sizes block.Sizes
	tx    *bolt.Tx
	bytes int // of rows in the transaction
}

// file packs all buckets of a file. That the rows lie in blocks is said last.
func (p *packer) file(from *bolt.Tx) (err error) {
	if p.tx, err = p.to.Begin(true); err != nil {
		return err
	}
	err = from.ForEach(func(name []byte, b *bolt.Bucket) error {
		if string(name) == string(metaBucket) {
			return p.meta(b)
		}
		return p.bucket([]string{string(name)}, b)
	})
	if err == nil {
		err = p.tx.Bucket(metaBucket).Put(rowsKey, inBlocks)
	}
	if err != nil {
		return errors.Join(err, p.tx.Rollback())
	}
	return p.tx.Commit()
}

func (p *packer) meta(from *bolt.Bucket) error {
	to, err := p.tx.CreateBucket(metaBucket)
	if err != nil {
		return err
	}
	return from.ForEach(to.Put)
}

// bucket packs a bucket and those in it.
func (p *packer) bucket(path []string, from *bolt.Bucket) error {
	to, err := makeBucket(p.tx, path)
	if err == nil {
		err = to.SetSequence(from.Sequence())
	}
	if err != nil {
		return err
	}
	var rows []block.Change
	size := 0
	cursor := from.Cursor()
	for key, value := cursor.First(); key != nil; key, value = cursor.Next() {
		if value == nil {
			if err := p.bucket(append(slices.Clone(path), string(key)), from.Bucket(key)); err != nil {
				return err
			}
			continue
		}
		rows = append(rows, block.Change{Key: key, Value: value})
		if size += len(key) + len(value); size < packBytes {
			continue
		}
		if err := p.rows(path, rows); err != nil {
			return err
		}
		rows, size = rows[:0], 0
	}
	return p.rows(path, rows)
}

// rows packs rows that stand behind those that a bucket has.
func (p *packer) rows(path []string, rows []block.Change) error {
	to, err := makeBucket(p.tx, path)
	if err != nil {
		return err
	}
	to.FillPercent = fullPages
	if err := newMerger(to, path, p.sizes).merge(rows); err != nil {
		return err
	}
	for _, r := range rows {
		p.bytes += len(r.Key) + len(r.Value)
	}
	if p.bytes < packBytes {
		return nil
	}
	p.bytes = 0
	if err := p.tx.Commit(); err != nil {
		return err
	}
	p.tx, err = p.to.Begin(true)
	return err
}
