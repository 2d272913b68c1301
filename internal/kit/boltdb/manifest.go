package boltdb

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Errors of a data directory that is not what it was. Their texts say what to do.
var (
	// ErrMissing says that a data file that was there is gone or empty. It is not made anew: what was in it would be lost unnoticed.
	ErrMissing = errors.New("data file is missing")
	// ErrSwapped says that a data file, or what belongs to it, is another one than the one that was there.
	ErrSwapped = errors.New("data file is another one")
)

const (
	// manifestFile is beside the data files. Its name is not that of a backup's manifest: the one must not be taken for the other.
	manifestFile   = "stores.json"
	manifestFormat = 1
)

// manifest says which data files a directory must hold.
type manifest struct {
	Format int              `json:"format"`
	Stores map[string]entry `json:"stores"` // by name of the file
}

// entry is what a data file says of itself.
type entry struct {
	Kind   string `json:"kind"`
	Format uint32 `json:"format"`
	// UUID is made with the file, and anew when the file is restored.
	UUID string `json:"uuid"`
}

// readManifest returns what a directory must hold: nothing, where there is no manifest, as in directories from before there were any.
func readManifest(dir string) (manifest, error) {
	m := manifest{Format: manifestFormat, Stores: map[string]entry{}}
	path := filepath.Join(dir, manifestFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(text, &m); err != nil || m.Stores == nil {
		return m, fmt.Errorf("%w: %s cannot be read: once it is certain that all data files are there, remove it, and it will be made anew",
			ErrDamaged, path)
	}
	if m.Format != manifestFormat {
		return m, fmt.Errorf("%w: %s has format %d, this program reads %d", ErrFormat, path, m.Format, manifestFormat)
	}
	return m, nil
}

// expected returns what the manifest says of a file, or nil if it does not name it.
func expected(path string) (*entry, error) {
	m, err := readManifest(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	if e, ok := m.Stores[filepath.Base(path)]; ok {
		return &e, nil
	}
	return nil, nil //nolint:nilnil // there is none, and that is no error
}

// enter makes the manifest say of a file what e says. The directory must be locked.
func enter(path string, e entry) error {
	dir := filepath.Dir(path)
	m, err := readManifest(dir)
	if err != nil {
		return err
	}
	if m.Stores[filepath.Base(path)] == e {
		return nil
	}
	m.Stores[filepath.Base(path)] = e
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return replace(filepath.Join(dir, manifestFile), append(text, '\n'))
}

// replace gives a file a new content, so that after a crash it has the old one or the new one, whole.
func replace(path string, text []byte) error {
	file, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	return syncEntries(path)
}

// locked runs do while no other process makes files in a directory or changes its manifest.
func locked(dir string, do func() error) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = lock(d, true, directoryWait)
	if err == nil {
		err = do()
	}
	return errors.Join(err, d.Close()) // which gives the lock back
}
