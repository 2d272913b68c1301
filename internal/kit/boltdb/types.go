package boltdb

import bolt "go.etcd.io/bbolt"

// What a transaction works with.
type (
	Tx     = bolt.Tx
	Bucket = bolt.Bucket
	Cursor = bolt.Cursor
)
