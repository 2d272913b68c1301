package daemon

import (
	"errors"

	"github.com/sojournhq/sojourn/internal/kit/boltdb"
)

// Exit codes beside 0, for what ended as it was asked to, and 2, for a command line or file of settings that is wrong. The last two are
// those of BSD's sysexits.h.
const (
	// ExitError is for every error that has no code of its own.
	ExitError = 1
	// ExitDisk says that a disk did not keep what was written: after a failed commit nobody knows what it holds. Look at the disk, then
	// start again: what was answered is there, or the start says what is missing.
	ExitDisk = 74 // EX_IOERR
	// ExitLocked says that another process has the data open: try again when it has ended.
	ExitLocked = 75 // EX_TEMPFAIL
)

// ExitCode returns the code that a process ends with because of an error.
func ExitCode(err error) int {
	var fatal fatalError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &fatal), errors.Is(err, boltdb.ErrFailed), errors.Is(err, boltdb.ErrSync):
		return ExitDisk
	case errors.Is(err, boltdb.ErrLocked):
		return ExitLocked
	}
	return ExitError
}

// fatalError is what a store gave for it that it cannot keep its promises any more.
type fatalError struct{ cause error }

func (e fatalError) Error() string { return "stopped writing: " + e.cause.Error() }

func (e fatalError) Unwrap() error { return e.cause }

// Fatal returns a function for observe.Deps that ends a process by cancel, with ExitDisk.
func Fatal(cancel func(error)) func(error) {
	return func(cause error) { cancel(fatalError{cause}) }
}
