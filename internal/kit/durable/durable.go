// Package durable changes files and directories so that the changes outlast a crash and a power cut.
//
// A file that is synced may still be gone after a power cut, because no directory names it: each function says what it syncs.
package durable

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// ErrSync says that the disk does not take what was written. What it holds is not known any more.
var ErrSync = errors.New("cannot be brought to the disk")

// Steps changes files, one step after another. Nil does just that. Otherwise it is told of each step before it is made, and an error of it
// keeps that step from being made: so tests cut a sequence of changes off at any place.
type Steps func(step string) error

// Do makes a change as one step, unless the step is kept from being made.
func (s Steps) Do(step string, change func() error) error {
	if s != nil {
		if err := s(step); err != nil {
			return err
		}
	}
	return change()
}

// MkdirAll makes a directory, and those that it is in, for the owner alone, and syncs the directories that name new ones.
func (s Steps) MkdirAll(dir string) error {
	dir = filepath.Clean(dir)
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	parent := filepath.Dir(dir)
	if parent != dir {
		if err := s.MkdirAll(parent); err != nil {
			return err
		}
	}
	err := s.Do("make directory "+dir, func() error { return os.Mkdir(dir, 0o700) })
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return errors.Join(fmt.Errorf("%s is no directory", dir), err)
	}
	return s.SyncDir(parent)
}

// Rename gives a file another name, in place of what had it. The directory must be synced for that to last.
func (s Steps) Rename(from, to string) error {
	return s.Do("rename "+from+" to "+to, func() error { return os.Rename(from, to) })
}

// Remove removes a file that may be there. The directory must be synced for that to last.
func (s Steps) Remove(path string) error {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	err := s.Do("remove "+path, func() error { return os.Remove(path) })
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// SyncDir makes the names in a directory last.
func (s Steps) SyncDir(dir string) error {
	return s.Do("sync directory "+dir, func() error {
		d, err := os.Open(dir)
		if err != nil {
			return err
		}
		return errors.Join(synced(d), d.Close())
	})
}

// SyncDir is that of Steps.
func SyncDir(dir string) error { return Steps(nil).SyncDir(dir) }

// MkdirAll is that of Steps.
func MkdirAll(dir string) error { return Steps(nil).MkdirAll(dir) }

func synced(file *os.File) error {
	if err := file.Sync(); err != nil {
		return fmt.Errorf("%s %w: %w", file.Name(), ErrSync, err)
	}
	return nil
}

// IsTemp says whether a name is one that Create gives: a prefix, and digits behind it.
func IsTemp(name, prefix string) bool {
	digits, ok := strings.CutPrefix(name, prefix)
	return ok && digits != "" && strings.Trim(digits, "0123456789") == ""
}
