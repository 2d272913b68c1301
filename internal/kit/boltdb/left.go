package boltdb

import (
	"errors"
	"os"
	"path/filepath"
	"slices"

	"github.com/sojournhq/sojourn/internal/kit/durable"
)

// How the names of files begin or end that have not got their own yet, or are only for a while.
const (
	restorePrefix = ".restore-" // and digits: what is to be installed
	copyPrefix    = ".copy-"    // the name of a data file, and digits: a copy of it; in versions before, digits alone
	newPrefix     = ".new-"     // the name of a file that is written by package durable, and digits; in versions before, digits alone
	newSuffix     = ".new"      // of a data file that is being made
	compactSuffix = ".compact"  // of what Compact makes
	packedSuffix  = ".packed"   // of one whose rows are put into blocks
)

// removeLeft removes what crashes left in a directory, which must be locked, of files that belong to no store or whose store has never
// got its name. Nobody is writing any of them: who does so has the lock.
func removeLeft(dir string, steps durable.Steps) error {
	return errors.Join(
		removeTemps(dir, steps, restorePrefix, copyPrefix, newPrefix, newPrefix+ManifestFile+"-", newPrefix+restoringFile+"-"),
		steps.Remove(filepath.Join(dir, ManifestFile+newSuffix)),
	)
}

// removeLeftOf removes what crashes left beside a data file that is open for writing.
func removeLeftOf(path string) error {
	dir, name := filepath.Split(path)
	err := removeTemps(filepath.Clean(dir), nil, copyPrefix+name+"-")
	for _, suffix := range []string{compactingSuffix, compactSuffix, packedSuffix, newSuffix} {
		err = errors.Join(err, durable.Steps(nil).Remove(path+suffix))
	}
	return err
}

// removeTemps removes the files in a directory whose names are one of these prefixes and digits.
func removeTemps(dir string, steps durable.Steps, prefixes ...string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		left := slices.ContainsFunc(prefixes, func(prefix string) bool { return durable.IsTemp(e.Name(), prefix) })
		if left && e.Type().IsRegular() {
			err = errors.Join(err, steps.Remove(filepath.Join(dir, e.Name())))
		}
	}
	return err
}
