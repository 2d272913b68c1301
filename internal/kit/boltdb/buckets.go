package boltdb

import "fmt"

// Find returns the bucket at a path of names from the root, or nil if there is none.
func Find(tx *Tx, path ...[]byte) *Bucket {
	b := tx.Bucket(path[0])
	for _, name := range path[1:] {
		if b == nil {
			return nil
		}
		b = b.Bucket(name)
	}
	return b
}

// Make returns the bucket at a path of names from the root, with a bucket in it for each table, making what does not exist.
func Make(tx *Tx, path [][]byte, tables ...[]byte) (*Bucket, error) {
	b, err := tx.CreateBucketIfNotExists(path[0])
	for _, name := range path[1:] {
		if err != nil {
			break
		}
		b, err = b.CreateBucketIfNotExists(name)
	}
	for _, name := range tables {
		if err != nil {
			break
		}
		_, err = b.CreateBucketIfNotExists(name)
	}
	if err != nil {
		return nil, fmt.Errorf("make buckets: %w", err)
	}
	return b, nil
}

// Buckets returns the names of the buckets in one at the root, none if that is not there.
func (db *DB) Buckets(in []byte) (names []string, err error) {
	err = db.View(func(tx *Tx) error {
		b := tx.Bucket(in)
		if b == nil {
			return nil
		}
		return b.ForEachBucket(func(name []byte) error {
			names = append(names, string(name))
			return nil
		})
	})
	return names, err
}
