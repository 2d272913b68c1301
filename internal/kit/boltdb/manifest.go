package boltdb

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/sojournhq/sojourn/internal/kit/durable"
)

// Errors of a data directory that is not what it was. Their texts say what to do.
var (
	// ErrMissing says that a data file that was there is gone or empty. It is not made anew: what was in it would be lost unnoticed.
	ErrMissing = errors.New("data file is missing")
	// ErrSwapped says that a data file, or what belongs to it, is another one than the one that was there.
	ErrSwapped = errors.New("data file is another one")
)

const (
	// ManifestFile is beside the data files. Its name is not that of a backup's manifest: the one must not be taken for the other.
	ManifestFile   = "stores.json"
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
	path := filepath.Join(dir, ManifestFile)
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
func enter(steps durable.Steps, path string, e entry) error {
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
	return steps.WriteFile(filepath.Join(dir, ManifestFile), append(text, '\n'))
}

// Locked runs do while no other process makes files in a directory, changes its manifest, or restores what is in it. ErrLocked: one does
// so all the time.
func Locked(dir string, do func() error) error {
	d, err := lockDir(dir, directoryWait)
	if err != nil {
		return err
	}
	return errors.Join(do(), d.Close()) // which gives the lock back
}

// lockDir locks a directory until it is closed.
func lockDir(dir string, wait time.Duration) (*os.File, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := lock(d, true, wait); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", dir, err), d.Close())
	}
	return d, nil
}
