package backup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	// partialPrefix begins the names of directories that are no backups yet, or no more.
	partialPrefix = ".partial-"
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
	if err := errors.Join(append(errs, removeAbandoned(dir, now))...); err != nil {
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
