package bolt

import (
	"fmt"
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/record"
)

// message is a pointer to a row R.
type message[R any] interface {
	*R
	proto.Message
}

// cache holds the rows of one table that a transaction changes, so that each is read once and written once, in order of key, however
// many calls of a batch change it.
type cache[R any, M message[R]] struct {
	table *boltdb.Bucket
	rows  map[string]M
}

func newCache[R any, M message[R]](table *boltdb.Bucket) cache[R, M] {
	return cache[R, M]{table: table, rows: map[string]M{}}
}

// row returns the row under key, an empty one if there is none. The caller may change it.
func (c cache[R, M]) row(key []byte) (M, error) {
	if row, ok := c.rows[string(key)]; ok {
		return row, nil
	}
	row := M(new(R))
	if sealed := c.table.Get(key); sealed != nil {
		if err := record.Unmarshal(key, sealed, row); err != nil {
			return nil, err
		}
	}
	c.rows[string(key)] = row
	return row, nil
}

// flush writes all rows.
func (c cache[R, M]) flush() error {
	for _, name := range slices.Sorted(maps.Keys(c.rows)) {
		key := []byte(name)
		if err := put(c.table, key, c.rows[name]); err != nil {
			return err
		}
	}
	return nil
}

func put(table *boltdb.Bucket, key []byte, row proto.Message) error {
	sealed, err := record.Marshal(key, row)
	if err != nil {
		return err
	}
	if err := table.Put(key, sealed); err != nil {
		return fmt.Errorf("store a row: %w", err)
	}
	return nil
}
