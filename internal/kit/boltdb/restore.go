package boltdb

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/sojournhq/sojourn/internal/kit/durable"
	"github.com/sojournhq/sojourn/internal/kit/regular"
)

// ErrRestoring says that data files were being restored, and that this has not come to its end: some may be those of the backup, others
// what was there before. Its text says what to do.
var ErrRestoring = errors.New("a restore has not finished")

// restoringFile is beside the data files from when a restore begins until it has come to its end. While it is there, no data file in the
// directory is opened.
const restoringFile = "restoring.json"

// Mark says what a restore does.
type Mark struct {
	// From is the backup, Begun when the restore was.
	From  string    `json:"from"`
	Begun time.Time `json:"begun"`
	// Placing says that it may have put something in place already. Until then what was there is as it was.
	Placing bool `json:"placing"`
	// Files are the data files that it puts in place, by name.
	Files []string `json:"files"`
	// Others are what else it puts in place: the SHA-256 of each file, by path.
	Others map[string]string `json:"others,omitempty"`
}

// Unfinished returns ErrRestoring if a restore into a directory has not come to its end.
func Unfinished(dir string) error {
	if _, err := os.Lstat(filepath.Join(dir, restoringFile)); err != nil {
		return nil //nolint:nilerr // what cannot be looked at cannot be opened either
	}
	return fmt.Errorf("%w: %s", ErrRestoring, knownOf(dir).advice(dir))
}

// advice says what a restore has left in a directory, and what to do.
func (m *Mark) advice(dir string) string {
	if m == nil {
		return fmt.Sprintf("the files in %s may be of different moments: restore all of them from a backup (sojourn restore)", dir)
	}
	again := fmt.Sprintf("run it again (sojourn restore -from %s -data %s), or restore another backup", m.From, dir)
	if !m.Placing {
		return fmt.Sprintf("it has changed nothing yet: %s; or, to go on with what was in %s, remove %s from it", again, dir, restoringFile)
	}
	return fmt.Sprintf("%s in %s may be of different moments: %s", strings.Join(m.Files, ", "), dir, again)
}

// maxMarkBytes is how long a mark may be.
const maxMarkBytes = 1 << 20

// knownOf returns what is known of a restore that has not come to its end, nil if that is nothing.
func knownOf(dir string) *Mark {
	text, err := regular.ReadFile(filepath.Join(dir, restoringFile), maxMarkBytes)
	var m Mark
	if err != nil || json.Unmarshal(text, &m) != nil || len(m.Files) == 0 {
		return nil
	}
	return &m
}

// Restoring is a data directory that files are being restored into. Until it is closed nobody else makes data files in it, or opens those
// that are restored.
type Restoring struct {
	dir   string
	steps durable.Steps
	held  []*os.File
}

// Restore begins a restore of the data files that the options name, which need not be there, in their directory, which must be. Every
// change of a file is one of the steps. ErrLocked: one of the files is in use, or another restore is running. The caller closes it.
func Restore(dir string, files []Options, steps durable.Steps) (*Restoring, error) {
	r := &Restoring{dir: dir, steps: steps}
	d, err := lockDir(dir, lockWait)
	if err != nil {
		return nil, err
	}
	r.held = append(r.held, d)
	for _, o := range files {
		if err := r.hold(o.Path); err != nil {
			return nil, errors.Join(err, r.Close())
		}
	}
	return r, nil
}

// hold locks a data file, if it is there.
func (r *Restoring) hold(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return nil //nolint:nilerr // it is in nobody's use
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no file", path)
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	r.held = append(r.held, file)
	if err := lock(file, true, lockWait); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// Before returns the mark of a restore that has not come to its end, and whether there was one: nil, of which nothing is known.
func (r *Restoring) Before() (m *Mark, unfinished bool) {
	if Unfinished(r.dir) == nil {
		return nil, false
	}
	return knownOf(r.dir), true
}

// RemoveLeft removes the files that restores before this one left without a name.
func (r *Restoring) RemoveLeft() error { return removeLeft(r.dir, r.steps) }

// Create makes a new file in the directory that is to be installed. One that a crash leaves is removed at the next start.
func (r *Restoring) Create() (*durable.File, error) { return r.steps.Create(r.dir, restorePrefix) }

// Mark marks the directory, in place of the mark that it has: from now on nobody opens a data file in it until the restore has come to its
// end, whatever happens. When Mark returns, the mark is on the disk.
func (r *Restoring) Mark(m Mark) error {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	if err := r.steps.WriteFile(filepath.Join(r.dir, restoringFile), append(text, '\n')); err != nil {
		return fmt.Errorf("mark %s: %w", r.dir, err)
	}
	return nil
}

// Finish takes the mark away. All must be in place, and on the disk; or nothing.
func (r *Restoring) Finish() error {
	if err := r.steps.Remove(filepath.Join(r.dir, restoringFile)); err != nil {
		return err
	}
	return r.steps.SyncDir(r.dir)
}

// Close lets others have the directory again. One that is marked they refuse.
func (r *Restoring) Close() (err error) {
	for _, file := range slices.Backward(r.held) {
		err = errors.Join(err, file.Close())
	}
	return err
}
