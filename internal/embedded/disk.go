package embedded

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
)

// disk is where a store lies. All that changes files goes through it, so that tests can fail each step, or lose power at it.
type disk interface {
	// lock takes the lock of the store at path, or returns ErrLocked.
	lock(path string, shared bool) (unlock func() error, err error)
	// create makes an empty file, or empties the one that is there, and open opens one for writing.
	create(name string) (file, error)
	open(name string) (file, error)
	// read returns what the disk has of a file.
	read(name string) ([]byte, error)
	// list returns the names in the directory of path that begin with path.
	list(path string) ([]string, error)
	rename(from, to string) error
	remove(name string) error
	// syncDir makes the names in the directory of path durable.
	syncDir(path string) error
	// update runs a write transaction of bbolt, and sync makes durable what was written without.
	update(b *bolt.DB, fn func(*bolt.Tx) error) error
	sync(b *bolt.DB) error
	// free returns how much may still be written beside path, if that is known.
	free(path string) (int64, bool)
}

// file is a file that is being written to.
type file interface {
	WriteAt(p []byte, at int64) (int, error)
	Truncate(size int64) error
	// Sync makes durable what was written.
	Sync() error
	Close() error
}

// osDisk is the real one.
type osDisk struct{}

type osFile struct{ *os.File }

func (f osFile) Sync() error { return datasync(f.File) }

func (osDisk) create(name string) (file, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	return osFile{f}, err
}

func (osDisk) open(name string) (file, error) {
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	return osFile{f}, err
}

// read brings a file to the disk and has the kernel forget it first: after a failed sync the kernel may show what never got there.
func (osDisk) read(name string) (data []byte, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := errors.Join(f.Sync(), forget(f)); err != nil {
		return nil, fmt.Errorf("bring %s to the disk: %w", name, err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	data = make([]byte, info.Size())
	_, err = io.ReadFull(f, data)
	return data, err
}

func (osDisk) list(path string) (names []string, err error) {
	entries, err := os.ReadDir(filepath.Dir(path))
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), filepath.Base(path)) {
			names = append(names, filepath.Join(filepath.Dir(path), e.Name()))
		}
	}
	return names, err
}

func (osDisk) rename(from, to string) error { return os.Rename(from, to) }
func (osDisk) remove(name string) error     { return os.Remove(name) }

func (osDisk) syncDir(path string) error {
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (osDisk) update(b *bolt.DB, fn func(*bolt.Tx) error) error { return b.Update(fn) }
func (osDisk) sync(b *bolt.DB) error                            { return b.Sync() }
func (osDisk) free(path string) (int64, bool)                   { return freeBytes(filepath.Dir(path)) }

const (
	lockWait = time.Second
	lockPoll = 20 * time.Millisecond
)

// lock locks a file of its own beside the store, so that everything from the making of the store to its compaction is under one lock.
func (osDisk) lock(path string, shared bool) (unlock func() error, err error) {
	f, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if shared && err != nil { // of a directory that cannot be written to, in which nobody writes
		return func() error { return nil }, nil //nolint:nilerr // there is nothing to be locked
	}
	if err != nil {
		return nil, err
	}
	for until := time.Now().Add(lockWait); ; time.Sleep(lockPoll) {
		if err = lockFile(f, shared); err == nil {
			return f.Close, nil
		}
		if !errors.Is(err, ErrLocked) || time.Now().After(until) {
			return nil, errors.Join(err, f.Close())
		}
	}
}

// syncError is a failed sync: what is on the disk is not known any more, whatever it says.
type syncError struct{ cause error }

func (e *syncError) Error() string { return "sync: " + e.cause.Error() }

// isFull says whether something was not written because the disk has no room. What a sync says is another matter.
func isFull(err error) bool {
	if e := (*syncError)(nil); errors.As(err, &e) {
		return false
	}
	var write *fs.PathError
	return errors.As(err, &write) && write.Op != "sync" && errors.Is(write, syscall.ENOSPC)
}

// writeWhole makes a file of content that is on the disk, under its name, whole or not at all.
func writeWhole(d disk, name string, content []byte) error {
	f, err := d.create(name + ".new")
	if err != nil {
		return err
	}
	_, err = f.WriteAt(content, 0)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return errors.Join(d.rename(name+".new", name), d.syncDir(name))
}

// removeIfThere removes a file, should there be one.
func removeIfThere(d disk, name string) error {
	if err := d.remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
