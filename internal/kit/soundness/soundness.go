// Package soundness examines data files: whether they can be read, and whether they are what bbolt left.
//
// What a service's tables must say of each other only the service knows; it looks at its rows while its file is examined, and reports what
// it finds as the same Problem.
package soundness

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
	"github.com/sojournhq/sojourn/internal/kit/pages"
)

// Problem is something in a data file that is not as it must be.
type Problem struct {
	// Table is the path of buckets to where it is, such as "workspaces/default/usage"; empty: the file itself.
	Table string
	// Message says what is wrong.
	Message string
}

// String returns the problem on one line.
func (p Problem) String() string {
	if p.Table == "" {
		return p.Message
	}
	return p.Table + ": " + p.Message
}

// Examine opens the file that the options name, for reading only, and tells found, in the same goroutine, of everything that is wrong with
// it: first its pages, then, if all of them can be followed, the blocks of rows on them, and then, if all of these can be read, what rows
// reports while it reads the tables. It ends whatever the file holds.
// The error is for what kept it from looking: a file that is not there, in use, no store, damaged where it begins, the end of ctx, or
// whatever rows returned.
func Examine(ctx context.Context, o boltdb.Options, rows func(*boltdb.Tx) error, found func(Problem)) error {
	o.ReadOnly = true
	db, err := boltdb.Open(o)
	if err != nil {
		return err
	}
	followable, err := examinePages(ctx, o.Path, func(err error) { found(Problem{Message: err.Error()}) })
	if followable && err == nil {
		err = db.View(func(tx *boltdb.Tx) error {
			return boltdb.Guard(func() error { return examineRows(ctx, tx, rows, found) })
		})
		if errors.Is(err, boltdb.ErrDamaged) {
			found(Problem{Message: err.Error()})
			err = nil
		}
	}
	return errors.Join(err, db.Close())
}

// examineRows examines the blocks of rows, and rows if there is none among them that cannot be read.
func examineRows(ctx context.Context, tx *boltdb.Tx, rows func(*boltdb.Tx) error, found func(Problem)) error {
	readable := true
	err := tx.CheckBlocks(ctx, func(table string, err error) {
		readable = false
		found(Problem{Table: table, Message: err.Error()})
	})
	if err != nil || !readable {
		return err
	}
	return rows(tx)
}

// examinePages examines the pages of a file that nobody writes to.
func examinePages(ctx context.Context, path string, found func(error)) (followable bool, err error) {
	file, err := os.Open(path)
	if err != nil {
		return false, fmt.Errorf("examine: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	info, err := file.Stat()
	if err != nil {
		return false, fmt.Errorf("examine: %w", err)
	}
	f, err := pages.Read(file, info.Size())
	if err != nil {
		return false, err
	}
	return f.Check(ctx, found)
}
