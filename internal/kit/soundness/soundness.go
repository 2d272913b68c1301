// Package soundness examines data files: whether they can be read, and whether they are what bbolt left.
//
// What a service's tables must say of each other only the service knows; it looks at its rows while its file is examined, and reports what
// it finds as the same Problem.
package soundness

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
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
// it: what rows reports while it reads the tables, a part that cannot be read at all, and the structure as bbolt checks it. The error is
// for what kept it from looking: a file that is not there, in use, no store, or whatever rows returned.
func Examine(o boltdb.Options, rows func(*boltdb.Tx) error, found func(Problem)) error {
	o.ReadOnly = true
	db, err := boltdb.Open(o)
	if err != nil {
		return err
	}
	err = db.View(func(tx *boltdb.Tx) error {
		size, err := os.Stat(o.Path)
		if err != nil {
			return fmt.Errorf("examine: %w", err)
		}
		if size.Size() < tx.Size() {
			found(Problem{Message: fmt.Sprintf("the file is cut off: it has %d bytes of %d", size.Size(), tx.Size())})
			return nil
		}
		unreadable, err := read(tx, rows)
		if unreadable != "" {
			found(Problem{Message: unreadable})
		}
		if unreadable != "" || err != nil {
			// bbolt's check would end the process where a page leads out of the file.
			return err
		}
		for problem := range tx.Check() {
			found(Problem{Message: problem.Error()})
		}
		return nil
	})
	return errors.Join(err, db.Close())
}

// read runs rows and says what it stumbled over, if it did: on a damaged page bbolt panics, or leads out of the mapped file.
func read(tx *boltdb.Tx, rows func(*boltdb.Tx) error) (unreadable string, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			unreadable = fmt.Sprintf("a page cannot be read: %v", p)
		}
	}()
	return "", rows(tx)
}
