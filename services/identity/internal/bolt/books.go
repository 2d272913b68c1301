package bolt

import (
	"context"
	"fmt"

	"github.com/sojournhq/sojourn/internal/kit/keys"
	"github.com/sojournhq/sojourn/internal/kit/record"
	storagev1 "github.com/sojournhq/sojourn/proto/sojourn/identity/storage/v1"
	"github.com/sojournhq/sojourn/services/identity/internal/directory"
)

// Books implements directory.Store.
func (s *Store) Books(ctx context.Context, workspace string) (books []directory.Book, err error) {
	err = s.view(ctx, workspace, func(t *tables) error {
		return t.books.ForEach(func(key, sealed []byte) error {
			row := &storagev1.BookRow{}
			if err := record.Unmarshal(key, sealed, row); err != nil {
				return err
			}
			r := keys.Read(key)
			books = append(books, directory.Book{
				Source: r.String(), Type: r.String(),
				Accepted: row.GetAccepted(), Duplicate: row.GetDuplicate(), Filtered: row.GetFiltered(), Rejected: row.GetRejected(),
			})
			if r.Err() != nil {
				return fmt.Errorf("%w: key of a book", record.ErrCorrupt)
			}
			return nil
		})
	})
	return books, err
}
