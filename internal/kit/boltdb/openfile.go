package boltdb

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/sojournhq/sojourn/internal/kit/durable"
	"github.com/sojournhq/sojourn/internal/kit/pages"
)

// directoryWait is for how long a process waits until others have made their files in the same directory.
const directoryWait = 10 * time.Second

// ErrSync says that the disk does not take what was written while a file was opened.
var ErrSync = durable.ErrSync

// openFile opens the file that the options name, or makes it if there never was one, and returns it with what it says of itself. What was
// read of it comes from the disk, and what bbolt reads to open it is sound: so it neither panics nor makes anew what was lost.
func openFile(o Options) (*bolt.DB, entry, error) {
	want, err := prepare(o)
	if err != nil {
		return nil, entry{}, err
	}
	return openPrepared(o, want)
}

// openPrepared opens a file that is there, and that the manifest says want of.
func openPrepared(o Options, want *entry) (*bolt.DB, entry, error) {
	if err := settle(o); err != nil {
		return nil, entry{}, err
	}
	b, err := openBolt(o.Path, wayOf(o))
	if err != nil {
		return nil, entry{}, err
	}
	// Now that the file is locked, no restore can begin.
	if err = Unfinished(filepath.Dir(o.Path)); err == nil && !o.ReadOnly {
		err = removeLeftOf(o.Path)
	}
	if err != nil {
		return nil, entry{}, errors.Join(err, b.Close())
	}
	is, err := checkFormat(b, o, want)
	if err == nil && !o.ReadOnly {
		if b, err = packed(b, o); err != nil {
			return nil, entry{}, err
		}
		err = errors.Join(emptyDamaged(b, o), syncEntries(o.Path))
	}
	if err == nil && !o.ReadOnly && (want == nil || *want != is) {
		err = Locked(filepath.Dir(o.Path), func() error { return enter(nil, o.Path, is) })
	}
	if err != nil {
		return nil, entry{}, errors.Join(err, b.Close())
	}
	return b, is, nil
}

// prepare makes the file that the options name where there never was one, and removes what crashes left in its directory. It returns what
// the manifest says of the file, nil if that is nothing.
func prepare(o Options) (want *entry, err error) {
	dir := filepath.Dir(o.Path)
	if o.ReadOnly {
		if err := Unfinished(dir); err != nil {
			return nil, err
		}
		return makeFile(o)
	}
	if err := durable.MkdirAll(dir); err != nil {
		return nil, fmt.Errorf("make directory of a store: %w", err)
	}
	err = Locked(dir, func() error {
		if err := Unfinished(dir); err != nil {
			return err
		}
		if err := removeLeft(dir, nil); err != nil {
			return fmt.Errorf("remove what a crash left: %w", err)
		}
		want, err = makeFile(o)
		return err
	})
	return want, err
}

// makeFile makes a file where there never was one, and returns what the manifest says of it. The directory must be locked, unless the file
// is opened for reading only.
func makeFile(o Options) (want *entry, err error) {
	want, err = expected(o.Path)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(o.Path)
	switch {
	case err == nil && info.Size() > 0:
		return want, nil
	case err == nil:
		return nil, missing(o.Path, "is empty", want)
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	case want != nil:
		return nil, missing(o.Path, "is not there", want)
	case o.ReadOnly:
		return nil, err
	}
	if err := create(o); err != nil {
		return nil, fmt.Errorf("make a data file: %w", err)
	}
	return expected(o.Path)
}

// missing says what to do about a file without content.
func missing(path, how string, want *entry) error {
	manifest := filepath.Join(filepath.Dir(path), ManifestFile)
	if want == nil {
		return fmt.Errorf("%w: it %s: restore it from a backup; or, if there never was data in it, remove it", ErrMissing, how)
	}
	return fmt.Errorf("%w: it %s, and %s names it: restore it from a backup; "+
		"or, to begin without what was in it, remove it and its entry there", ErrMissing, how, manifest)
}

// swapped says what to do about a file that is not the one that the manifest names.
func swapped(path string) error {
	return fmt.Errorf("%w: it is not the one that %s names: put that one back, or restore a backup; "+
		"or, to go on with this one, remove its entry there", ErrSwapped, filepath.Join(filepath.Dir(path), ManifestFile))
}

// create makes a new file under another name, and gives it its own only when it is whole and on the disk. The directory must be locked.
func create(o Options) error {
	beside := o.Path + newSuffix
	if err := durable.Steps(nil).Remove(beside); err != nil { // of a time that was cut off
		return err
	}
	b, err := openBolt(beside, toMake)
	if err != nil {
		return err
	}
	is, err := checkFormat(b, o, nil)
	if err := errors.Join(err, b.Close()); err != nil {
		return errors.Join(err, os.Remove(beside))
	}
	if err := os.Rename(beside, o.Path); err != nil {
		return err
	}
	if err := syncEntries(o.Path); err != nil {
		return err
	}
	return enter(nil, o.Path, is)
}

// settle brings the file to the disk, lets the kernel forget it, and checks what bbolt reads to open it; all while nobody else has the file
// open.
func settle(o Options) (err error) {
	file, err := os.Open(o.Path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	if err := lock(file, !o.ReadOnly, lockWait); err != nil {
		return err
	}
	if err := errors.Join(file.Sync(), forget(file)); err != nil {
		return fmt.Errorf("%s %w: %w", o.Path, ErrSync, err)
	}
	info, err := file.Stat()
	if err != nil {
		return err
	}
	found, err := pages.Read(file, info.Size())
	if err == nil {
		err = found.Head()
	}
	if err != nil {
		return err
	}
	if len(found.Torn) > 0 && o.Deps.Log != nil {
		o.Deps.Log.Warn("a meta page of the data file cannot be read: what the last transaction wrote may be missing",
			slog.String("file", o.Path), slog.Any("pages", found.Torn))
	}
	return nil
}

const (
	// mappedBytes is how much address space a file is given at once. Whenever bbolt has to take more it waits for all readers to end.
	mappedBytes = 16 << 30
	// growthBytes is by how much a file grows at once.
	growthBytes = 4 << 20
)

// way is how a bbolt file is opened.
type way int

const (
	toRead  way = iota // what is there
	toWrite            // what is there
	toMake             // what is not: never what is there, nor what a link leads to
)

func wayOf(o Options) way {
	if o.ReadOnly {
		return toRead
	}
	return toWrite
}

// flags returns those that a file is opened with, where bbolt would make it if it is not there.
func (w way) flags(flags int) int {
	switch w {
	case toWrite:
		return flags &^ os.O_CREATE
	case toMake:
		return flags | os.O_EXCL
	default:
		return flags
	}
}

// openBolt returns ErrLocked if another process has the file open, and ErrDamaged if bbolt cannot bear what is in it.
func openBolt(path string, w way) (b *bolt.DB, err error) {
	err = Guard(func() error {
		o := &bolt.Options{Timeout: lockWait, ReadOnly: w == toRead, FreelistType: bolt.FreelistMapType}
		if w != toRead {
			o.InitialMmapSize = mappedBytes
		}
		var opened os.FileInfo
		o.OpenFile = func(name string, flag int, mode os.FileMode) (*os.File, error) {
			file, err := os.OpenFile(name, w.flags(flag), mode)
			if err == nil {
				opened, err = file.Stat()
			}
			return file, err
		}
		if b, err = bolt.Open(path, 0o600, o); err != nil {
			return err
		}
		return stillThere(b, path, opened)
	})
	switch {
	case err == nil:
		b.AllocSize = growthBytes
		return b, nil
	case errors.Is(err, berrors.ErrTimeout):
		return nil, ErrLocked
	case w == toMake && errors.Is(err, syscall.EIO):
		return nil, commitFailed(err)
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrChecksum), errors.Is(err, berrors.ErrVersionMismatch):
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return nil, err
}

// unsynced are the options for making a file that is synced once, when it is whole.
func unsynced() *bolt.Options {
	return &bolt.Options{
		Timeout: lockWait, FreelistType: bolt.FreelistMapType, NoSync: true,
		OpenFile: func(name string, flag int, mode os.FileMode) (*os.File, error) {
			return os.OpenFile(name, toMake.flags(flag), mode)
		},
	}
}

// update runs fn in a transaction of a file that no committer has. That its commit failed is ErrSync, unless the disk is full.
func update(b updater, fn func(*bolt.Tx) error) error {
	written := false
	err := b.Update(func(tx *bolt.Tx) error {
		err := fn(tx)
		written = err == nil
		return err
	})
	if written {
		return commitFailed(err)
	}
	return err
}

// updater is a file, or the handle of one.
type updater interface {
	Update(fn func(*bolt.Tx) error) error
}

func commitFailed(err error) error {
	if err == nil || isFull(err) {
		return err
	}
	return fmt.Errorf("a commit %w: %w", ErrSync, err)
}

// stillThere closes a file and returns ErrLocked if its name has gone to another one while its lock was waited for: the process that had
// it has compacted it.
func stillThere(b *bolt.DB, path string, opened os.FileInfo) error {
	named, err := os.Stat(path)
	if err == nil && !os.SameFile(named, opened) {
		err = ErrLocked
	}
	if err != nil {
		return errors.Join(err, b.Close())
	}
	return nil
}

// Guard runs do, and makes an ErrDamaged of it when do stumbles over a damaged page: bbolt panics then, or leads out of the mapped file.
func Guard(do func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		switch p := recover().(type) {
		case nil:
		case damage:
			err = p.error
		default:
			err = fmt.Errorf("%w: %s", ErrDamaged, trouble(p))
		}
	}()
	return do()
}

// trouble describes a panic over a damaged page, without what the page holds.
func trouble(p any) string {
	// Where bbolt's panics name the page.
	if name := regexp.MustCompile(`(?i)page(?: expected to be:)? \d+`).FindString(fmt.Sprint(p)); name != "" {
		return name + " cannot be read"
	}
	return "a page cannot be read"
}
