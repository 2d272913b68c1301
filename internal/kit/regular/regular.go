// Package regular opens files that must be regular ones: no link, pipe, device or directory in their place.
package regular

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// Errors of what is not as it must be. Their texts name the path.
var (
	// ErrNotRegular says that something other than a regular file is there. A link is not followed, wherever it leads.
	ErrNotRegular = errors.New("is not a regular file")
	// ErrTooLarge says that a file is longer than it may be.
	ErrTooLarge = errors.New("is too large")
)

// Open opens a regular file for reading.
func Open(path string) (*os.File, error) {
	named, err := os.Lstat(path) // before it is opened: a pipe would wait for a writer, a device may do anything
	if err != nil {
		return nil, err
	}
	if !named.Mode().IsRegular() {
		return nil, fmt.Errorf("%s %w", path, ErrNotRegular)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	opened, err := file.Stat()
	if err == nil && !os.SameFile(named, opened) { // exchanged meanwhile
		err = fmt.Errorf("%s %w", path, ErrNotRegular)
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// ReadFile returns what a regular file holds, if that is at most so many bytes.
func ReadFile(path string, maxBytes int64) (text []byte, err error) {
	file, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	text, err = io.ReadAll(io.LimitReader(file, maxBytes+1))
	if err == nil && int64(len(text)) > maxBytes {
		return nil, fmt.Errorf("%s %w: it may have %d bytes", path, ErrTooLarge, maxBytes)
	}
	return text, err
}
