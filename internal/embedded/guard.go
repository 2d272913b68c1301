package embedded

import (
	"fmt"
	"regexp"
	"runtime/debug"
)

// damage ends the function that a transaction was given to.
type damage struct{ error }

// guard runs fn, and returns ErrDamaged if fn meets damage. Other panics go on.
func guard(fn func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		switch p := recover().(type) {
		case nil:
		case damage:
			err = p.error
		case interface{ Addr() uintptr }: // what is read lies in the mapped file
			err = fmt.Errorf("%w: a page cannot be read", ErrDamaged)
		default:
			panic(p)
		}
	}()
	return fn()
}

// inFile is deferred where bbolt reads its file: over a damaged page it panics, or leads out of the mapped file.
func inFile() {
	switch p := recover().(type) {
	case nil:
	case damage:
		panic(p)
	default:
		panic(damage{fmt.Errorf("%w: %s", ErrDamaged, trouble(p))})
	}
}

// trouble describes a panic over a damaged page, without what the page holds.
func trouble(p any) string {
	if name := regexp.MustCompile(`(?i)page(?: expected to be:)? \d+`).FindString(fmt.Sprint(p)); name != "" {
		return name + " cannot be read"
	}
	return "a page cannot be read"
}

// guardFile is guard for what uses bbolt itself.
func guardFile(fn func() error) error {
	return guard(func() error {
		defer inFile()
		return fn()
	})
}
