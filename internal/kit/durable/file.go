package durable

import (
	"errors"
	"os"
	"path/filepath"
)

// File is a new file that is being written.
type File struct {
	file  *os.File
	steps Steps
}

// Create makes a new file in a directory, for the owner alone, whose name is a prefix and digits behind it. It never opens what is there,
// nor what a link leads to.
func (s Steps) Create(dir, prefix string) (f *File, err error) {
	err = s.Do("create "+filepath.Join(dir, prefix), func() error {
		file, err := os.CreateTemp(dir, prefix+"*")
		f = &File{file, s}
		return err
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Name is the file's path.
func (f *File) Name() string { return f.file.Name() }

// Write implements io.Writer.
func (f *File) Write(p []byte) (n int, err error) {
	err = f.steps.Do("write "+f.Name(), func() error {
		n, err = f.file.Write(p)
		return err
	})
	return n, err
}

// Sync makes what was written last.
func (f *File) Sync() error {
	return f.steps.Do("sync "+f.Name(), func() error { return synced(f.file) })
}

// Close closes the file. It changes nothing.
func (f *File) Close() error { return f.file.Close() }

// newPrefix begins the name of a file that is to replace another, whose name follows.
const newPrefix = ".new-"

// WriteFile puts text into the file at path, in place of what it held. After a crash the file holds the old text or the new, never a part;
// once WriteFile has returned, the new, even without power. It can be read by its owner alone. A link at path is replaced, not followed.
func (s Steps) WriteFile(path string, text []byte) error {
	dir := filepath.Dir(path)
	file, err := s.Create(dir, newPrefix+filepath.Base(path)+"-")
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err = errors.Join(err, file.Sync(), file.Close()); err == nil {
		err = s.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, s.Remove(file.Name()))
	}
	return s.SyncDir(dir)
}

// WriteFile is that of Steps.
func WriteFile(path string, text []byte) error { return Steps(nil).WriteFile(path, text) }

// RemoveNew removes what crashes left of writing the file at path. Nobody may be writing it.
func RemoveNew(path string) error {
	entries, err := os.ReadDir(filepath.Dir(path))
	for _, e := range entries {
		if e.Type().IsRegular() && IsTemp(e.Name(), newPrefix+filepath.Base(path)+"-") {
			err = errors.Join(err, os.Remove(filepath.Join(filepath.Dir(path), e.Name())))
		}
	}
	return err
}
