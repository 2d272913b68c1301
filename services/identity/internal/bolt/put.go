package bolt

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/internal/kit/record"
	storagev1 "github.com/sojournhq/sojourn/proto/sojourn/identity/storage/v1"
)

// books holds the books that a transaction changes, so that each is read once and written once.
type books struct {
	table *boltdb.Bucket
	rows  map[book]*storagev1.BookRow
	order []book
}

type book struct{ source, kind string }

func (b book) key() []byte { return keys.AppendString(keys.AppendString(nil, b.source), b.kind) }

// row returns a book, an empty one if there is none. The caller may change it.
func (c *books) row(b book) (*storagev1.BookRow, error) {
	if row, ok := c.rows[b]; ok {
		return row, nil
	}
	row, key := &storagev1.BookRow{}, b.key()
	if sealed := c.table.Get(key); sealed != nil {
		if err := record.Unmarshal(key, sealed, row); err != nil {
			return nil, err
		}
	}
	c.rows[b] = row
	c.order = append(c.order, b)
	return row, nil
}

// flush writes all books.
func (c *books) flush() error {
	for _, b := range c.order {
		if row := c.rows[b]; row.GetAccepted() < 0 || row.GetDuplicate() < 0 {
			return fmt.Errorf("%w: a book with %d calls accepted and %d copies", boltdb.ErrBroken, row.GetAccepted(), row.GetDuplicate())
		}
		if err := put(c.table, b.key(), c.rows[b]); err != nil {
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
	return putSealed(table, key, sealed)
}

func putSealed(table *boltdb.Bucket, key, sealed []byte) error {
	if err := table.Put(key, sealed); err != nil {
		return fmt.Errorf("store a row: %w", err)
	}
	return nil
}
