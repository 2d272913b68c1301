package backup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/sojournhq/sojourn/standalone/internal/chunks"
)

const (
	// partialPrefix begins the names of directories that are no backups yet, or no more.
	partialPrefix = ".partial-"
	// partialChunks begins those of backups of chunks.
	partialChunks = partialPrefix + "chunks-"
	// Such a directory is left by a crash when it has been there for longer than any backup takes.
	abandonedAfter = 24 * time.Hour
)

// prune removes all but the newest backups in a directory, and what crashes left. Nothing else in the directory is touched.
func prune(dir string, keep int, now time.Time) error {
	var errs []error
	if keep > 0 {
		names, err := list(dir)
		errs = append(errs, err)
		for _, name := range names[:max(0, len(names)-keep)] {
			errs = append(errs, remove(dir, name))
		}
	}
	errs = append(errs, removeAbandoned(dir, now))
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("remove old backups: %w", err)
	}
	return nil
}

// remove takes a backup its name before its files: none may be found without them.
func remove(dir, name string) error {
	away := filepath.Join(dir, partialPrefix+name)
	if err := os.Rename(filepath.Join(dir, name), away); err != nil {
		return err
	}
	return os.RemoveAll(away)
}

func removeAbandoned(dir string, now time.Time) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), partialPrefix) {
			continue
		}
		if info, err := e.Info(); err == nil && now.Sub(info.ModTime()) > abandonedAfter {
			errs = append(errs, os.RemoveAll(filepath.Join(dir, e.Name())))
		}
	}
	return errors.Join(errs...)
}

// collect removes what no backup in a directory needs any more, unless another backup is being taken, which does so itself.
func collect(dir string) error {
	store, err := chunks.Open(filepath.Join(dir, packsDir), false)
	if errors.Is(err, chunks.ErrBusy) {
		return nil
	}
	if err != nil {
		return err
	}
	lists, err := listsIn(dir)
	if err == nil {
		err = store.Collect(lists)
	}
	if err = errors.Join(err, store.Close()); err != nil {
		return fmt.Errorf("remove what no backup needs: %w", err)
	}
	return nil
}

// listsIn returns the paths of the lists of chunks of all backups in a directory.
func listsIn(dir string) (paths []string, err error) {
	names, err := list(dir)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		entries, err := os.ReadDir(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if filepath.Ext(e.Name()) == listed {
				paths = append(paths, filepath.Join(dir, name, e.Name()))
			}
		}
	}
	return paths, nil
}

// removeLeft removes backups of chunks that a crash cut short. It is for whoever has the packs for himself.
func removeLeft(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), partialChunks) {
			err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
		}
	}
	return err
}
