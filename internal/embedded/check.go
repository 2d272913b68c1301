package embedded

import (
	"context"
	"errors"
	"os"

	bolt "go.etcd.io/bbolt"
)

// Check tells found, in the same goroutine, of everything that is wrong with the bbolt file: first its pages, then, if all of them can be
// followed, the rows of which the checksum does not match, with their table. Nothing is flushed meanwhile. The log needs no check: one that
// is damaged is refused when the store is opened. The error is for what kept it from looking, or that of ctx.
func (s *Store) Check(ctx context.Context, found func(table string, err error)) error {
	if err := s.takePermit(ctx); err != nil {
		return err
	}
	defer func() { <-s.flushing }()
	followable, err := checkPages(ctx, s.config.Path, func(err error) { found("", err) })
	if err != nil || !followable {
		return err
	}
	err = guardFile(func() error {
		return s.file.View(func(tx *bolt.Tx) error {
			for _, name := range s.config.Tables {
				if err := checkRows(ctx, tx, name, found); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if errors.Is(err, ErrDamaged) {
		found("", err)
		return nil
	}
	return err
}

// checkPages examines the pages of a file that nobody writes to.
func checkPages(ctx context.Context, path string, found func(error)) (followable bool, err error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	p, err := readPages(f)
	if err != nil {
		found(err)
		return false, nil
	}
	return p.Check(ctx, found)
}

func checkRows(ctx context.Context, tx *bolt.Tx, table string, found func(table string, err error)) error {
	return tx.Bucket([]byte(table)).ForEach(func(key, sealed []byte) error {
		if _, err := unseal(table, key, sealed); err != nil {
			found(table, err)
		}
		return ctx.Err()
	})
}
