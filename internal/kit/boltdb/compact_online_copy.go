package boltdb

import (
	"bytes"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"
)

const (
	// copyBytes is how much one transaction of a compaction writes, about: more would take more memory, and keep the log from the disk.
	copyBytes = 4 << 20
	// copiedPages is how full the pages of a new file are. Full to the last byte, the first row that comes between others would halve them.
	copiedPages = 0.95
)

// copier copies all rows that a transaction sees to an empty file, in their order, in parts. Nothing is interpreted: every value keeps the
// checksum that it has.
type copier struct {
	from  *bolt.Tx
	to    *bolt.DB
	pause func(took time.Duration) error // between two parts

	tx    *bolt.Tx // the part
	part  int      // its number
	bytes int      // in it so far
	began time.Time
}

// copied is a bucket, and its like in the new file, which is looked up in every part anew.
type copied struct {
	name   []byte
	parent *copied // nil of those of the root
	into   *bolt.Bucket
	part   int
}

// run returns ErrDamaged if rows are not in their order. It panics over a page that cannot be read, and leaves no transaction behind.
func (c *copier) run() (err error) {
	if err := c.begin(); err != nil {
		return err
	}
	defer func() { _ = c.tx.Rollback() }() // does nothing where it was committed
	if err := c.rows(c.from.Cursor(), nil); err != nil {
		return err
	}
	return c.tx.Commit()
}

func (c *copier) begin() (err error) {
	c.part++
	c.bytes, c.began = 0, time.Now()
	c.tx, err = c.to.Begin(true)
	return err
}

// next ends a part and begins another.
func (c *copier) next() error {
	if err := c.tx.Commit(); err != nil {
		return err
	}
	if err := c.pause(time.Since(c.began)); err != nil {
		return err
	}
	return c.begin()
}

// rows copies what a cursor walks: the rows and buckets of a bucket, nil for those of the root.
func (c *copier) rows(from *bolt.Cursor, in *copied) error {
	var last []byte
	for key, value := from.First(); key != nil; key, value = from.Next() {
		if last != nil && bytes.Compare(last, key) >= 0 {
			return fmt.Errorf("%w: rows are not in order", ErrDamaged)
		}
		last = key
		if c.bytes += len(key) + len(value); c.bytes > copyBytes {
			if err := c.next(); err != nil {
				return err
			}
		}
		if value == nil {
			if err := c.bucket(from.Bucket().Bucket(key), &copied{name: key, parent: in}); err != nil {
				return err
			}
			continue
		}
		if in == nil {
			return fmt.Errorf("%w: a row is in no bucket", ErrDamaged)
		}
		if err := c.find(in).Put(key, value); err != nil {
			return err
		}
	}
	return nil
}

// bucket copies a bucket.
func (c *copier) bucket(from *bolt.Bucket, as *copied) error {
	if from == nil {
		return fmt.Errorf("%w: a bucket cannot be read", ErrDamaged)
	}
	var err error
	if as.parent == nil {
		_, err = c.tx.CreateBucket(as.name)
	} else {
		_, err = c.find(as.parent).CreateBucket(as.name)
	}
	if err != nil {
		return err
	}
	if err := c.find(as).SetSequence(from.Sequence()); err != nil {
		return err
	}
	return c.rows(from.Cursor(), as)
}

// find returns the like of a bucket in the part of now.
func (c *copier) find(b *copied) *bolt.Bucket {
	if b.part == c.part {
		return b.into
	}
	if b.parent == nil {
		b.into = c.tx.Bucket(b.name)
	} else {
		b.into = c.find(b.parent).Bucket(b.name)
	}
	b.into.FillPercent, b.part = copiedPages, c.part
	return b.into
}
